-- A pull request carries another that was merged before it when it brings one of its commits along: a release branch,
-- a back-merge, the parent of a stack. One that brings nothing but those is no change of its own.
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

brought as (
    select
        commits.pull_request_id as carrier_pull_request_id,
        commits.sha,
        commits.is_merge,
        shas.pull_request_id
    from commits
    left join shas
        on shas.repository_id = commits.repository_id
        and shas.sha = commits.sha
        and shas.pull_request_id <> commits.pull_request_id
        and (shas.merged_at, shas.number) < (commits.merged_at, commits.number)
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
