-- A merged pull request's commits: those of its branch, those that the default branch has of it, and its merge commit.
with pull_requests as (
    select pull_request_id, repository_id, number, merge_commit_sha, head_sha, merged_at
    from {{ ref('int_pull_requests_unioned') }}
    where merged_at is not null
),

shas as (
    select pull_request_id, sha, true as is_of_branch from {{ ref('int_pull_request_commits_unioned') }}
    union
    select pull_request_id, head_sha as sha, true as is_of_branch from pull_requests
    union
    select pull_request_id, sha, false as is_of_branch from {{ ref('int_commit_pull_requests_unioned') }}
    union
    select pull_request_id, merge_commit_sha as sha, false as is_of_branch from pull_requests
)

select
    pull_requests.pull_request_id,
    pull_requests.repository_id,
    shas.sha,
    bool_or(shas.is_of_branch) as is_of_branch,
    pull_requests.number,
    pull_requests.merged_at
from shas
inner join pull_requests using (pull_request_id)
where shas.sha is not null
group by all
