with named as (
    select
        any_value(value) filter (where name = 'timezone') as timezone,
        cast(any_value(value) filter (where name = 'start_date') as date) as start_date,
        any_value(value) filter (where name = 'pseudonyms') = 'true' as has_pseudonyms
    from {{ source('config', 'settings') }}
)

select
    timezone,
    start_date,
    -- the first moment that counts, UTC: what ended before it is left out
    {{ local_midnight('start_date', 'timezone') }} as started_at,
    has_pseudonyms
from named
