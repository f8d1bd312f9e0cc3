select
    connection,
    'github' as source,
    repository_key,
    sha,
    path
from {{ ref('stg_github__commit_files') }}
