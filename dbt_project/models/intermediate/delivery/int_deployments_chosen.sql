-- Of all that may be a deployment, the kind that the settings choose; `auto` takes the first kind of the ladder that a
-- service has, and the next one for the time before that kind's first row.
with candidates as (
    select
        deployments.*,
        settings.deployment_source,
        case
            when settings.deployment_source = 'auto'
                then case deployments.kind when 'records' then 1 when 'named_runs' then 2 when 'releases' then 3 when 'other_runs' then 4 end
            when settings.deployment_source = deployments.source || 's' then 1
        end as ladder_rank
    from {{ ref('int_deployment_candidates') }} as deployments
    inner join {{ ref('int_repository_settings') }} as settings using (repository_id)
    cross join {{ ref('int_settings') }} as general
    where
        general.started_at is null
        or coalesce(deployments.finished_at, deployments.started_at) >= general.started_at
        or deployments.status = 'in_progress'
),

kinds as (
    -- What never succeeded is not how a service deploys, if another kind did.
    select service, ladder_rank, min(started_at) as first_started_at
    from candidates
    where ladder_rank is not null and is_production
    group by service, ladder_rank
    qualify bool_or(status = 'success') or not bool_or(bool_or(status = 'success')) over (partition by service)
),

reigns as (
    select
        service,
        ladder_rank,
        min(first_started_at) over (
            partition by service order by ladder_rank rows between unbounded preceding and 1 preceding
        ) as ends_at
    from kinds
),

chosen as (
    select candidates.*
    from candidates
    inner join reigns using (service, ladder_rank)
    where reigns.ends_at is null or candidates.started_at < reigns.ends_at
)

select
    chosen.deployment_id,
    chosen.source_key,
    chosen.repository_id,
    chosen.service,
    chosen.environment,
    chosen.is_production,
    chosen.source,
    coalesce(chosen.rule, 'deployments.source: ' || chosen.deployment_source) as rule,
    chosen.status,
    chosen.sha,
    chosen.ref,
    chosen.url,
    chosen.run_id,
    chosen.workflow,
    coalesce(chosen.is_rollback_by_name, false) as is_rollback_by_name,
    coalesce(chosen.is_history_cut, false) as is_history_cut,
    chosen.started_at,
    chosen.finished_at
from chosen
-- the run that made a deployment which counts itself is not a second one
where
    chosen.source <> 'workflow_run'
    or not exists (
        select 1 from chosen as records
        where records.source = 'deployment' and records.service = chosen.service and records.run_id = chosen.run_id
    )
