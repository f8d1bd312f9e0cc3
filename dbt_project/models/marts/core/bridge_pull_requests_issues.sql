select
    pull_request_id,
    issue_id,
    link_method,
    is_closing,
    confidence,
    is_counted,
    evidence
from {{ ref('int_pull_requests_linked_to_issues') }}
