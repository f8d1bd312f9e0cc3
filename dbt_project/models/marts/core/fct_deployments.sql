with deployments as (select * from {{ ref('int_deployments') }}),

failures as (
    -- by the earliest of several remedies; with several incidents when the last of them was over
    select
        deployment_id,
        case
            when not bool_or(evidence = 'incident') then min(resolved_at)
            when bool_and(resolved_at is not null) filter (where evidence = 'incident')
                then max(resolved_at) filter (where evidence = 'incident')
        end as recovered_at
    from {{ ref('int_deployment_failures') }}
    where counts
    group by deployment_id
),

fixes as (
    -- what users saw is put right by these; a failed attempt never reached them
    select distinct fix_deployment_id as deployment_id
    from {{ ref('int_deployment_failures') }}
    where is_configured and evidence <> 'deployment_status'
    union
    select deployments.deployment_id
    from (select unnest(fix_deployment_ids) as deployment_id from {{ ref('int_incidents') }}) as incidents
    inner join deployments using (deployment_id)
    inner join {{ ref('int_repository_failure_rules') }} as rules
        on rules.repository_id = deployments.repository_id
        and rules.kind = 'evidence' and rules.pattern = 'incident'
),

changes as (
    select deployment_id, count(*) as change_count
    from {{ ref('int_shipped_changes') }}
    where is_first_of_service and not is_carrier
    group by deployment_id
)

select
    deployments.deployment_id,
    -- of runs it is the id of an attempt, which has the connection in front in any case
    case
        when starts_with(deployments.source_key, deployments.repository_id || '/') then deployments.source_key
        else {{ provider_key('deployments.source_key', 'deployments.deployment_id') }}
    end as source_key,
    {{ connection_in('deployments.deployment_id') }} as connection,
    deployments.repository_id,
    deployments.service,
    deployments.environment,
    deployments.is_production,
    deployments.source,
    deployments.rule,
    deployments.status,
    deployments.sha,
    deployments.is_sha_known,
    coalesce(branches.public_branch, deployments.ref) as ref,
    deployments.url,
    deployments.started_at,
    deployments.finished_at,
    deployments.previous_deployment_id,
    deployments.is_baseline,
    deployments.is_redeploy,
    deployments.is_rollback,
    deployments.is_counted,
    failures.deployment_id is not null as is_failed,
    deployments.is_delivered and fixes.deployment_id is not null as is_rework,
    failures.recovered_at,
    {{ hours_between('deployments.finished_at', 'failures.recovered_at') }} as recovery_hours,
    coalesce(changes.change_count, 0) as change_count
from deployments
left join failures using (deployment_id)
left join fixes using (deployment_id)
left join changes using (deployment_id)
left join {{ ref('int_branches_without_names') }} as branches on branches.branch = deployments.ref
