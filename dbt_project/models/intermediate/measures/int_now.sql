-- Numbers over several sources are only as fresh as the stalest.
select
    (select min(as_of) from {{ ref('int_as_of') }}) as as_of,
    timezone
from {{ ref('int_settings') }}
