-- Deployments of the last year that failed, with each piece of evidence that counts, by every scope that they belong to.
with failed as (
    select scope_type, scope, entity_id as deployment_id
    from marts.metric_measurements
    where
        metric = 'change_fail_rate'
        and value > 0
        and measured_at > (select max(as_of) from marts.dora_scorecard) - interval 365 day
)

select
    scope_key(failed.scope_type, failed.scope) as scope_key,
    failed.deployment_id,
    short_name(coalesce(failed.service, failed.repository_id)) as service,
    time_text(failed.finished_at) as finished_at,
    coalesce(left(failed.sha, 7), failed.ref) as deployed,
    web_address(failed.url) as url,
    time_text(failed.recovered_at) as recovered_at,
    case when failed.recovered_at is null then 'not yet' else duration_text(failed.recovery_hours) end as recovery,
    failed.evidence,
    coalesce(failed.title, short_name(failed.evidence_id)) as evidence_title,
    web_address(failed.evidence_url) as evidence_url
from (select 1) as always
left join (
    select
        failed.scope_type,
        failed.scope,
        deployments.*,
        failures.evidence,
        failures.evidence_id,
        case failures.evidence
            when 'rollback' then 'back to ' || left(repairs.sha, 7)
            else entities.title
        end as title,
        coalesce(failures.evidence_url, entities.url) as evidence_url
    from failed
    inner join marts.fct_deployments as deployments using (deployment_id)
    left join marts.fct_deployment_failures as failures
        on failed.deployment_id = failures.deployment_id and failures.counts
    left join marts.metric_entities as entities on failures.evidence_id = entities.entity_id
    left join marts.fct_deployments as repairs on failures.evidence_id = repairs.deployment_id
) as failed on true
order by finished_at desc, deployment_id, evidence
