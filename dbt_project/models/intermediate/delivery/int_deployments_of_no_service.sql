-- Where the settings name services: successes that the repository's own rules would take for production deployments, and
-- that are of none of its services. Only of the kinds by which these deploy, where any is known.
with services as (select * from {{ ref('int_services') }} where service_name is not null),

claimed as (select * from {{ ref('int_deployments_unioned') }}),

rules as (
    select settings.repository_id, rules.kind, rules.pattern_regex
    from {{ source('config', 'deployment_rules') }} as rules
    inner join {{ ref('int_repository_settings') }} as settings
        on rules.repository is not distinct from settings.configured_name
    where rules.service is null
),

skipped as (
    select attempt_id from {{ ref('int_pipeline_jobs_unioned') }} group by attempt_id having bool_and(status is null)
),

attempts as (
    select * from {{ ref('int_pipeline_attempts_of_production') }}
    where repository_id in (select repository_id from services)
),

deploying_workflows as (
    select workflows.*
    from (select distinct repository_id, workflow_name, workflow_path from attempts) as workflows
    inner join rules
        on rules.repository_id = workflows.repository_id
        and rules.kind in ('workflow', 'exclude')
        and (
            {{ found_by('workflows.workflow_name', 'rules') }}
            or {{ found_by("split_part(workflows.workflow_path, '/', -1)", 'rules') }}
        )
    group by all
    having bool_and(rules.kind = 'workflow')
),

runs as (
    select
        attempts.attempt_id as deployment_id,
        attempts.repository_id,
        case
            when contains(lower(attempts.workflow_name || ' ' || coalesce(attempts.workflow_path, '')), 'deploy') then 'named_runs'
            else 'other_runs'
        end as kind,
        attempts.run_id,
        attempts.ref,
        attempts.url,
        attempts.finished_at
    from attempts
    inner join deploying_workflows as deploying
        on deploying.repository_id = attempts.repository_id
        and deploying.workflow_name is not distinct from attempts.workflow_name
        and deploying.workflow_path is not distinct from attempts.workflow_path
    where
        attempts.status = 'success'
        and attempts.attempt_id not in (select attempt_id from skipped)
),

records as (
    select distinct
        records.record_id as deployment_id,
        records.repository_id,
        'records' as kind,
        records.run_id,
        records.ref,
        records.url,
        records.finished_at
    from {{ ref('int_deployment_records_unioned') }} as records
    inner join rules
        on rules.repository_id = records.repository_id
        and rules.kind = 'environment'
        and {{ found_by('records.environment', 'rules') }}
    where
        records.status = 'success'
        and records.source_key not in (select source_key from claimed)
),

releases as (
    select
        repositories.repository_id || '/releases/' || releases.tag as deployment_id,
        repositories.repository_id,
        'releases' as kind,
        null as run_id,
        releases.tag as ref,
        releases.url,
        releases.published_at as finished_at
    from {{ ref('stg_github__releases') }} as releases
    inner join {{ ref('int_repositories_unioned') }} as repositories on repositories.source_key = releases.repository_key
    where
        not releases.is_draft
        and not releases.is_prerelease
        and releases.published_at is not null
        and releases.release_key not in (select source_key from claimed)
),

found as (
    select * from runs
    union all by name
    select * from records
    union all by name
    select * from releases
),

chosen as (
    select claimed.repository_id, claimed.kind
    from claimed
    inner join {{ ref('int_deployments_chosen') }} as chosen using (deployment_id)
)

select
    found.deployment_id,
    found.repository_id,
    found.kind,
    found.ref,
    found.url,
    found.finished_at
from found
cross join {{ ref('int_settings') }} as settings
where
    found.repository_id in (select repository_id from services)
    and (settings.started_at is null or found.finished_at >= settings.started_at)
    and (
        (found.repository_id, found.kind) in (select (repository_id, kind) from chosen)
        or found.repository_id not in (select repository_id from chosen)
    )
    -- a run that made a deployment of a service, or the other way round, is of that service
    and (found.run_id is null or found.run_id not in (select run_id from claimed where run_id is not null))
