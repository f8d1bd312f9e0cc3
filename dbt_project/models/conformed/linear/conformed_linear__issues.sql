with changes as (
    select
        changes.issue_key,
        -- an issue that was made in a started state has no change into it; the first one out of it tells
        min(changes.changed_at) filter (where changes.to_state_type = 'started') as entered_at,
        arg_min_null(from_states.type, changes.changed_at) as original_type
    from {{ ref('stg_linear__issue_state_changes') }} as changes
    left join {{ ref('stg_linear__workflow_states') }} as from_states
        on changes.from_state_key = from_states.workflow_state_key
    group by changes.issue_key
)

select
    issues.connection,
    'linear' as source,
    issues.issue_key as source_key,
    issues.key,
    issues.number,
    issues.title,
    issues.description,
    issues.url,
    case when teams.connection = 'linear' then teams.key else teams.connection || ':' || teams.key end as team,
    states.name as state,
    case states.type when 'duplicate' then 'canceled' else states.type end as state_category,
    nullif(issues.priority, 0) as priority,
    issues.estimate,
    {{ handle(
        "case when users.email is null then users.connection || ':' || users.display_name end",
        "case when users.is_app then 'Bot' end", 'users.name', 'users.email'
    ) }} as assignee_handle,
    issues.archived_at is not null as is_archived,
    coalesce(states.type = 'duplicate', false) as is_duplicate,
    issues.created_at,
    issues.updated_at,
    least(
        case when changes.original_type = 'started' then issues.created_at end,
        changes.entered_at,
        issues.started_at
    ) as started_at,
    issues.completed_at,
    coalesce(issues.canceled_at, issues.completed_at) as canceled_at
from {{ ref('stg_linear__issues') }} as issues
left join {{ ref('stg_linear__teams') }} as teams on issues.team_key = teams.team_key
left join {{ ref('stg_linear__workflow_states') }} as states on issues.state_key = states.workflow_state_key
left join {{ ref('stg_linear__users') }} as users on issues.assignee_key = users.user_key
left join changes on issues.issue_key = changes.issue_key
-- Linear calls a deleted issue trashed
where not coalesce(issues.is_trashed, false)
