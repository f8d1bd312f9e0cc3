-- A merged pull request's commits: those of its branch, those that the default branch has of it, and its merge commit.
-- The head of the branch and the merge commit are tips: who has one has the whole pull request.
with pull_requests as (
    select pull_request_id, repository_id, number, merge_commit_sha, head_sha, merged_at
    from {{ ref('int_pull_requests') }}
    where merged_at is not null
),

shas as (
    select pull_request_id, sha, true as is_of_branch, false as is_tip
    from {{ ref('int_pull_request_commits') }}
    union all
    select pull_request_id, head_sha as sha, true as is_of_branch, true as is_tip from pull_requests
    union all
    select pull_request_id, sha, false as is_of_branch, false as is_tip
    from {{ ref('int_commit_pull_requests') }}
    union all
    select pull_request_id, merge_commit_sha as sha, false as is_of_branch, true as is_tip from pull_requests
)

select
    pull_requests.pull_request_id,
    pull_requests.repository_id,
    shas.sha,
    bool_or(shas.is_of_branch) as is_of_branch,
    bool_or(shas.is_tip) as is_tip,
    pull_requests.number,
    pull_requests.merged_at
from shas
inner join pull_requests using (pull_request_id)
where shas.sha is not null
group by all
