with issues as (
    select issues.*, classified.incident_rule
    from {{ ref('int_issues_unioned') }} as issues
    inner join {{ ref('int_issues_classified') }} as classified using (issue_id)
    where classified.is_incident and not issues.is_duplicate
),

services as (select * from {{ ref('int_services') }}),

links as (
    select
        links.issue_id,
        links.pull_request_id,
        pull_requests.merged_at,
        pull_requests.merged_at < issues.created_at as is_cause
    from {{ ref('int_pull_requests_linked_to_issues') }} as links
    inner join {{ ref('int_pull_requests_unioned') }} as pull_requests using (pull_request_id)
    inner join issues using (issue_id)
    where links.is_counted
),

causes_and_fixes as (
    -- the last merge before it, and the first one after
    select
        issue_id,
        arg_max(pull_request_id, (merged_at, pull_request_id)) filter (where is_cause) as cause_pull_request_id,
        arg_min(pull_request_id, (merged_at, pull_request_id)) filter (where not is_cause) as fix_pull_request_id
    from links
    group by issue_id
),

services_of_links as (
    -- a change to several services says nothing about which one broke, unless one alone is left
    select
        issue_id,
        any_value(service) filter (where is_cause) as cause_service,
        count(distinct service) filter (where is_cause) as cause_service_count,
        any_value(service) filter (where not is_cause) as fix_service,
        count(distinct service) filter (where not is_cause) as fix_service_count
    from (
        select issue_id, cause_pull_request_id as change_id, true as is_cause from causes_and_fixes
        union all
        select issue_id, fix_pull_request_id, false from causes_and_fixes
    )
    inner join {{ ref('int_change_services') }} using (change_id)
    group by issue_id
),

services_of_labels as (
    select labels.issue_id, any_value(services.service) as service
    from {{ ref('int_issue_labels_unioned') }} as labels
    inner join services
        on lower(labels.label) in (
            lower(services.service_name),
            case when services.service_name is null then lower(services.repository_name) end,
            case when services.service_name is null then lower(split_part(services.repository_name, '/', 2)) end
        )
    group by labels.issue_id
    having count(distinct services.service) = 1
),

services_of_trackers as (
    -- the tracker's only service: of the team whose Linear team it is, or of the repository whose issue it is
    select issues.issue_id, any_value(owned.service) as service
    from issues
    inner join (
        select linear_teams.team_key as tracker, team_services.service
        from {{ source('config', 'team_linear_teams') }} as linear_teams
        inner join {{ ref('int_team_services') }} as team_services using (team)
        union all
        select repository_id, service from services
    ) as owned
        on lower(owned.tracker) = lower(coalesce(issues.repository_id, issues.team))
    group by issues.issue_id
    having count(distinct owned.service) = 1
),

placed as (
    select
        issues.*,
        causes_and_fixes.cause_pull_request_id,
        causes_and_fixes.fix_pull_request_id,
        coalesce(
            case when of_links.cause_service_count = 1 then of_links.cause_service end,
            case when of_links.fix_service_count = 1 then of_links.fix_service end,
            of_labels.service,
            of_trackers.service
        ) as service,
        case
            when of_links.cause_service_count = 1 then 'cause'
            when of_links.fix_service_count = 1 then 'fix'
            when of_labels.service is not null then 'label'
            when of_trackers.service is not null then 'tracker'
        end as service_found_by
    from issues
    left join causes_and_fixes using (issue_id)
    left join services_of_links as of_links using (issue_id)
    left join services_of_labels as of_labels using (issue_id)
    left join services_of_trackers as of_trackers using (issue_id)
),

shipments as (
    select * from {{ ref('int_shipped_changes') }} where change_type = 'pull_request'
),

cause_deployments as (
    select
        placed.issue_id,
        arg_min(shipments.deployment_id, (shipments.deployed_at, shipments.deployment_id)) as deployment_id
    from placed
    inner join shipments
        on shipments.pull_request_id = placed.cause_pull_request_id
        and shipments.deployed_at <= placed.created_at
        and (placed.service is null or shipments.service = placed.service)
    group by placed.issue_id
),

fix_deployments as (
    select
        placed.issue_id,
        arg_min(shipments.deployment_id, (shipments.deployed_at, shipments.deployment_id)) as deployment_id
    from placed
    inner join shipments
        on shipments.pull_request_id = placed.fix_pull_request_id
        and (placed.service is null or shipments.service = placed.service)
    group by placed.issue_id
),

latest_deployments as (
    select placed.issue_id, deployments.deployment_id, deployments.finished_at
    from placed
    asof join (
        select * from {{ ref('int_deployments') }} where is_counted
    ) as deployments
        on deployments.service = placed.service
        and placed.created_at > deployments.finished_at
)

select
    placed.issue_id,
    placed.source_key,
    placed.source,
    placed.title,
    placed.url,
    placed.team,
    coalesce(services.repository_id, placed.repository_id) as repository_id,
    placed.service,
    placed.service_found_by,
    placed.incident_rule as rule,
    placed.cause_pull_request_id,
    placed.fix_pull_request_id,
    -- what it fails: its cause's deployment, else the latest of its service that is recent enough
    coalesce(causes.deployment_id, latest.deployment_id) as suspect_deployment_id,
    causes.deployment_id is not null as is_suspect_by_cause,
    fixes.deployment_id as fix_deployment_id,
    placed.created_at,
    placed.completed_at as resolved_at
from placed
left join services using (service)
left join cause_deployments as causes using (issue_id)
left join latest_deployments as latest using (issue_id)
left join fix_deployments as fixes using (issue_id)
