with source as (select * from {{ source('linear', 'labels') }})

select
    -- ids
    id as label_key,
    team_id as team_key,
    parent_id as parent_key,
    -- text
    name,
    -- times, UTC
    {{ utc('updated_at') }} as updated_at,
    {{ utc('archived_at') }} as archived_at
from source
where deleted_at is null
