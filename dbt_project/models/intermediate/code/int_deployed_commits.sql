select
    repositories.repository_id,
    commits.sha,
    any_value(commits.parent_shas) as parent_shas,
    any_value(commits.message) as message
from {{ ref('int_deployed_commits_unioned') }} as commits
inner join {{ ref('int_repositories') }} as repositories
    on commits.connection = repositories.connection and commits.repository_key = repositories.source_key
group by repositories.repository_id, commits.sha
