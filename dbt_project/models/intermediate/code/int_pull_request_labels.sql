select distinct
    pull_requests.pull_request_id,
    labels.label
from {{ ref('int_pull_request_labels_unioned') }} as labels
inner join {{ ref('int_pull_requests') }} as pull_requests
    on labels.connection = pull_requests.connection and labels.pull_request_key = pull_requests.source_key
