with links as (
    select distinct pull_request_id, issue_id
    from {{ ref('int_pull_requests_linked_to_issues') }}
    where is_counted
)

select
    links.issue_id,
    count(*) as linked_pull_request_count,
    -- the last one merged; of two merged at once the later one made
    arg_max(
        pull_requests.pull_request_id, (pull_requests.merged_at, pull_requests.created_at, pull_requests.pull_request_id)
    ) filter (where pull_requests.merged_at is not null) as linked_pull_request_id,
    max(pull_requests.merged_at) as last_merged_at
from links
inner join {{ ref('int_pull_requests_unioned') }} as pull_requests using (pull_request_id)
group by links.issue_id
