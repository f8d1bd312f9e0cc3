-- One branch per vendor of pipelines; this one is GitHub Actions.
with repositories as (select * from {{ ref('int_repositories_unioned') }}),

github_actions as (
    select * from {{ ref('stg_github_actions__runs') }}
    union all by name
    select attempts.*
    from {{ ref('stg_github_actions__run_attempts') }} as attempts
    anti join {{ ref('stg_github_actions__runs') }} as latest using (run_key, attempt)
),

history as (
    -- GitHub numbers the runs of a workflow from 1: a smallest number above that means that older ones have expired.
    select repository_key, workflow_key, min(run_number) > 1 as is_history_cut
    from {{ ref('stg_github_actions__runs') }}
    group by all
),

ends as (
    select attempt_id, max(finished_at) as finished_at
    from {{ ref('int_pipeline_jobs_unioned') }}
    where status is not null and not is_of_earlier_attempt
    group by attempt_id
)

-- distinct: a row that was loaded twice is one
select distinct
    repositories.repository_id || '/runs/' || runs.run_key || '/attempts/' || runs.attempt as attempt_id,
    repositories.repository_id || '/runs/' || runs.run_key as run_id,
    runs.attempt as attempt_number,
    repositories.repository_id,
    runs.workflow_name,
    runs.workflow_path,
    runs.event,
    case
        when runs.vendor_status <> 'completed' then 'in_progress'
        when runs.vendor_conclusion = 'success' then 'success'
        when runs.vendor_conclusion in ('failure', 'timed_out', 'startup_failure') then 'failure'
        when runs.vendor_conclusion = 'cancelled' then 'cancelled'
    end as status,
    runs.vendor_conclusion,
    runs.sha,
    runs.ref,
    coalesce(runs.head_repository_key = runs.repository_key, false) as is_of_this_repository,
    default_branches.branch is not null as is_on_default_branch,
    tags.tag is not null as is_on_tag,
    coalesce(history.is_history_cut, false) as is_history_cut,
    runs.url,
    runs.started_at,
    -- GitHub touches runs again long after they ended; none lasts longer than 35 days
    case
        when runs.vendor_status = 'completed'
            then coalesce(
                ends.finished_at, case when runs.updated_at <= runs.started_at + to_days(35) then runs.updated_at end
            )
    end as finished_at
from github_actions as runs
inner join repositories on repositories.source_key = runs.repository_key
left join history
    on history.repository_key = runs.repository_key and history.workflow_key is not distinct from runs.workflow_key
left join {{ ref('int_default_branches') }} as default_branches
    on default_branches.repository_id = repositories.repository_id and default_branches.branch = runs.ref
left join {{ ref('int_tags_unioned') }} as tags
    on tags.repository_id = repositories.repository_id and tags.tag = runs.ref
left join ends
    on ends.attempt_id = repositories.repository_id || '/runs/' || runs.run_key || '/attempts/' || runs.attempt
