-- Incidents, the open ones first.
select
    incidents.incident_id,
    incidents.title,
    web_address(incidents.url) as url,
    short_name(incidents.service) as service,
    time_text(incidents.created_at) as created_at,
    time_text(incidents.resolved_at) as resolved_at,
    case when incidents.resolved_at is null then 'open' else duration_text(incidents.time_to_restore_hours) end as took,
    coalesce(left(deployments.sha, 7), deployments.ref) as deployed,
    web_address(deployments.url) as deployment_url,
    incidents.cause_pull_request_id,
    incidents.fix_pull_request_id
from (select 1) as always
left join marts.fct_incidents as incidents on true
left join marts.fct_deployments as deployments on incidents.deployment_id = deployments.deployment_id
order by incidents.resolved_at is not null, incidents.created_at desc, incidents.incident_id
