-- distinct: a row that was loaded twice is one
select distinct
    {{ scoped_id('repositories.connection', 'repositories.name') }} || pull_requests.reference as pull_request_id,
    pull_requests.connection,
    pull_requests.source_key,
    repositories.repository_id,
    pull_requests.number,
    pull_requests.title,
    pull_requests.body,
    pull_requests.url,
    author.person as author,
    coalesce(author.is_bot, false) as is_bot,
    pull_requests.vendor_state,
    pull_requests.state,
    pull_requests.is_draft,
    pull_requests.base_branch,
    pull_requests.head_branch,
    pull_requests.head_sha,
    pull_requests.is_cross_repository,
    default_branches.branch is not null as targets_default_branch,
    pull_requests.merge_commit_sha,
    pull_requests.additions,
    pull_requests.deletions,
    pull_requests.changed_files,
    pull_requests.commit_count,
    pull_requests.created_at,
    pull_requests.updated_at,
    pull_requests.merged_at,
    pull_requests.closed_at
from {{ ref('int_pull_requests_unioned') }} as pull_requests
inner join {{ ref('int_repositories') }} as repositories
    on pull_requests.connection = repositories.connection and pull_requests.repository_key = repositories.source_key
left join {{ ref('int_default_branches') }} as default_branches
    on default_branches.repository_id = repositories.repository_id
    and default_branches.branch = pull_requests.base_branch
left join {{ ref('int_people_handles') }} as author on author.handle = pull_requests.author_handle
cross join {{ ref('int_settings') }} as settings
where
    settings.started_at is null
    or pull_requests.closed_at is null
    or pull_requests.closed_at >= settings.started_at
