-- distinct: a row that was loaded twice is one
select distinct
    repositories.repository_id || '/deployments/' || records.number as record_id,
    records.source_key,
    repositories.repository_id,
    records.environment,
    records.status,
    records.vendor_state,
    records.sha,
    records.ref,
    records.url,
    repositories.repository_id || '/runs/' || records.run_key as run_id,
    records.started_at,
    records.finished_at
from {{ ref('int_deployment_records_unioned') }} as records
inner join {{ ref('int_repositories') }} as repositories
    on records.connection = repositories.connection and records.repository_key = repositories.source_key
