select
    connection,
    'github' as source,
    pull_request_key,
    label
from {{ ref('stg_github__pull_request_labels') }}
