with source as (select * from {{ source('linear', 'workflow_states') }})

select
    -- ids
    id as workflow_state_key,
    team_id as team_key,
    -- text
    name,
    type,
    -- numbers
    position,
    -- times, UTC
    {{ utc('updated_at') }} as updated_at,
    {{ utc('archived_at') }} as archived_at
from source
where deleted_at is null
