with source as (select * from {{ source('github', 'pull_request_comments') }})

select
    -- ids
    {{ connection_of('github') }} as connection,
    id as comment_key,
    pull_request_id as pull_request_key,
    repository_id as repository_key,
    author_id as author_key,
    -- text
    {{ account('author_login') }} as author_login,
    author_type,
    author_name,
    author_avatar_url,
    body,
    -- times, UTC
    {{ utc('created_at') }} as created_at,
    {{ utc('updated_at') }} as updated_at
from source
