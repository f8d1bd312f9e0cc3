-- a canceled or duplicate issue was not completed, nor is one that was opened again
with issues as (
    select
        * exclude (completed_at, canceled_at),
        case when state_category = 'completed' then completed_at end as completed_at,
        case when state_category = 'canceled' then canceled_at end as canceled_at
    from {{ ref('int_issues_unioned') }}
)

-- distinct: a row that was loaded twice is one
select distinct
    {{ scoped_id('issues.connection', 'issues.key') }} as issue_id,
    issues.source_key,
    issues.connection,
    issues.source,
    issues.key,
    issues.number,
    issues.title,
    issues.description,
    issues.url,
    issues.team,
    repositories.repository_id,
    issues.state,
    issues.state_category,
    issues.priority,
    issues.estimate,
    assignee.person as assignee,
    coalesce(assignee.is_bot, false) as is_assigned_to_bot,
    issues.is_archived,
    issues.is_duplicate,
    issues.created_at,
    issues.updated_at,
    issues.started_at,
    issues.completed_at,
    issues.canceled_at
from issues
left join {{ ref('int_repositories') }} as repositories
    on issues.connection = repositories.connection and issues.repository_key = repositories.source_key
left join {{ ref('int_people_handles') }} as assignee on assignee.handle = issues.assignee_handle
cross join {{ ref('int_settings') }} as settings
where
    -- of a tracker, or of a repository that is known
    (issues.repository_key is null or repositories.repository_id is not null)
    and (
        settings.started_at is null
        or coalesce(issues.completed_at, issues.canceled_at) is null
        or coalesce(issues.completed_at, issues.canceled_at) >= settings.started_at
    )
