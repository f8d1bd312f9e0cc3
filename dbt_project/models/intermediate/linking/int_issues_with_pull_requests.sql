with links as (
    select distinct pull_request_id, issue_id
    from {{ ref('int_pull_requests_linked_to_issues') }}
    where is_counted
),

-- a bot's merge, or one that takes something back, is not what an issue waited for
ending as (
    select pull_requests.pull_request_id
    from {{ ref('int_pull_requests') }} as pull_requests
    inner join {{ ref('int_pull_requests_classified') }} as classified using (pull_request_id)
    where pull_requests.merged_at is not null and not pull_requests.is_bot and not classified.is_revert
)

select
    links.issue_id,
    count(*) as linked_pull_request_count,
    -- the last one merged; of two merged at once the later one made
    arg_max(
        pull_requests.pull_request_id, (pull_requests.merged_at, pull_requests.created_at, pull_requests.pull_request_id)
    ) filter (where ending.pull_request_id is not null) as linked_pull_request_id,
    max(pull_requests.merged_at) filter (where ending.pull_request_id is not null) as last_merged_at
from links
inner join {{ ref('int_pull_requests') }} as pull_requests using (pull_request_id)
left join ending using (pull_request_id)
group by links.issue_id
