select
    connection,
    'github' as source,
    pull_request_key,
    lower(event) as event,
    occurred_at
from {{ ref('stg_github__pull_request_draft_events') }}
