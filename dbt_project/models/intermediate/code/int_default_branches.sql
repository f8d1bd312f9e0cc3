-- What a default branch was called before it was renamed no provider tells: runs and merged pull requests keep the name
-- of their day. It is known by this: pull requests were merged into it whose merge commits the default branch has; all
-- that, and every run on it, was before anything of the kind happened under the present name; and it was never itself
-- merged, as a develop branch is.
with repositories as (select * from {{ ref('int_repositories') }}),

pull_requests as (select * from {{ ref('int_pull_requests_unioned') }}),

merges as (
    select
        pull_requests.connection,
        pull_requests.repository_key,
        pull_requests.base_branch as branch,
        pull_requests.merged_at as happened_at,
        commits.sha is not null as is_on_default_branch
    from pull_requests
    left join {{ ref('int_commits_unioned') }} as commits
        on commits.connection = pull_requests.connection
        and commits.repository_key = pull_requests.repository_key
        and commits.sha = pull_requests.merge_commit_sha
    where pull_requests.merged_at is not null
),

happened as (
    select * from merges
    union all
    select connection, repository_key, ref as branch, started_at as happened_at, null as is_on_default_branch
    from {{ ref('int_pipeline_attempts_unioned') }}
    where is_of_this_repository and is_of_branch
),

present as (
    select
        happened.connection,
        happened.repository_key,
        repositories.repository_id,
        min(happened.happened_at) as began_at,
        bool_or(happened.is_on_default_branch) as is_merged_into
    from happened
    inner join repositories
        on repositories.connection = happened.connection
        and repositories.source_key = happened.repository_key
        and repositories.default_branch = happened.branch
    group by happened.connection, happened.repository_key, repositories.repository_id
),

others as (
    select connection, repository_key, branch, max(happened_at) as ended_at
    from happened
    group by connection, repository_key, branch
    having bool_and(is_on_default_branch)
),

heads as (
    select connection, repository_key, head_branch as branch
    from pull_requests
    where not is_cross_repository
)

select repository_id, default_branch as branch, false as is_former
from repositories
where default_branch is not null

union all

select present.repository_id, others.branch, true as is_former
from others
inner join present
    on present.connection = others.connection
    and present.repository_key = others.repository_key
    and present.is_merged_into
    and others.ended_at < present.began_at
anti join heads
    on heads.connection = others.connection
    and heads.repository_key = others.repository_key
    and heads.branch = others.branch
