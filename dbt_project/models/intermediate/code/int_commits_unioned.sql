select
    repositories.repository_id,
    github.sha,
    any_value(github.parent_shas) as parent_shas,
    any_value(github.message) as message,
    any_value(github.url) as url,
    any_value(author.person) as author,
    coalesce(bool_or(author.is_bot), false) as is_bot,
    any_value(github.authored_at) as authored_at,
    any_value(github.committed_at) as committed_at
from {{ ref('stg_github__commits') }} as github
inner join {{ ref('int_repositories_unioned') }} as repositories
    on github.repository_key = repositories.source_key
left join {{ ref('int_people_handles') }} as author
    on author.handle
    = {{ handle('github.author_login', 'github.author_type', 'github.author_name', 'github.author_email') }}
group by repositories.repository_id, github.sha
