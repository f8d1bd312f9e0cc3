select distinct
    pull_requests.pull_request_id,
    events.event,
    events.occurred_at
from {{ ref('int_pull_request_draft_events_unioned') }} as events
inner join {{ ref('int_pull_requests') }} as pull_requests
    on events.connection = pull_requests.connection and events.pull_request_key = pull_requests.source_key
