with github as (
    select
        {{ scoped_id('repositories.connection', 'repositories.name', 'pull_requests.number') }} as pull_request_id,
        pull_requests.pull_request_key as source_key,
        repositories.repository_id,
        pull_requests.number,
        pull_requests.title,
        pull_requests.body,
        pull_requests.url,
        author.person as author,
        coalesce(author.is_bot, false) as is_bot,
        pull_requests.vendor_state,
        case
            when pull_requests.merged_at is not null then 'merged'
            when pull_requests.closed_at is not null or pull_requests.vendor_state = 'CLOSED' then 'closed'
            else 'open'
        end as state,
        pull_requests.is_draft,
        pull_requests.base_branch,
        pull_requests.head_branch,
        pull_requests.head_sha,
        pull_requests.is_cross_repository,
        default_branches.branch is not null as targets_default_branch,
        -- closed ones can have a test merge here, and were not merged
        case when pull_requests.merged_at is not null then pull_requests.merge_commit_sha end as merge_commit_sha,
        pull_requests.additions,
        pull_requests.deletions,
        pull_requests.changed_files,
        pull_requests.commit_count,
        pull_requests.created_at,
        pull_requests.updated_at,
        pull_requests.merged_at,
        pull_requests.closed_at
    from {{ ref('stg_github__pull_requests') }} as pull_requests
    inner join {{ ref('int_repositories_unioned') }} as repositories
        on pull_requests.repository_key = repositories.source_key
    left join {{ ref('int_default_branches') }} as default_branches
        on default_branches.repository_id = repositories.repository_id
        and default_branches.branch = pull_requests.base_branch
    left join {{ ref('int_people_handles') }} as author
        on author.handle = {{ handle('pull_requests.author_login', 'pull_requests.author_type') }}
)

-- distinct: a row that was loaded twice is one
select distinct github.*
from github
cross join {{ ref('int_settings') }} as settings
where
    settings.started_at is null
    or github.closed_at is null
    or github.closed_at >= settings.started_at
