select
    connection,
    'github' as source,
    repository_key,
    sha,
    pull_request_key,
    '#' || pull_request_number as pull_request_reference
from {{ ref('stg_github__commit_pull_requests') }}
where pull_request_key is not null
