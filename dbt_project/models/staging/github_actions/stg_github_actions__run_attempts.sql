with source as (select * from {{ source('github_actions', 'run_attempts') }})

select
    -- ids
    {{ connection_of('github') }} as connection,
    run_id as run_key,
    run_attempt as attempt,
    workflow_id as workflow_key,
    repository_id as repository_key,
    head_repository_id as head_repository_key,
    head_sha as sha,
    -- text
    name as workflow_name,
    split_part(path, '@', 1) as workflow_path,
    event,
    status as vendor_status,
    conclusion as vendor_conclusion,
    head_branch as ref,
    url,
    -- numbers
    run_number,
    -- times, UTC
    {{ utc('coalesce(run_started_at, created_at)') }} as started_at,
    {{ utc('updated_at') }} as updated_at
from source
where deleted_at is null
