select
    shipped.deployment_id,
    shipped.repository_id,
    shipped.service,
    shipped.environment,
    shipped.change_id,
    shipped.change_type,
    shipped.pull_request_id,
    shipped.commit_sha,
    shipped.match_method,
    shipped.in_baseline,
    shipped.is_bot,
    shipped.first_commit_at,
    shipped.merged_at,
    shipped.deployed_at,
    -- what a baseline contains was shipped at a time unknown
    case when not shipped.in_baseline then {{ hours_between('shipped.first_commit_at', 'shipped.deployed_at') }} end as lead_time_hours
from {{ ref('int_shipped_changes') }} as shipped
where shipped.is_first_of_service and not shipped.is_carrier
