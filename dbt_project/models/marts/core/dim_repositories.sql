select
    repository_id,
    source_key,
    source,
    name,
    url,
    description,
    default_branch,
    configured_as,
    is_archived,
    is_fork,
    is_private,
    is_removed,
    created_at
from {{ ref('int_repositories_unioned') }}
