-- a pull request that is gone, or ended before the start date, still owns its commits: its id stands here all the same
select distinct
    repositories.repository_id,
    github.sha,
    coalesce(
        pull_requests.pull_request_id, {{ scoped_id('repositories.connection', 'repositories.name', 'github.pull_request_number') }}
    ) as pull_request_id
from {{ ref('stg_github__commit_pull_requests') }} as github
inner join {{ ref('int_repositories_unioned') }} as repositories
    on github.repository_key = repositories.source_key
left join {{ ref('int_pull_requests_unioned') }} as pull_requests
    on github.pull_request_key = pull_requests.source_key
where github.pull_request_key is not null
