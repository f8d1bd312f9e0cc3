with attempts as (select * from {{ ref('int_pipeline_attempts_of_production') }}),

jobs as (
    select *, status is not null and not is_of_earlier_attempt as has_run
    from {{ ref('int_pipeline_jobs') }}
),

services as (select * from {{ ref('int_services') }}),

rules as (select * from {{ ref('int_service_rules') }}),

records as (
    select records.run_id, environments.*
    from {{ ref('int_deployment_records') }} as records
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

-- Jobs whose names a service's patterns find: of job rules, which decide alone; and of its workflows' rules, by which a
-- further attempt is told.
job_names as (
    select services.service, names.name, names.repository_id,
        min(rules.rule) filter (where rules.kind = 'job') as job_rule,
        bool_or(rules.kind = 'workflow') and not bool_or(rules.kind = 'exclude') as is_like_workflow
    from (select distinct repository_id, name from jobs) as names
    inner join services using (repository_id)
    inner join rules
        on rules.service = services.service and rules.kind in ('job', 'workflow', 'exclude')
    where {{ found_by('names.name', 'rules') }}
    group by all
),

by_job as (
    select
        job_names.service,
        jobs.attempt_id,
        min(job_names.job_rule) as rule,
        min(jobs.name) as deploys_by,
        case
            when bool_or(jobs.status = 'failure') then 'failure'
            when bool_or(jobs.status = 'in_progress') then 'in_progress'
            when bool_or(jobs.status = 'cancelled') then 'cancelled'
            else 'success'
        end as status,
        min(jobs.started_at) as started_at,
        max(jobs.finished_at) as finished_at
    from jobs
    inner join job_names using (repository_id, name)
    where jobs.has_run and job_names.job_rule is not null
    group by job_names.service, jobs.attempt_id
),

runs_by_job as (
    select job_names.service, jobs.run_id
    from jobs
    inner join job_names using (repository_id, name)
    where job_names.job_rule is not null
),

-- further attempts whose jobs are known: those that it ran, and all that it or an earlier attempt ran
again as (
    select
        attempts.attempt_id,
        attempts.run_id,
        attempts.repository_id,
        attempts.attempt_number,
        list(distinct jobs.name) filter (where jobs.has_run and jobs.attempt_id = attempts.attempt_id) as names_again,
        list(distinct jobs.name) filter (where jobs.status is not null) as names
    from attempts
    inner join jobs on jobs.run_id = attempts.run_id and jobs.attempt_number <= attempts.attempt_number
    where attempts.attempt_number > 1
    group by all
    having bool_or(jobs.attempt_id = attempts.attempt_id)
),

-- of these, those that deployed nothing: some other job was run again after the deployment had succeeded
idle as (
    select services.service, again.attempt_id
    from again
    inner join services using (repository_id)
    left join (
        select service, list(name) as names from job_names where is_like_workflow group by service
    ) as deploying on deploying.service = services.service
    left join attempts as earlier on earlier.run_id = again.run_id and earlier.attempt_number < again.attempt_number
    group by all
    having
        not list_has_all(coalesce(any_value(again.names_again), []), any_value(again.names))
        and not coalesce(list_has_any(any_value(again.names_again), any_value(deploying.names)), false)
        and case
            when list_has_any(any_value(again.names), any_value(deploying.names))
                then bool_or(earlier.status = 'success')
            else bool_or(earlier.status = 'success' and earlier.attempt_number = again.attempt_number - 1)
        end
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
    anti join runs_by_job on runs_by_job.service = deploying.service and runs_by_job.run_id = attempts.run_id
    anti join idle on idle.service = deploying.service and idle.attempt_id = attempts.attempt_id
    where
        attempts.status is not null
        -- a run whose every job was skipped did nothing, whatever it concluded
        and attempts.attempt_id not in (
            select attempt_id from jobs group by attempt_id having bool_and(status is null)
        )
),

rolling_back as (
    select attempt_id from jobs group by attempt_id having bool_or(has_run and {{ says_rollback('name') }})
),

deploying as (
    select * from by_workflow
    union all by name
    select
        by_job.* replace (concat_ws(' ', by_job.deploys_by, workflows.workflow_name, workflows.file_name) as deploys_by)
    from by_job
    inner join attempts using (attempt_id)
    left join deploying_workflows as workflows
        on workflows.service = by_job.service
        and workflows.repository_id = attempts.repository_id
        and workflows.workflow_name is not distinct from attempts.workflow_name
        and workflows.workflow_path is not distinct from attempts.workflow_path
),

placed as (
    -- A run that made deployments went where they say; the service's own and production come first.
    select
        deploying.*,
        attempts.repository_id,
        attempts.run_id,
        attempts.sha,
        attempts.ref,
        attempts.url,
        attempts.is_on_tag,
        attempts.is_history_cut,
        coalesce(attempts.workflow_path, attempts.workflow_name) as workflow,
        coalesce({{ says_rollback("concat_ws(' ', attempts.workflow_name, attempts.workflow_path)") }}, false)
        or attempts.attempt_id in (select attempt_id from rolling_back) as is_rollback_by_name,
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
    {{ kind_of_run('placed.deploys_by') }} as kind,
    placed.rule,
    placed.status,
    placed.sha,
    placed.ref,
    placed.url,
    placed.run_id,
    placed.is_history_cut,
    placed.workflow,
    placed.is_rollback_by_name,
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
