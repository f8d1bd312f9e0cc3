with merges as (
    select pull_requests.repository_id, change_services.service, pull_requests.merge_commit_sha as sha,
        arg_min(pull_requests.url, pull_requests.merged_at) as url,
        arg_min(pull_requests.source_key, pull_requests.merged_at) as source_key,
        arg_min(pull_requests.base_branch, pull_requests.merged_at) as ref,
        min(pull_requests.merged_at) as merged_at
    from {{ ref('int_pull_requests') }} as pull_requests
    inner join {{ ref('int_change_services') }} as change_services
        on change_services.change_id = pull_requests.pull_request_id
    where pull_requests.merge_commit_sha is not null and pull_requests.targets_default_branch
    group by all
),

named as (
    select *, count(*) over (partition by service, left(sha, 7)) = 1 as is_short_unique
    from merges
)

select
    service || '/merges/' || case when is_short_unique then left(sha, 7) else sha end as deployment_id,
    source_key,
    repository_id,
    service,
    'production' as environment,
    true as is_production,
    'merge' as source,
    'merges' as kind,
    'success' as status,
    sha,
    ref,
    url,
    merged_at as started_at,
    merged_at as finished_at
from named
