select distinct
    pull_requests.pull_request_id,
    files.path
from {{ ref('int_pull_request_files_unioned') }} as files
inner join {{ ref('int_pull_requests') }} as pull_requests
    on files.connection = pull_requests.connection and files.pull_request_key = pull_requests.source_key
