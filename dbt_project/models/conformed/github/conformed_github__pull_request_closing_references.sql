select
    connection,
    'github' as source,
    pull_request_key,
    issue_key,
    issue_repository || '#' || issue_number as issue_name
from {{ ref('stg_github__pull_request_closing_references') }}
