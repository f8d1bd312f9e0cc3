with source as (select * from {{ source('linear', 'issues') }})

select
    -- ids
    {{ connection_of('linear') }} as connection,
    id as issue_key,
    team_id as team_key,
    state_id as state_key,
    assignee_id as assignee_key,
    creator_id as creator_key,
    cycle_id as cycle_key,
    project_id as project_key,
    parent_id as parent_key,
    -- text
    identifier as key,
    title,
    description,
    url,
    branch_name,
    -- numbers
    number,
    priority,
    estimate,
    -- booleans
    is_trashed,
    -- times, UTC
    {{ utc('created_at') }} as created_at,
    {{ utc('updated_at') }} as updated_at,
    {{ utc('started_at') }} as started_at,
    {{ utc('completed_at') }} as completed_at,
    {{ utc('canceled_at') }} as canceled_at,
    {{ utc('archived_at') }} as archived_at
from source
where deleted_at is null
