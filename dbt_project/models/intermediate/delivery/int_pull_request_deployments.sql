select
    pull_request_id,
    deployment_id,
    deployed_at,
    in_baseline as deployed_in_baseline,
    match_method
from {{ ref('int_shipped_changes') }}
where is_first and change_type = 'pull_request'
