with named as (
    select
        any_value(value) filter (where name = 'timezone') as timezone,
        cast(any_value(value) filter (where name = 'start_date') as date) as start_date,
        any_value(value) filter (where name = 'pseudonyms') = 'true' as has_pseudonyms,
        cast(any_value(value) filter (where name = 'stale_after_hours') as double) as stale_after_hours
    from {{ source('config', 'settings') }}
)

select
    timezone,
    start_date,
    -- the first moment that counts, UTC: what ended before it is left out
    {{ local_midnight('start_date', 'timezone') }} as started_at,
    has_pseudonyms,
    stale_after_hours
from named
