with attempts as (
    select run_key, attempt, started_at from {{ ref('stg_github_actions__runs') }}
    union
    select run_key, attempt, started_at from {{ ref('stg_github_actions__run_attempts') }}
)

select
    jobs.connection,
    'github_actions' as source,
    jobs.job_key as source_key,
    jobs.run_key,
    jobs.attempt,
    jobs.repository_key,
    jobs.name,
    case
        when jobs.vendor_status <> 'completed' then 'in_progress'
        when jobs.vendor_conclusion = 'success' then 'success'
        when jobs.vendor_conclusion in ('failure', 'timed_out', 'startup_failure') then 'failure'
        when jobs.vendor_conclusion = 'cancelled' then 'cancelled'
    end as status,
    -- a further attempt lists the jobs that it did not run again too, as they had ended before it began
    coalesce(jobs.attempt > 1 and jobs.completed_at <= attempts.started_at, false) as is_of_earlier_attempt,
    jobs.started_at,
    jobs.completed_at as finished_at
from {{ ref('stg_github_actions__jobs') }} as jobs
left join attempts using (run_key, attempt)
