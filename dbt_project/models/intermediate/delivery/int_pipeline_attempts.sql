with attempts as (
    select
        repositories.repository_id || '/runs/' || attempts.run_key || '/attempts/' || attempts.attempt as attempt_id,
        repositories.repository_id || '/runs/' || attempts.run_key as run_id,
        repositories.repository_id,
        attempts.*
    from {{ ref('int_pipeline_attempts_unioned') }} as attempts
    inner join {{ ref('int_repositories') }} as repositories
        on attempts.connection = repositories.connection and attempts.repository_key = repositories.source_key
),

ends as (
    select attempt_id, max(finished_at) as finished_at
    from {{ ref('int_pipeline_jobs') }}
    where status is not null and not is_of_earlier_attempt
    group by attempt_id
)

-- distinct: a row that was loaded twice is one
select distinct
    attempts.attempt_id,
    attempts.run_id,
    attempts.attempt as attempt_number,
    attempts.repository_id,
    attempts.workflow_name,
    attempts.workflow_path,
    attempts.event,
    attempts.may_deploy,
    attempts.status,
    attempts.vendor_conclusion,
    attempts.sha,
    attempts.ref,
    attempts.is_of_this_repository,
    default_branches.branch is not null as is_on_default_branch,
    tags.tag is not null as is_on_tag,
    attempts.is_history_cut,
    attempts.url,
    attempts.started_at,
    case when attempts.is_completed then coalesce(ends.finished_at, attempts.finished_at) end as finished_at
from attempts
left join {{ ref('int_default_branches') }} as default_branches
    on default_branches.repository_id = attempts.repository_id and default_branches.branch = attempts.ref
left join {{ ref('int_tags') }} as tags
    on tags.repository_id = attempts.repository_id and tags.tag = attempts.ref
left join ends on ends.attempt_id = attempts.attempt_id
