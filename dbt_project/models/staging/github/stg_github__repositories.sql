with source as (select * from {{ source('github', 'repositories') }})

select
    -- ids
    {{ connection_of('github') }} as connection,
    id as repository_key,
    -- text
    name_with_owner as name,
    configured_as,
    url,
    description,
    default_branch,
    default_branch_head_sha,
    -- numbers
    database_id,
    -- booleans
    is_archived,
    is_fork,
    is_private,
    -- times, UTC
    {{ utc('created_at') }} as created_at,
    {{ utc('updated_at') }} as updated_at,
    {{ utc('pushed_at') }} as pushed_at
from source
