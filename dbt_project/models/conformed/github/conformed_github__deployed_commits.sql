select
    connection,
    'github' as source,
    repository_key,
    sha,
    parent_shas,
    message,
    committed_at
from {{ ref('stg_github__deployed_commits') }}
