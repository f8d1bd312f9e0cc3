-- One branch per kind of evidence. Every piece is kept; `reason` says why one does not count.
with deployments as (
    select
        deployments.*,
        settings.revert_window_hours,
        settings.hotfix_window_hours,
        settings.incident_window_hours
    from {{ ref('int_deployments') }} as deployments
    inner join {{ ref('int_repository_settings') }} as settings using (repository_id)
),

shipped as (
    select shipped.*, changes.url
    from {{ ref('int_shipped_changes') }} as shipped
    inner join {{ ref('int_changes') }} as changes using (change_id)
    where shipped.is_first_of_service and not shipped.is_carrier
),

evidence_rules as (
    select repository_id, pattern as evidence from {{ ref('int_repository_failure_rules') }} where kind = 'evidence'
),

rollbacks as (
    select
        rolls_back_deployment_id as suspect_deployment_id,
        'rollback' as evidence,
        deployment_id as evidence_id,
        url as evidence_url,
        started_at as occurred_at,
        finished_at as resolved_at,
        deployment_id as fix_deployment_id
    from deployments
    where is_rollback
),

reverts as (
    select
        taken_back.failed_deployment_id as suspect_deployment_id,
        'revert' as evidence,
        taken_back.revert_id as evidence_id,
        revert.url as evidence_url,
        revert.merged_at as occurred_at,
        revert.deployed_at as resolved_at,
        taken_back.deployment_id as fix_deployment_id,
        case
            when revert.deployed_at > failed.finished_at + to_hours(failed.revert_window_hours)
                then 'shipped more than ' || failed.revert_window_hours
                    || ' hours after what it reverts: see failures.revert_window_hours'
        end as reason
    from {{ ref('int_changes_taken_back') }} as taken_back
    inner join shipped as revert
        on revert.change_id = taken_back.revert_id and revert.service = taken_back.service
    inner join deployments as failed on failed.deployment_id = taken_back.failed_deployment_id
),

hotfixes as (
    select
        deployments.previous_deployment_id as suspect_deployment_id,
        'hotfix' as evidence,
        shipped.pull_request_id as evidence_id,
        shipped.url as evidence_url,
        shipped.merged_at as occurred_at,
        shipped.deployed_at as resolved_at,
        shipped.deployment_id as fix_deployment_id,
        case
            when shipped.deployed_at > failed.finished_at + to_hours(failed.hotfix_window_hours)
                then 'shipped more than ' || failed.hotfix_window_hours
                    || ' hours after the deployment before it: see failures.hotfix_window_hours'
        end as reason
    from shipped
    inner join {{ ref('int_pull_requests_classified') }} as classified using (pull_request_id)
    inner join deployments using (deployment_id)
    inner join deployments as before_it on before_it.deployment_id = deployments.previous_deployment_id
    -- what ran is as old as the deployment that brought it, not as one that repeated it
    inner join deployments as failed
        on failed.deployment_id = coalesce(before_it.counted_deployment_id, before_it.deployment_id)
    where classified.is_hotfix
),

incidents as (
    select
        incidents.suspect_deployment_id,
        'incident' as evidence,
        incidents.issue_id as evidence_id,
        incidents.url as evidence_url,
        incidents.created_at as occurred_at,
        case when incidents.has_fix then incidents.fixed_at else incidents.completed_at end as resolved_at,
        incidents.fix_deployment_id,
        incidents.has_fix,
        case
            when incidents.is_cause_elsewhere then 'cause not in production'
            when
                not incidents.is_suspect_by_cause
                and incidents.created_at > suspects.finished_at + to_hours(suspects.incident_window_hours)
                then 'happened more than ' || suspects.incident_window_hours
                    || ' hours after the deployment: see failures.incident_window_hours'
        end as reason
    from {{ ref('int_incidents') }} as incidents
    inner join deployments as suspects on suspects.deployment_id = incidents.suspect_deployment_id
),

failed_attempts as (
    select
        failed.deployment_id as suspect_deployment_id,
        'deployment_status' as evidence,
        failed.deployment_id as evidence_id,
        failed.url as evidence_url,
        failed.finished_at as occurred_at,
        success.finished_at as resolved_at,
        success.deployment_id as fix_deployment_id
    from deployments as failed
    asof left join (select * from deployments where is_delivered) as success
        on success.service = failed.service
        and success.environment = failed.environment
        and failed.finished_at < success.finished_at
    where failed.status = 'failure' and failed.is_production and failed.finished_at is not null
),

evidence as (
    select * from rollbacks
    union all by name
    select * from reverts
    union all by name
    select * from hotfixes
    union all by name
    select * from incidents
    union all by name
    select * from failed_attempts
),

resolved as (
    -- a failure of a re-deploy is one of the deployment that it repeats
    select
        coalesce(suspects.counted_deployment_id, suspects.deployment_id) as deployment_id,
        evidence.*
    from evidence
    inner join deployments as suspects on suspects.deployment_id = evidence.suspect_deployment_id
),

judged as (
    select
        resolved.deployment_id,
        deployments.repository_id,
        deployments.service,
        resolved.evidence,
        resolved.evidence_id,
        resolved.evidence_url,
        resolved.occurred_at,
        resolved.resolved_at,
        resolved.fix_deployment_id,
        resolved.has_fix,
        evidence_rules.evidence is not null as is_configured,
        coalesce(
            case when evidence_rules.evidence is null then resolved.evidence || ' is not in failures.evidence' end,
            case when deployments.is_baseline then 'the deployment is a baseline: what it shipped is not known' end,
            resolved.reason
        ) as reason
    from resolved
    inner join deployments using (deployment_id)
    left join evidence_rules
        on evidence_rules.repository_id = deployments.repository_id and evidence_rules.evidence = resolved.evidence
),

remedies as (
    -- what took a deployment back, or mended it, ended its incidents too
    select deployment_id, min(resolved_at) as remedied_at
    from judged
    where evidence in ('rollback', 'revert', 'hotfix') and reason is null
    group by deployment_id
)

select
    judged.* exclude (reason, has_fix)
    replace (
        case
            when judged.evidence <> 'incident' then judged.resolved_at
            when judged.has_fix then least(judged.resolved_at, remedies.remedied_at)
            else coalesce(remedies.remedied_at, judged.resolved_at)
        end as resolved_at
    ),
    judged.reason is null as counts,
    judged.reason
from judged
left join remedies using (deployment_id)
-- the same piece may reach one deployment over several re-deploys of it
qualify row_number() over (
    partition by judged.deployment_id, judged.evidence, judged.evidence_id
    order by judged.reason is null desc, judged.resolved_at nulls last, judged.fix_deployment_id
) = 1
