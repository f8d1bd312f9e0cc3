select distinct
    pull_requests.pull_request_id,
    lower(github.event) as event,
    github.occurred_at
from {{ ref('stg_github__pull_request_draft_events') }} as github
inner join {{ ref('int_pull_requests_unioned') }} as pull_requests
    on github.pull_request_key = pull_requests.source_key
