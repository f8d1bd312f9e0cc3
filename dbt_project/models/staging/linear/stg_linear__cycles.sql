with source as (select * from {{ source('linear', 'cycles') }})

select
    -- ids
    id as cycle_key,
    team_id as team_key,
    -- text
    name,
    -- numbers
    number,
    -- times, UTC
    {{ utc('starts_at') }} as starts_at,
    {{ utc('ends_at') }} as ends_at,
    {{ utc('completed_at') }} as completed_at,
    {{ utc('updated_at') }} as updated_at,
    {{ utc('archived_at') }} as archived_at
from source
where deleted_at is null
