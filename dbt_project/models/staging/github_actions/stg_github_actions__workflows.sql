with source as (select * from {{ source('github_actions', 'workflows') }})

select
    -- ids
    id as workflow_key,
    repository_id as repository_key,
    -- text
    name,
    path,
    state as vendor_state
from source
where deleted_at is null
