with records as (select * from {{ ref('int_deployment_records') }}),

services as (select * from {{ ref('int_services') }}),

rules as (select * from {{ ref('int_service_rules') }}),

runs as (select distinct service, run_id from {{ ref('int_deployments_from_runs') }}),

workflows as (
    select
        run_id,
        any_value(coalesce(workflow_path, workflow_name)) as workflow,
        bool_or({{ says_rollback("concat_ws(' ', workflow_name, workflow_path)") }}) as is_rollback_by_name
    from {{ ref('int_pipeline_attempts') }}
    group by run_id
)

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
    workflows.workflow,
    coalesce(workflows.is_rollback_by_name, false) as is_rollback_by_name,
    records.started_at,
    records.finished_at
from records
inner join services using (repository_id)
inner join {{ ref('int_environments') }} as environments
    on environments.service = services.service and environments.environment = records.environment
left join runs on runs.service = services.service and runs.run_id = records.run_id
left join workflows on workflows.run_id = records.run_id
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
