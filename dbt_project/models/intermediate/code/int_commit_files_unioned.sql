select distinct
    repositories.repository_id,
    github.sha,
    github.path
from {{ ref('stg_github__commit_files') }} as github
inner join {{ ref('int_repositories_unioned') }} as repositories
    on github.repository_key = repositories.source_key
