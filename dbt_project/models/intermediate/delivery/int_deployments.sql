with services as (select * from {{ ref('int_services') }}),

traces as (select * from {{ ref('int_deployments_traced') }}),

settings as (select * from {{ ref('int_repository_settings') }}),

candidates as (
    select
        chosen.*,
        services.is_told_by_paths,
        chosen.status = 'success' and chosen.is_production and chosen.finished_at is not null as is_delivered,
        -- what is still running comes after all that has ended
        case
            when chosen.status = 'in_progress' then 'infinity'::timestamp
            else coalesce(chosen.finished_at, chosen.started_at)
        end as ended_at,
        -- services that are told by paths alone share their repository's deployments, and its baseline
        case when services.is_told_by_paths then chosen.repository_id else chosen.service end as deployed_as,
        case when services.is_told_by_paths then chosen.source_key else chosen.deployment_id end as deployed_by
    from {{ ref('int_deployments_chosen') }} as chosen
    inner join services using (service)
),

baselines as (
    -- what ran before it is not known: nothing did, or the provider no longer had it when it was read first
    select
        deployment_id,
        rank() over (partition by deployed_as order by finished_at, started_at, deployed_by) = 1
        or (
            source = 'workflow_run'
            and is_history_cut
            and rank() over (partition by deployed_as, source order by finished_at, started_at, deployed_by) = 1
        ) as is_baseline
    from candidates
    where is_delivered
),

shas_of_changes as (
    select change_services.service, shas.sha
    from {{ ref('int_pull_request_shas') }} as shas
    inner join {{ ref('int_change_services') }} as change_services on change_services.change_id = shas.pull_request_id
    union
    select change_services.service, commits.sha
    from {{ ref('int_commits') }} as commits
    inner join {{ ref('int_change_services') }} as change_services
        on change_services.change_id = commits.repository_id || '@' || commits.sha
),

moving as (
    -- of services that are told by paths, the deployments that moved one of their changes
    select moved.deployment_id
    from (
        select candidates.service, candidates.repository_id, traces.deployment_id, unnest(traces.moved_shas) as sha
        from traces
        inner join candidates using (deployment_id)
    ) as moved
    left join {{ ref('int_cherry_picks') }} as cherry_picks using (repository_id, sha)
    inner join shas_of_changes
        on shas_of_changes.service = moved.service
        and shas_of_changes.sha in (moved.sha, cherry_picks.original_sha)
    group by moved.deployment_id
),

ordered as (
    select
        *,
        last_value(case when status = 'success' then deployment_id end ignore nulls) over before_it as previous_deployment_id,
        last_value(case when status = 'success' then sha end ignore nulls) over before_it as running_sha
    from candidates
    where
        not is_told_by_paths
        -- an attempt that did not succeed, and one that does not say its sha, cannot be told so
        or not is_delivered
        or sha is null
        or deployment_id in (select deployment_id from moving)
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
    where earlier.is_delivered and later.is_delivered
),

judged as (
    select
        ordered.*,
        case when ordered.sha is not null then traces.is_sha_known end as is_sha_known,
        case
            when traces.rolls_back_deployment_id in (select deployment_id from ordered) then traces.rolls_back_deployment_id
            -- what ran was not of this service, which goes back all the same
            when traces.rolls_back_deployment_id is not null then ordered.previous_deployment_id
        end as rolls_back_deployment_id,
        settings.count_redeploys,
        traces.rolls_back_deployment_id is not null as is_rollback,
        ordered.status = 'success'
        and ordered.finished_at is not null
        and traces.rolls_back_deployment_id is null
        and (
            coalesce(ordered.sha = ordered.running_sha, false)
            or ordered.deployment_id in (select deployment_id from shipped_elsewhere)
        ) as is_redeploy,
        coalesce(baselines.is_baseline, false) as is_baseline
    from ordered
    left join traces using (deployment_id)
    left join baselines using (deployment_id)
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
