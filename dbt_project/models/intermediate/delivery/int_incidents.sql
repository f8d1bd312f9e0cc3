-- A link that closes an incident is its fix, whenever either was written, and so is one that its own text calls so. Another
-- pull request that was merged before it began is its cause: best one that the text names, then one that had reached
-- production, then the last. One that was merged after it began is a fix too.
with issues as (
    select issues.*, classified.incident_rule
    from {{ ref('int_issues') }} as issues
    inner join {{ ref('int_issues_classified') }} as classified using (issue_id)
    where classified.is_incident and not issues.is_duplicate
),

services as (select * from {{ ref('int_services') }}),

deployments as (select * from {{ ref('int_deployments') }}),

shipments as (
    select shipped.pull_request_id, shipped.service, shipped.deployment_id, shipped.deployed_at, deployments.started_at
    from {{ ref('int_shipped_changes') }} as shipped
    inner join deployments using (deployment_id)
    where shipped.change_type = 'pull_request'
),

pull_requests as (
    select
        pull_requests.pull_request_id,
        pull_requests.merged_at,
        names.connection,
        names.host,
        names.name,
        pull_requests.number
    from {{ ref('int_pull_requests') }} as pull_requests
    left join {{ ref('int_repository_names') }} as names using (repository_id)
    where pull_requests.merged_at is not null
),

texts as (
    select
        issues.issue_id,
        lower(repositories.name) as repository,
        repositories.connection,
        {{ pull_request_text("concat_ws(chr(10), issues.title, issues.description)") }} as text
    from issues
    left join {{ ref('int_repositories') }} as repositories using (repository_id)
),

mentions as (
    select issue_id, repository, connection, 'cause' as kind, unnest({{ pull_requests_after('text', causing_words()) }}) as reference
    from texts
    union all
    select issue_id, repository, connection, 'fix', unnest({{ pull_requests_after('text', fixing_words()) }})
    from texts
    union all
    select issue_id, repository, connection, 'link', unnest({{ pull_request_addresses('text') }})
    from texts
),

links as (
    select issue_id, pull_request_id, case when is_closing then 'fix' else 'link' end as kind
    from {{ ref('int_pull_requests_linked_to_issues') }}
    where is_counted
    union all
    select mentions.issue_id, pull_requests.pull_request_id, mentions.kind
    from mentions
    inner join pull_requests
        on case when starts_with(mentions.reference, '#') then mentions.repository || mentions.reference else mentions.reference end
        in (
            lower(pull_requests.name) || '#' || pull_requests.number,
            pull_requests.host || '/' || lower(pull_requests.name) || '#' || pull_requests.number
        )
        -- a name without its host means the connection where it is written
        and (mentions.reference like '%/%/%' or mentions.connection is null or mentions.connection = pull_requests.connection)
),

linked as (
    select
        links.issue_id,
        links.pull_request_id,
        any_value(pull_requests.merged_at) as merged_at,
        bool_or(links.kind = 'cause') as is_named_cause,
        not bool_or(links.kind = 'fix') and any_value(pull_requests.merged_at) < any_value(issues.created_at) as is_cause,
        exists (
            select 1 from shipments
            where shipments.pull_request_id = links.pull_request_id and shipments.started_at <= any_value(issues.created_at)
        ) as had_shipped
    from links
    inner join pull_requests using (pull_request_id)
    inner join issues using (issue_id)
    group by links.issue_id, links.pull_request_id
),

causes as (
    select issue_id, arg_max(pull_request_id, (is_named_cause, had_shipped, merged_at, pull_request_id)) as pull_request_id
    from linked
    where is_cause
    group by issue_id
),

services_of_links as (
    -- a change to several services says nothing about which one broke, unless one alone is left
    select links.issue_id, links.is_cause, any_value(change_services.service) as service
    from (
        select issue_id, pull_request_id, true as is_cause from causes
        union all
        select issue_id, arg_min(pull_request_id, (merged_at, pull_request_id)), false
        from linked
        where not is_cause
        group by issue_id
    ) as links
    inner join {{ ref('int_change_services') }} as change_services on change_services.change_id = links.pull_request_id
    group by links.issue_id, links.is_cause
    having count(distinct change_services.service) = 1
),

names_of_services as (
    select
        services.service,
        unnest(case
            when services.service_name is not null then [services.service_name]
            else [services.repository_name, split_part(services.repository_name, '/', 2)]
        end) as name
    from services
),

