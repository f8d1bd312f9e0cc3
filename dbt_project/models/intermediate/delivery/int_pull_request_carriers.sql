-- A pull request carries others that were merged before it when it brings their commits along: a release branch, a
-- back-merge, the parent of a stack. One that brings nothing but those is no change of its own. A stack that is merged
-- from its top is the other way round: the host then calls those below merged too, and their commits are theirs.
-- What a carrier carries comes along with its own tip, so that one step is enough here.
with shas as (select * from {{ ref('int_pull_request_shas') }}),

commits as (
    select
        commits.pull_request_id,
        commits.repository_id,
        commits.sha,
        contains(trim(coalesce(commits.parent_shas, '')), ' ') as is_merge,
        pull_requests.number,
        pull_requests.merged_at
    from {{ ref('int_pull_request_commits') }} as commits
    inner join {{ ref('int_pull_requests') }} as pull_requests using (pull_request_id)
    where pull_requests.merged_at is not null
),

sizes as (
    select pull_request_id, count(*) as commit_count from commits where not is_merge group by pull_request_id
),

shared as (
    select
        commits.pull_request_id,
        shas.pull_request_id as other_pull_request_id,
        commits.sha,
        shas.is_tip,
        shas.is_of_branch and not commits.is_merge as is_branch_commit
    from commits
    inner join shas
        on shas.repository_id = commits.repository_id
        and shas.sha = commits.sha
        and (shas.merged_at, shas.number) < (commits.merged_at, commits.number)
),

overlapping as (
    select
        pull_request_id,
        other_pull_request_id,
        bool_or(is_tip) as has_tip,
        count(*) filter (where is_branch_commit) as commit_count
    from shared
    group by pull_request_id, other_pull_request_id
),

brought as (
    select
        overlapping.pull_request_id as carrier_pull_request_id,
        overlapping.other_pull_request_id as pull_request_id,
        overlapping.has_tip or overlapping.commit_count is not distinct from other_sizes.commit_count as is_whole
    from overlapping
    left join sizes using (pull_request_id)
    left join sizes as other_sizes on other_sizes.pull_request_id = overlapping.other_pull_request_id
    -- one that is only a part of the other brings nothing of it
    where is_whole or overlapping.commit_count is distinct from sizes.commit_count
),

carriers as (
    select
        commits.pull_request_id as carrier_pull_request_id,
        bool_and(commits.is_merge or known.sha is not null) as is_nothing_else
    from commits
    left join (
        select shared.pull_request_id, shared.sha
        from shared
        inner join brought
            on brought.carrier_pull_request_id = shared.pull_request_id
            and brought.pull_request_id = shared.other_pull_request_id
    ) as known using (pull_request_id, sha)
    group by commits.pull_request_id
)

select brought.pull_request_id, brought.carrier_pull_request_id, brought.is_whole, carriers.is_nothing_else
from brought
inner join carriers using (carrier_pull_request_id)
