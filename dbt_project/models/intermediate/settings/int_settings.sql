select
    coalesce(max(value) filter (where name = 'timezone'), 'UTC') as timezone,
    cast(max(value) filter (where name = 'start_date') as date) as start_date,
    -- the first moment that counts, UTC: what ended before it is left out
    cast(max(value) filter (where name = 'start_date') as timestamp)
    at time zone coalesce(max(value) filter (where name = 'timezone'), 'UTC')
    at time zone 'UTC' as started_at,
    coalesce(bool_or(value = 'true') filter (where name = 'pseudonyms'), false) as has_pseudonyms
from {{ source('config', 'settings') }}