services_of_labels as (
    select labels.issue_id, any_value(names_of_services.service) as service
    from {{ ref('int_issue_labels') }} as labels
    inner join names_of_services on lower(names_of_services.name) = lower(labels.label)
    group by labels.issue_id
    having count(distinct names_of_services.service) = 1
),

services_of_trackers as (
    -- the tracker's only service: of the team whose tracker's team it is, or of the repository whose issue it is
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
        causes.pull_request_id as cause_pull_request_id,
        coalesce(of_causes.service, of_fixes.service, of_labels.service, of_trackers.service) as service,
        case
            when of_causes.service is not null then 'cause'
            when of_fixes.service is not null then 'fix'
            when of_labels.service is not null then 'label'
            when of_trackers.service is not null then 'tracker'
        end as service_found_by
    from issues
    left join causes using (issue_id)
    left join services_of_links as of_causes on of_causes.issue_id = issues.issue_id and of_causes.is_cause
    left join services_of_links as of_fixes on of_fixes.issue_id = issues.issue_id and not of_fixes.is_cause
    left join services_of_labels as of_labels using (issue_id)
    left join services_of_trackers as of_trackers using (issue_id)
),

cause_deployments as (
    select
        placed.issue_id,
        arg_min(shipments.deployment_id, (shipments.deployed_at, shipments.deployment_id)) as deployment_id
    from placed
    inner join shipments
        on shipments.pull_request_id = placed.cause_pull_request_id
        and shipments.started_at <= placed.created_at
        and (placed.service is null or shipments.service = placed.service)
    group by placed.issue_id
),

fixes_shipped as (
    select
        placed.issue_id,
        linked.pull_request_id,
        linked.merged_at,
        min(shipments.deployed_at) as deployed_at,
        arg_min(shipments.deployment_id, (shipments.deployed_at, shipments.deployment_id)) as deployment_id
    from placed
    inner join linked on linked.issue_id = placed.issue_id and not linked.is_cause
    left join shipments
        on shipments.pull_request_id = linked.pull_request_id
        and (placed.service is null or shipments.service = placed.service)
    -- one that went to a place where nothing is ever deployed restores nothing, and cannot be waited for
    where
        linked.pull_request_id in (
            select change_services.change_id
            from {{ ref('int_change_services') }} as change_services
            where change_services.service in (select deployments.service from deployments where deployments.is_delivered)
        )
    group by placed.issue_id, linked.pull_request_id, linked.merged_at
),

fixes as (
    select
        issue_id,
        -- the last of them restored the service, once all have shipped
        case when bool_and(deployed_at is not null) then max(deployed_at) end as restored_at,
        min(deployed_at) as first_deployed_at,
        arg_max(deployment_id, (deployed_at, deployment_id)) as deployment_id,
        list(distinct deployment_id order by deployment_id) filter (where deployment_id is not null) as deployment_ids
    from fixes_shipped
    group by issue_id
),

last_fixes as (
    select
        linked.issue_id,
        arg_max(
            linked.pull_request_id,
            (coalesce(shipped.deployed_at, '-infinity'::timestamp), linked.merged_at, linked.pull_request_id)
        ) as pull_request_id
    from linked
    left join fixes_shipped as shipped using (issue_id, pull_request_id)
    where not linked.is_cause
    group by linked.issue_id
),

latest_deployments as (
    -- what finished before it began, and before its fix was there
    select bounded.issue_id, counted.deployment_id
    from (
        select
            placed.issue_id,
            placed.service,
            least(placed.created_at, fixes.first_deployed_at) as before_at
        from placed
        left join fixes using (issue_id)
    ) as bounded
    asof join (select * from deployments where is_counted) as counted
        on counted.service = bounded.service
        and bounded.before_at > counted.finished_at
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
    last_fixes.pull_request_id as fix_pull_request_id,
    -- what it fails: its cause's deployment, else the latest of its service that is recent enough
    coalesce(causes.deployment_id, latest.deployment_id) as suspect_deployment_id,
    causes.deployment_id is not null as is_suspect_by_cause,
    placed.cause_pull_request_id is not null and causes.deployment_id is null as is_cause_elsewhere,
    fixes.issue_id is not null as has_fix,
    fixes.restored_at as fixed_at,
    fixes.deployment_id as fix_deployment_id,
    fixes.deployment_ids as fix_deployment_ids,
    placed.created_at,
    placed.completed_at
from placed
left join services using (service)
left join cause_deployments as causes using (issue_id)
left join latest_deployments as latest using (issue_id)
left join fixes using (issue_id)
left join last_fixes using (issue_id)
