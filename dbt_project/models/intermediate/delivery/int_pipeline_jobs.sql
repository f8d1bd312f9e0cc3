select
    repositories.repository_id || '/jobs/' || jobs.source_key as job_id,
    repositories.repository_id || '/runs/' || jobs.run_key || '/attempts/' || jobs.attempt as attempt_id,
    repositories.repository_id || '/runs/' || jobs.run_key as run_id,
    jobs.attempt as attempt_number,
    repositories.repository_id,
    jobs.name,
    jobs.status,
    jobs.is_of_earlier_attempt,
    jobs.started_at,
    jobs.finished_at
from {{ ref('int_pipeline_jobs_unioned') }} as jobs
inner join {{ ref('int_repositories') }} as repositories
    on jobs.connection = repositories.connection and jobs.repository_key = repositories.source_key
