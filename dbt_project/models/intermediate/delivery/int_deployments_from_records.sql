with records as (select * from {{ ref('int_deployment_records_unioned') }}),

services as (select * from {{ ref('int_services') }}),

rules as (select * from {{ ref('int_service_rules') }}),

runs as (select distinct service, run_id from {{ ref('int_deployments_from_runs') }})

select
    services.service || substr(records.record_id, length(records.repository_id) + 1) as deployment_id,
    records.source_key,
    records.repository_id,
    services.service,
    records.environment,
    environments.is_production,
    'deployment' as source,
    'records' as kind,
    environments.rule,
    records.status,
    records.sha,
    records.ref,
    records.url,
    records.run_id,
    records.started_at,
    records.finished_at
from records
inner join services using (repository_id)
inner join {{ ref('int_environments') }} as environments
    on environments.service = services.service and environments.environment = records.environment
left join runs on runs.service = services.service and runs.run_id = records.run_id
where
    case
        when services.has_own_environments then environments.is_own
        when services.has_own_tags
            then exists (
                select 1 from rules
                where rules.service = services.service and rules.kind = 'tag' and {{ found_by('records.ref', 'rules') }}
            )
        when services.has_own_runs then runs.run_id is not null
        else true
    end
