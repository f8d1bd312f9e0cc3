select
    repository_id,
    {{ provider_key('source_key', 'repository_id') }} as source_key,
    {{ connection_in('repository_id') }} as connection,
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
from {{ ref('int_repositories') }}
