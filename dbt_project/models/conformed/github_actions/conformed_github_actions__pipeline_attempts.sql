with attempts as (
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
)

select
    attempts.connection,
    'github_actions' as source,
    attempts.run_key,
    attempts.attempt,
    attempts.repository_key,
    attempts.workflow_name,
    attempts.workflow_path,
    attempts.event,
    not (starts_with(attempts.event, 'pull_request') or attempts.event in ('merge_group', 'issue_comment')) as may_deploy,
    case
        when attempts.vendor_status <> 'completed' then 'in_progress'
        when attempts.vendor_conclusion = 'success' then 'success'
        when attempts.vendor_conclusion in ('failure', 'timed_out', 'startup_failure') then 'failure'
        when attempts.vendor_conclusion = 'cancelled' then 'cancelled'
    end as status,
    attempts.vendor_conclusion,
    attempts.sha,
    attempts.ref,
    coalesce(attempts.head_repository_key = attempts.repository_key, false) as is_of_this_repository,
    coalesce(attempts.event in ('push', 'schedule', 'workflow_dispatch'), false) as is_of_branch,
    coalesce(history.is_history_cut, false) as is_history_cut,
    attempts.url,
    attempts.started_at,
    attempts.vendor_status = 'completed' as is_completed,
    -- GitHub touches runs again long after they ended; none lasts longer than 35 days
    case
        when attempts.vendor_status = 'completed' and attempts.updated_at <= attempts.started_at + to_days(35)
            then attempts.updated_at
    end as finished_at
from attempts
left join history
    on history.repository_key = attempts.repository_key
    and history.workflow_key is not distinct from attempts.workflow_key
