select
    connection,
    'github' as source,
    repository_key as source_key,
    name,
    configured_as,
    url,
    description,
    default_branch,
    default_branch_head_sha,
    is_archived,
    is_fork,
    is_private,
    created_at
from {{ ref('stg_github__repositories') }}
