-- What a pull request itself brought: commits of its branch that no other one had brought before. Of a release that is
-- the version bump, of the upper part of a stack its own work. A merge commit is nobody's work, unless there is nothing
-- else; a pull request that only carries others has no commit of its own.
with pull_requests as (select * from {{ ref('int_pull_requests') }}),

shas as (select * from {{ ref('int_pull_request_shas') }}),

carriers as (select * from {{ ref('int_pull_request_carriers') }}),

commits as (
    select
        commits.*,
        contains(trim(coalesce(commits.parent_shas, '')), ' ') as is_merge,
        pull_requests.merged_at is not null as is_merged,
        -- what the server had seen of it by then cannot have been written later
        greatest(
            pull_requests.created_at, pull_requests.updated_at, pull_requests.merged_at, pull_requests.closed_at
        ) as last_seen_at
    from {{ ref('int_pull_request_commits') }} as commits
    inner join pull_requests using (pull_request_id)
),

of_others as (
    select carriers.carrier_pull_request_id as pull_request_id, shas.sha
    from carriers
    inner join shas using (pull_request_id)
    union
    select commits.pull_request_id, commits.sha
    from commits
    inner join shas using (repository_id, sha)
    where not commits.is_merged and shas.pull_request_id <> commits.pull_request_id
),

own as (
    select *
    from commits
    anti join of_others using (pull_request_id, sha)
    qualify
        not is_merge
        or (
            bool_and(is_merge) over (partition by pull_request_id)
            and pull_request_id not in (select carrier_pull_request_id from carriers)
        )
),

-- where the root is not known, history is cut, and older work is none the less believed
dated as (
    select connection, repository_key, parent_shas, {{ credible('committed_at') }} as committed_at
    from {{ ref('int_commits_unioned') }}
    union all
    select connection, repository_key, parent_shas, {{ credible('committed_at') }}
    from {{ ref('int_pull_request_commits_unioned') }}
    union all
    select connection, repository_key, parent_shas, {{ credible('committed_at') }}
    from {{ ref('int_deployed_commits_unioned') }}
),

beginnings as (
    select
        repositories.repository_id,
        case
            when bool_or(coalesce(dated.parent_shas, '') = '') then min(dated.committed_at)
            else least(min(dated.committed_at), any_value(repositories.created_at))
        end as began_at
    from dated
    inner join {{ ref('int_repositories') }} as repositories
        on repositories.connection = dated.connection and repositories.source_key = dated.repository_key
    group by repositories.repository_id
)

select
    own.pull_request_id,
    own.repository_id,
    own.sha,
    own.message,
    own.is_merge,
    -- a clock that was wrong: the author's date is not believed, the committer's is
    case
        when own.authored_at < beginnings.began_at or own.authored_at > own.last_seen_at
            then {{ credible('own.committed_at') }}
        else coalesce({{ credible('own.authored_at') }}, {{ credible('own.committed_at') }})
    end as written_at
from own
left join beginnings using (repository_id)
