select
    pull_requests.pull_request_id,
    pull_requests.repository_id,
    commits.sha,
    any_value(commits.position) as position,
    any_value(commits.parent_shas) as parent_shas,
    any_value(commits.message) as message,
    any_value(author.person) as author,
    coalesce(bool_or(author.is_bot), false) as is_bot,
    any_value(commits.authored_at) as authored_at,
    any_value(commits.committed_at) as committed_at
from {{ ref('int_pull_request_commits_unioned') }} as commits
inner join {{ ref('int_pull_requests') }} as pull_requests
    on commits.connection = pull_requests.connection and commits.pull_request_key = pull_requests.source_key
left join {{ ref('int_people_handles') }} as author on author.handle = commits.author_handle
group by pull_requests.pull_request_id, pull_requests.repository_id, commits.sha
