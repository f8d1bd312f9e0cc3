select
    connection,
    'github' as source,
    pull_request_key as source_key,
    repository_key,
    '#' || number as reference,
    number,
    title,
    body,
    url,
    {{ handle('author_login', 'author_type') }} as author_handle,
    vendor_state,
    case
        when merged_at is not null then 'merged'
        when closed_at is not null or vendor_state = 'CLOSED' then 'closed'
        else 'open'
    end as state,
    is_draft,
    base_branch,
    head_branch,
    head_sha,
    is_cross_repository,
    -- closed ones can have a test merge here, and were not merged
    case when merged_at is not null then merge_commit_sha end as merge_commit_sha,
    additions,
    deletions,
    changed_files,
    commit_count,
    created_at,
    updated_at,
    merged_at,
    closed_at
from {{ ref('stg_github__pull_requests') }}
