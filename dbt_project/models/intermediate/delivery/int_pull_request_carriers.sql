-- A pull request carries another that was merged before it when it brings one of its commits along: a release branch,
-- a back-merge, the parent of a stack. One that brings nothing but those is no change of its own. A stack that is
-- merged from its top is the other way round: GitHub then calls those below merged too, and their commits are theirs.
with recursive shas as (select * from {{ ref('int_pull_request_shas') }}),

commits as (
    select
        commits.pull_request_id,
        commits.repository_id,
        commits.sha,
        contains(trim(coalesce(commits.parent_shas, '')), ' ') as is_merge,
        pull_requests.number,
        pull_requests.merged_at
    from {{ ref('int_pull_request_commits_unioned') }} as commits
    inner join {{ ref('int_pull_requests_unioned') }} as pull_requests using (pull_request_id)
    where pull_requests.merged_at is not null
),

sizes as (
    select pull_request_id, count(*) as commit_count from commits where not is_merge group by pull_request_id
),

pairs as (
    select
        commits.pull_request_id,
        shas.pull_request_id as other_pull_request_id,
        commits.sha,
        commits.is_merge,
        shas.is_of_branch,
        (shas.merged_at, shas.number) < (commits.merged_at, commits.number) as is_other_earlier
    from commits
    inner join shas
        on shas.repository_id = commits.repository_id
        and shas.sha = commits.sha
        and shas.pull_request_id <> commits.pull_request_id
),

parts as (
    -- all of the one's commits, and not all of the other's
    select pairs.pull_request_id, pairs.other_pull_request_id as whole_pull_request_id
    from pairs
    inner join sizes using (pull_request_id)
    inner join sizes as other_sizes on other_sizes.pull_request_id = pairs.other_pull_request_id
    where pairs.is_of_branch and not pairs.is_merge and other_sizes.commit_count > sizes.commit_count
    group by pairs.pull_request_id, pairs.other_pull_request_id, sizes.commit_count
    having count(*) = sizes.commit_count
),

brought as (
    select
        commits.pull_request_id as carrier_pull_request_id,
        commits.sha,
        commits.is_merge,
        pairs.other_pull_request_id as pull_request_id
    from commits
    left join (
        select pairs.*
        from pairs
        left join parts
            on parts.pull_request_id = pairs.pull_request_id
            and parts.whole_pull_request_id = pairs.other_pull_request_id
        where pairs.is_other_earlier and (parts.pull_request_id is null or not pairs.is_of_branch)
    ) as pairs
        on pairs.pull_request_id = commits.pull_request_id and pairs.sha = commits.sha
),

carriers as (
    select
        carrier_pull_request_id,
        bool_and(is_merge or pull_request_id is not null) as is_nothing_else
    from brought
    group by carrier_pull_request_id
),

carried as (
    select pull_request_id, carrier_pull_request_id from brought where pull_request_id is not null
    union
    select carried.pull_request_id, brought.carrier_pull_request_id
    from carried
    inner join brought on brought.pull_request_id = carried.carrier_pull_request_id
)

select carried.pull_request_id, carried.carrier_pull_request_id, carriers.is_nothing_else
from carried
inner join carriers using (carrier_pull_request_id)
