select
    connection,
    'github' as source,
    pull_request_key,
    path
from {{ ref('stg_github__pull_request_files') }}
