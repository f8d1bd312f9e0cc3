select
    repositories.repository_id,
    github.sha,
    any_value(github.parent_shas) as parent_shas,
    any_value(github.message) as message
from {{ ref('stg_github__deployed_commits') }} as github
inner join {{ ref('int_repositories_unioned') }} as repositories
    on github.repository_key = repositories.source_key
group by repositories.repository_id, github.sha
