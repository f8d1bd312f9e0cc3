with source as (select * from {{ source('github', 'issues') }})

select
    -- ids
    {{ connection_of('github') }} as connection,
    id as issue_key,
    repository_id as repository_key,
    author_id as author_key,
    -- text
    title,
    body as description,
    url,
    state as vendor_state,
    state_reason,
    {{ account('author_login') }} as author_login,
    author_type,
    author_name,
    author_avatar_url,
    {{ account('assignee_login') }} as assignee_login,
    -- numbers
    database_id,
    number,
    -- times, UTC
    {{ utc('created_at') }} as created_at,
    {{ utc('updated_at') }} as updated_at,
    {{ utc('closed_at') }} as closed_at
from source
where deleted_at is null
