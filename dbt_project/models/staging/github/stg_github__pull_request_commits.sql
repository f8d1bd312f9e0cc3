with source as (select * from {{ source('github', 'pull_request_commits') }})

select
    -- ids
    {{ connection_of('github') }} as connection,
    pull_request_id as pull_request_key,
    repository_id as repository_key,
    -- text
    sha,
    parent_shas,
    message,
    {{ account('author_login') }} as author_login,
    author_type,
    author_name,
    author_email,
    -- numbers
    position,
    -- times, UTC
    {{ utc('authored_at') }} as authored_at,
    {{ utc('committed_at') }} as committed_at
from source
