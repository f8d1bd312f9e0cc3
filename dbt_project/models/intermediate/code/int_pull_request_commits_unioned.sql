select
    pull_requests.pull_request_id,
    pull_requests.repository_id,
    github.sha,
    any_value(github.position) as position,
    any_value(github.parent_shas) as parent_shas,
    any_value(github.message) as message,
    any_value(author.person) as author,
    coalesce(bool_or(author.is_bot), false) as is_bot,
    any_value(github.authored_at) as authored_at,
    any_value(github.committed_at) as committed_at
from {{ ref('stg_github__pull_request_commits') }} as github
inner join {{ ref('int_pull_requests_unioned') }} as pull_requests
    on github.pull_request_key = pull_requests.source_key
left join {{ ref('int_people_handles') }} as author
    on author.handle
    = {{ handle('github.author_login', 'github.author_type', 'github.author_name', 'github.author_email') }}
group by pull_requests.pull_request_id, pull_requests.repository_id, github.sha
