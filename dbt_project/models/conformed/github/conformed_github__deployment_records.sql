with statuses as (
    select
        deployment_key,
        min(created_at) filter (where vendor_state = 'SUCCESS') as succeeded_at,
        min(created_at) filter (where vendor_state in ('FAILURE', 'ERROR')) as failed_at,
        bool_or(vendor_state = 'INACTIVE') as was_inactive,
        -- which run made it; the later status wins where several runs wrote. Inactive says the run that replaced it
        arg_max(log_url, created_at) filter (where log_url <> '' and vendor_state <> 'INACTIVE') as log_url,
        arg_max(regexp_extract(log_url, '/actions/runs/(\d+)', 1), created_at)
            filter (where regexp_matches(log_url, '/actions/runs/\d+') and vendor_state <> 'INACTIVE') as run_key
    from {{ ref('stg_github__deployment_statuses') }}
    group by deployment_key
)

select
    deployments.connection,
    'github' as source,
    deployments.deployment_key as source_key,
    deployments.repository_key,
    coalesce(deployments.deployment_number::varchar, deployments.deployment_key) as number,
    coalesce(deployments.environment, 'production') as environment,
    -- Replaced or given up later does not undo a success, and is not a failure where there was none.
    case
        when statuses.succeeded_at is not null then 'success'
        when statuses.failed_at is not null then 'failure'
        when statuses.was_inactive or deployments.vendor_state in ('ABANDONED', 'INACTIVE', 'DESTROYED')
            then 'cancelled'
        else 'in_progress'
    end as status,
    deployments.vendor_state,
    deployments.sha,
    deployments.ref,
    coalesce(statuses.log_url, repositories.url || '/deployments') as url,
    statuses.run_key,
    deployments.created_at as started_at,
    coalesce(statuses.succeeded_at, statuses.failed_at) as finished_at
from {{ ref('stg_github__deployments') }} as deployments
left join {{ ref('stg_github__repositories') }} as repositories using (repository_key)
left join statuses using (deployment_key)
