-- Successes that look like production deployments and are none, for want of a setting. Where the settings name services:
-- those that the repository's own rules would take, and that are of none of its services. Everywhere: runs of a workflow
-- that deploys by its name and never ran on the default branch, a tag or a branch of the settings. Only of the kinds by
-- which the repository deploys, where any is known.
with services as (select * from {{ ref('int_services') }} where service_name is not null),

claimed as (select * from {{ ref('int_deployment_candidates') }}),

rules as (
    select settings.repository_id, rules.kind, rules.pattern_regex
    from {{ source('config', 'deployment_rules') }} as rules
    inner join {{ ref('int_repository_settings') }} as settings
        on rules.repository is not distinct from settings.configured_name
    where rules.service is null
),

skipped as (
    select attempt_id from {{ ref('int_pipeline_jobs') }} group by attempt_id having bool_and(status is null)
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
        {{ kind_of_run("attempts.workflow_name || ' ' || coalesce(attempts.workflow_path, '')") }} as kind,
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
    from {{ ref('int_deployment_records') }} as records
    inner join {{ ref('int_environments') }} as environments using (repository_id, environment)
    where
        environments.is_named_production
        and records.status = 'success'
        and records.source_key not in (select source_key from claimed)
),

releases as (
    select
        release_id as deployment_id,
        repository_id,
        'releases' as kind,
        null as run_id,
        tag as ref,
        url,
        published_at as finished_at
    from {{ ref('int_releases') }}
    where not is_prerelease and source_key not in (select source_key from claimed)
),

tags as (
    select
        tags.repository_id || '/tags/' || tags.tag as deployment_id,
        tags.repository_id,
        'tags' as kind,
        null as run_id,
        tags.tag as ref,
        tags.url,
        tags.tagged_at as finished_at,
        bool_or(rules.pattern_regex is not null) as is_matched
    from {{ ref('int_tags') }} as tags
    inner join {{ ref('int_repository_settings') }} as settings using (repository_id)
    left join rules
        on rules.repository_id = tags.repository_id
        and rules.kind = 'deployment_tag'
        and {{ found_by('tags.tag', 'rules') }}
    where
        settings.deployment_source = 'tags'
        and tags.tagged_at is not null
        and tags.source_key not in (select source_key from claimed)
    group by all
),

unmatched_tags as (
    select
        * exclude (is_matched),
        count(*) over (partition by repository_id)
        || case when count(*) over (partition by repository_id) = 1 then ' tag, which matches no' else ' tags, which match no' end
        || ' pattern: see deployments.tag_patterns' as reason
    from tags
    where repository_id not in (select repository_id from claimed where kind = 'tags')
    qualify not bool_or(is_matched) over (partition by repository_id)
),

of_no_service as (
    select *, 'of none of the services of its repository: see services' as reason
    from (
        select * from runs
        union all by name
        select * from records
        union all by name
        select * from releases
        union all by name
        select * exclude (is_matched) from tags where is_matched
    )
    where
        repository_id in (select repository_id from services)
        -- a run that made a deployment of a service, or the other way round, is of that service
        and (run_id is null or run_id not in (select run_id from claimed where run_id is not null))
),

deployments as (select * from {{ ref('int_deployments') }}),

-- services that are told by their paths alone share their repository's deployments: those that move a change of theirs
of_no_change as (
    select distinct
        chosen.repository_id || substr(chosen.deployment_id, length(chosen.service) + 1) as deployment_id,
        chosen.repository_id,
        candidates.kind,
        chosen.ref,
        chosen.url,
        chosen.finished_at,
        'ships or takes back no change of a service: see services.paths' as reason
    from {{ ref('int_deployments_chosen') }} as chosen
    inner join {{ ref('int_services') }} as told using (service)
    inner join claimed as candidates using (deployment_id)
    where
        told.is_told_by_paths
        and chosen.status = 'success'
        and chosen.is_production
        and chosen.source_key not in (select source_key from deployments)
),

elsewhere as (
    select *
    from {{ ref('int_pipeline_attempts') }}
    where
        status = 'success'
        and is_of_this_repository
        and ref is not null
        and may_deploy
        and attempt_id not in (select attempt_id from skipped)
),

workflows_elsewhere as (
    select services.service, workflows.*
    from (select distinct repository_id, workflow_name, workflow_path from elsewhere) as workflows
    inner join {{ ref('int_services') }} as services using (repository_id)
    inner join {{ ref('int_repository_settings') }} as settings using (repository_id)
    inner join {{ ref('int_service_rules') }} as rules
        on rules.service = services.service
        and rules.kind in ('workflow', 'exclude')
        and (
            {{ found_by('workflows.workflow_name', 'rules') }}
            or {{ found_by("split_part(workflows.workflow_path, '/', -1)", 'rules') }}
        )
    anti join {{ ref('int_pipeline_attempts_of_production') }} as shipping
        on shipping.repository_id = workflows.repository_id
        and shipping.workflow_name is not distinct from workflows.workflow_name
        and shipping.workflow_path is not distinct from workflows.workflow_path
    where
        settings.deployment_source in ('auto', 'workflow_runs')
        and (services.has_own_runs or not (services.has_own_environments or services.has_own_tags))
    group by all
    having bool_and(rules.kind = 'workflow')
),

on_other_branches as (
    select
        elsewhere.attempt_id as deployment_id,
        elsewhere.repository_id,
        workflows.service,
        {{ kind_of_run("elsewhere.workflow_name || ' ' || coalesce(elsewhere.workflow_path, '')") }} as kind,
        elsewhere.ref,
        elsewhere.url,
        elsewhere.finished_at,
        count(*) over of_branch || case when count(*) over of_branch = 1 then ' run' else ' runs' end
        || ' of `' || coalesce(split_part(elsewhere.workflow_path, '/', -1), elsewhere.workflow_name)
        || '` on branch `' || elsewhere.ref || '`: see deployments.branches' as reason
    from elsewhere
    inner join workflows_elsewhere as workflows
        on workflows.repository_id = elsewhere.repository_id
        and workflows.workflow_name is not distinct from elsewhere.workflow_name
        and workflows.workflow_path is not distinct from elsewhere.workflow_path
    window of_branch as (
        partition by workflows.service, elsewhere.workflow_name, elsewhere.workflow_path, elsewhere.ref
    )
),

found as (
    select * from of_no_service
    union all by name
    select * from of_no_change
    union all by name
    select * from on_other_branches
    union all by name
    select * from unmatched_tags
),

chosen as (
    select claimed.repository_id, claimed.kind
    from claimed
    inner join {{ ref('int_deployments_chosen') }} as chosen using (deployment_id)
)

select
    found.deployment_id,
    found.repository_id,
    found.service,
    found.kind,
    found.ref,
    found.url,
    found.finished_at,
    found.reason
from found
cross join {{ ref('int_settings') }} as settings
where
    (settings.started_at is null or found.finished_at >= settings.started_at)
    and (
        (found.repository_id, found.kind) in (select (repository_id, kind) from chosen)
        or found.repository_id not in (select repository_id from chosen)
    )
