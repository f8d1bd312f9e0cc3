-- a pull request that is gone, or ended before the start date, still owns its commits: its id stands here all the same
select distinct
    repositories.repository_id,
    commits.sha,
    coalesce(
        pull_requests.pull_request_id,
        {{ scoped_id('repositories.connection', 'repositories.name') }} || commits.pull_request_reference
    ) as pull_request_id
from {{ ref('int_commit_pull_requests_unioned') }} as commits
inner join {{ ref('int_repositories') }} as repositories
    on commits.connection = repositories.connection and commits.repository_key = repositories.source_key
left join {{ ref('int_pull_requests') }} as pull_requests
    on commits.connection = pull_requests.connection and commits.pull_request_key = pull_requests.source_key
