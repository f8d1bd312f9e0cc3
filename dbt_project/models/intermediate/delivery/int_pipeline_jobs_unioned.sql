-- One branch per vendor of pipelines; this one is GitHub Actions.
with repositories as (select * from {{ ref('int_repositories_unioned') }}),

attempts as (
    select run_key, attempt, started_at from {{ ref('stg_github_actions__runs') }}
    union
    select run_key, attempt, started_at from {{ ref('stg_github_actions__run_attempts') }}
)

select
    repositories.repository_id || '/jobs/' || jobs.job_key as job_id,
    repositories.repository_id || '/runs/' || jobs.run_key || '/attempts/' || jobs.attempt as attempt_id,
    repositories.repository_id || '/runs/' || jobs.run_key as run_id,
    jobs.attempt as attempt_number,
    repositories.repository_id,
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
inner join repositories on repositories.source_key = jobs.repository_key
left join attempts using (run_key, attempt)
