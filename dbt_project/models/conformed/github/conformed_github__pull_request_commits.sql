select
    connection,
    'github' as source,
    pull_request_key,
    repository_key,
    sha,
    position,
    parent_shas,
    message,
    {{ handle('author_login', 'author_type', 'author_name', 'author_email') }} as author_handle,
    authored_at,
    committed_at
from {{ ref('stg_github__pull_request_commits') }}
