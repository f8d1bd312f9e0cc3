select
    repositories.repository_id,
    commits.sha,
    any_value(commits.parent_shas) as parent_shas,
    any_value(commits.message) as message,
    any_value(commits.url) as url,
    any_value(author.person) as author,
    coalesce(bool_or(author.is_bot), false) as is_bot,
    any_value(commits.lines_added) as lines_added,
    any_value(commits.lines_deleted) as lines_deleted,
    any_value(commits.authored_at) as authored_at,
    any_value(commits.committed_at) as committed_at
from {{ ref('int_commits_unioned') }} as commits
inner join {{ ref('int_repositories') }} as repositories
    on commits.connection = repositories.connection and commits.repository_key = repositories.source_key
left join {{ ref('int_people_handles') }} as author on author.handle = commits.author_handle
group by repositories.repository_id, commits.sha
