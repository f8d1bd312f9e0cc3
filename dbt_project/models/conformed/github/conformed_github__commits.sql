select
    connection,
    'github' as source,
    repository_key,
    sha,
    parent_shas,
    message,
    url,
    {{ handle('author_login', 'author_type', 'author_name', 'author_email') }} as author_handle,
    additions as lines_added,
    deletions as lines_deleted,
    authored_at,
    committed_at
from {{ ref('stg_github__commits') }}
