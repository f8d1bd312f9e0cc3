with source as (select * from {{ source('github', 'commits') }})

select
    -- ids
    {{ connection_of('github') }} as connection,
    id as commit_key,
    repository_id as repository_key,
    -- text
    sha,
    parent_shas,
    message,
    url,
    {{ account('author_login') }} as author_login,
    author_type,
    author_name,
    author_email,
    -- numbers
    additions,
    deletions,
    -- times, UTC
    {{ utc('authored_at') }} as authored_at,
    {{ utc('committed_at') }} as committed_at
from source
where deleted_at is null
