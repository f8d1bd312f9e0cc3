-- Numbers over everything are only as fresh as the stalest part that is not stale.
select
    (select coalesce(min(as_of) filter (where not is_stale), max(as_of)) from {{ ref('int_as_of') }}) as as_of,
    timezone
from {{ ref('int_settings') }}
