with source as (select * from {{ source('github_actions', 'jobs') }})

select
    -- ids
    {{ connection_of('github') }} as connection,
    id as job_key,
    run_id as run_key,
    repository_id as repository_key,
    run_attempt as attempt,
    -- text
    name,
    status as vendor_status,
    conclusion as vendor_conclusion,
    url,
    -- times, UTC
    {{ utc('started_at') }} as started_at,
    {{ utc('completed_at') }} as completed_at
from source
where deleted_at is null
