with chosen as (
    select
        *,
        -- what is still running comes after all that has ended
        case when status = 'in_progress' then 'infinity'::timestamp else coalesce(finished_at, started_at) end as ended_at
    from {{ ref('int_deployments_chosen') }}
),

traces as (select * from {{ ref('int_deployments_traced') }}),

settings as (select * from {{ ref('int_repository_settings') }}),

ordered as (
    select
        *,
        last_value(case when status = 'success' then deployment_id end ignore nulls) over before_it as previous_deployment_id,
        last_value(case when status = 'success' then sha end ignore nulls) over before_it as running_sha,
        row_number() over (
            partition by service, environment, source, status order by ended_at, started_at, deployment_id
        ) as ordinal_of_source
    from chosen
    window before_it as (
        partition by service, environment
        order by ended_at, started_at, deployment_id
        rows between unbounded preceding and 1 preceding
    )
),

shipped_elsewhere as (
    -- deployments whose sha went to another production environment of the service before
    select later.deployment_id
    from ordered as later
    inner join ordered as earlier
        on earlier.service = later.service
        and earlier.sha = later.sha
        and earlier.environment <> later.environment
        and (earlier.finished_at, earlier.started_at, earlier.deployment_id)
        < (later.finished_at, later.started_at, later.deployment_id)
    where
        earlier.is_production and earlier.status = 'success'
        and later.is_production and later.status = 'success'
),

judged as (
    select
        ordered.*,
        case when ordered.sha is not null then traces.is_sha_known end as is_sha_known,
        traces.rolls_back_deployment_id,
        settings.count_redeploys,
        ordered.status = 'success' and ordered.is_production as is_delivered,
        traces.rolls_back_deployment_id is not null as is_rollback,
        ordered.status = 'success'
        and traces.rolls_back_deployment_id is null
        and (
            coalesce(ordered.sha = ordered.running_sha, false)
            or ordered.deployment_id in (select deployment_id from shipped_elsewhere)
        ) as is_redeploy,
        -- what ran before it is not known: nothing did, or the provider no longer has it
        ordered.status = 'success'
        and (
            ordered.previous_deployment_id is null
            or (ordered.source = 'workflow_run' and ordered.is_history_cut and ordered.ordinal_of_source = 1)
        ) as is_baseline
    from ordered
    left join traces using (deployment_id)
    inner join settings using (repository_id)
),

counted as (
    select *, is_delivered and (not is_redeploy or count_redeploys) as is_counted
    from judged
)

select
    deployment_id,
    source_key,
    repository_id,
    service,
    environment,
    is_production,
    source,
    rule,
    status,
    sha,
    is_sha_known,
    ref,
    url,
    run_id,
    started_at,
    finished_at,
    previous_deployment_id,
    rolls_back_deployment_id,
    is_baseline,
    is_redeploy,
    is_rollback,
    is_delivered,
    is_counted,
    -- a re-deploy stands for the deployment that brought its sha: failures are of that one
    case
        when is_counted then deployment_id
        when is_delivered
            then last_value(case when is_counted then deployment_id end ignore nulls) over (
                partition by service, sha order by {{ order_of_finish() }} rows unbounded preceding
            )
    end as counted_deployment_id
from counted
