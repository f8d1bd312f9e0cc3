with failures as (
    select evidence_id as issue_id, min(deployment_id) as deployment_id, max(resolved_at) as restored_at
    from {{ ref('int_deployment_failures') }}
    where evidence = 'incident' and counts
    group by evidence_id
),

incidents as (
    select
        incidents.*,
        failures.deployment_id,
        case
            when failures.deployment_id is not null then failures.restored_at
            when incidents.has_fix then incidents.fixed_at
            else incidents.completed_at
        end as resolved_at
    from {{ ref('int_incidents') }} as incidents
    left join failures using (issue_id)
)

select
    incidents.issue_id as incident_id,
    {{ provider_key('incidents.source_key', 'incidents.issue_id') }} as source_key,
    {{ connection_in('incidents.issue_id') }} as connection,
    incidents.source,
    incidents.title,
    incidents.url,
    incidents.team,
    incidents.repository_id,
    incidents.service,
    incidents.service_found_by,
    incidents.rule,
    incidents.cause_pull_request_id,
    incidents.fix_pull_request_id,
    incidents.deployment_id,
    incidents.fix_deployment_id,
    incidents.created_at,
    incidents.resolved_at,
    {{ hours_between('incidents.created_at', 'incidents.resolved_at') }} as time_to_restore_hours
from incidents
