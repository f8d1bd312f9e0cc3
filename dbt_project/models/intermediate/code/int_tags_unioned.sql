select
    repositories.repository_id,
    github.tag,
    min(github.sha) as sha
from {{ ref('stg_github__tags') }} as github
inner join {{ ref('int_repositories_unioned') }} as repositories
    on github.repository_key = repositories.source_key
group by repositories.repository_id, github.tag
