with attempts as (select * from {{ ref('int_pipeline_attempts_of_production') }}),

jobs as (select * from {{ ref('int_pipeline_jobs_unioned') }}),

services as (select * from {{ ref('int_services') }}),

rules as (select * from {{ ref('int_service_rules') }}),

records as (
    select records.run_id, environments.*
    from {{ ref('int_deployment_records_unioned') }} as records
    inner join {{ ref('int_environments') }} as environments using (repository_id, environment)
),

workflows as (
    select distinct repository_id, workflow_name, workflow_path, split_part(workflow_path, '/', -1) as file_name
    from attempts
),

deploying_workflows as (
    select services.service, workflows.*, min(rules.rule) as rule
    from workflows
    inner join services using (repository_id)
    inner join rules on rules.service = services.service and rules.kind in ('workflow', 'exclude')
    where {{ found_by('workflows.workflow_name', 'rules') }} or {{ found_by('workflows.file_name', 'rules') }}
    group by all
    having bool_and(rules.kind = 'workflow')
),

by_workflow as (
    select
        deploying.service,
        attempts.attempt_id,
        deploying.rule,
        deploying.workflow_name || ' ' || coalesce(deploying.file_name, '') as deploys_by,
        attempts.status,
        attempts.started_at,
        attempts.finished_at
    from attempts
    inner join deploying_workflows as deploying
        on deploying.repository_id = attempts.repository_id
        and deploying.workflow_name is not distinct from attempts.workflow_name
        and deploying.workflow_path is not distinct from attempts.workflow_path
    where
        attempts.status is not null
        -- a run whose every job was skipped did nothing, whatever it concluded
        and attempts.attempt_id not in (
            select attempt_id from jobs group by attempt_id having bool_and(status is null)
        )
),

by_job as (
    select
        rules.service,
        attempts.attempt_id,
        min(rules.rule) as rule,
        min(jobs.name) as deploys_by,
        case
            when bool_or(jobs.status = 'failure') then 'failure'
            when bool_or(jobs.status = 'in_progress') then 'in_progress'
            when bool_or(jobs.status = 'cancelled') then 'cancelled'
            else 'success'
        end as status,
        min(jobs.started_at) as started_at,
        max(jobs.finished_at) as finished_at
    from attempts
    inner join jobs on jobs.attempt_id = attempts.attempt_id
    inner join rules
        on rules.repository_id = attempts.repository_id
        and rules.kind = 'job'
        and {{ found_by('jobs.name', 'rules') }}
    where jobs.status is not null
    group by all
),

deploying as (
    select * from by_workflow
    union all by name
    select by_job.*
    from by_job
    anti join by_workflow using (service, attempt_id)
),

placed as (
    -- A run that made GitHub Deployments went where they say; the service's own and production come first.
    select
        deploying.*,
        attempts.repository_id,
        attempts.run_id,
        attempts.sha,
        attempts.ref,
        attempts.url,
        attempts.is_on_tag,
        attempts.is_history_cut,
        records.environment,
        records.is_production,
        records.is_own
    from deploying
    inner join attempts using (attempt_id)
    left join records on records.run_id = attempts.run_id and records.service = deploying.service
    qualify row_number() over (
        partition by deploying.service, deploying.attempt_id
        order by records.is_own desc nulls last, records.is_production desc nulls last, records.environment
    ) = 1
)

select
    placed.service || substr(placed.attempt_id, length(placed.repository_id) + 1) as deployment_id,
    placed.attempt_id as source_key,
    placed.repository_id,
    placed.service,
    coalesce(placed.environment, 'production') as environment,
    coalesce(placed.is_production, true) as is_production,
    'workflow_run' as source,
    case when contains(lower(placed.deploys_by), 'deploy') then 'named_runs' else 'other_runs' end as kind,
    placed.rule,
    placed.status,
    placed.sha,
    placed.ref,
    placed.url,
    placed.run_id,
    placed.is_history_cut,
    placed.started_at,
    case when placed.status <> 'in_progress' then placed.finished_at end as finished_at
from placed
inner join services on services.service = placed.service
where
    -- a service that is told by its environments or tags takes only the runs that name them
    services.has_own_runs
    or (
        (not services.has_own_environments or placed.is_own)
        and (
            not services.has_own_tags
            or (
                placed.is_on_tag
                and exists (
                    select 1 from rules
                    where rules.service = services.service and rules.kind = 'tag' and {{ found_by('placed.ref', 'rules') }}
                )
            )
        )
    )
