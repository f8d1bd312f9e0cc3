with source as (select * from {{ source('github', 'deployed_commits') }})

select
    -- ids
    {{ connection_of('github') }} as connection,
    id as commit_key,
    repository_id as repository_key,
    -- text
    sha,
    parent_shas,
    message,
    -- times, UTC
    {{ utc('authored_at') }} as authored_at,
    {{ utc('committed_at') }} as committed_at
from source
