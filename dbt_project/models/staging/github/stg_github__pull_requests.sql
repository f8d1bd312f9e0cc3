with source as (select * from {{ source('github', 'pull_requests') }})

select
    -- ids
    {{ connection_of('github') }} as connection,
    id as pull_request_key,
    repository_id as repository_key,
    author_id as author_key,
    head_repository_id as head_repository_key,
    -- text
    title,
    body,
    url,
    state as vendor_state,
    {{ account('author_login') }} as author_login,
    author_type,
    author_name,
    author_avatar_url,
    base_ref_name as base_branch,
    head_ref_name as head_branch,
    head_sha,
    merge_commit_sha,
    -- numbers
    database_id,
    number,
    additions,
    deletions,
    changed_files,
    commit_count,
    -- booleans
    is_draft,
    is_cross_repository,
    -- times, UTC
    {{ utc('created_at') }} as created_at,
    {{ utc('updated_at') }} as updated_at,
    {{ utc('merged_at') }} as merged_at,
    {{ utc('closed_at') }} as closed_at
from source
where deleted_at is null
