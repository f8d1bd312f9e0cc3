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
),

linear as (
    select
        {{ scoped_id('issues.connection', 'issues.key') }} as issue_id,
        issues.issue_key as source_key,
        issues.connection,
        'linear' as source,
        issues.key,
        issues.number,
        issues.title,
        issues.description,
        issues.url,
        case when teams.connection = 'linear' then teams.key else teams.connection || ':' || teams.key end as team,
        cast(null as varchar) as repository_id,
        states.name as state,
        case states.type when 'duplicate' then 'canceled' else states.type end as state_category,
        nullif(issues.priority, 0) as priority,
        issues.estimate,
        assignee.person as assignee,
        coalesce(assignee.is_bot, false) as is_assigned_to_bot,
        issues.archived_at is not null as is_archived,
        coalesce(states.type = 'duplicate', false) as is_duplicate,
        issues.created_at,
        issues.updated_at,
        least(
            case when changes.original_type = 'started' then issues.created_at end,
            changes.entered_at,
            issues.started_at
        ) as started_at,
        issues.completed_at as ended_completed_at,
        coalesce(issues.canceled_at, issues.completed_at) as ended_canceled_at
    from {{ ref('stg_linear__issues') }} as issues
    left join {{ ref('stg_linear__teams') }} as teams on issues.team_key = teams.team_key
    left join {{ ref('stg_linear__workflow_states') }} as states on issues.state_key = states.workflow_state_key
    left join {{ ref('stg_linear__users') }} as users on issues.assignee_key = users.user_key
    left join {{ ref('int_people_handles') }} as assignee
        on assignee.handle = {{ handle(
            "case when users.email is null then users.connection || ':' || users.display_name end",
            "case when users.is_app then 'Bot' end", 'users.name', 'users.email'
        ) }}
    left join changes on issues.issue_key = changes.issue_key
    -- Linear calls a deleted issue trashed
    where not coalesce(issues.is_trashed, false)
),

github as (
    select
        {{ scoped_id('repositories.connection', 'repositories.name', 'issues.number') }} as issue_id,
        issues.issue_key as source_key,
        repositories.connection,
        'github' as source,
        repositories.name || '#' || issues.number as key,
        issues.number,
        issues.title,
        issues.description,
        issues.url,
        cast(null as varchar) as team,
        repositories.repository_id,
        lower(issues.vendor_state) as state,
        case
            when issues.vendor_state = 'OPEN' then 'unstarted'
            when issues.state_reason in ('NOT_PLANNED', 'DUPLICATE') then 'canceled'
            else 'completed'
        end as state_category,
        cast(null as bigint) as priority,
        cast(null as double) as estimate,
        assignee.person as assignee,
        coalesce(assignee.is_bot, false) as is_assigned_to_bot,
        false as is_archived,
        coalesce(issues.state_reason = 'DUPLICATE', false) as is_duplicate,
        issues.created_at,
        issues.updated_at,
        cast(null as timestamp) as started_at,
        issues.closed_at as ended_completed_at,
        issues.closed_at as ended_canceled_at
    from {{ ref('stg_github__issues') }} as issues
    inner join {{ ref('int_repositories_unioned') }} as repositories
        on issues.repository_key = repositories.source_key
    left join {{ ref('int_people_handles') }} as assignee on assignee.handle = {{ handle('issues.assignee_login') }}
),

unioned as (
    select * from linear
    union all by name
    select * from github
),

-- a canceled or duplicate issue was not completed, nor is one that was opened again
ended as (
    select
        * exclude (ended_completed_at, ended_canceled_at),
        case when state_category = 'completed' then ended_completed_at end as completed_at,
        case when state_category = 'canceled' then ended_canceled_at end as canceled_at
    from unioned
)

-- distinct: a row that was loaded twice is one
select distinct ended.*
from ended
cross join {{ ref('int_settings') }} as settings
where
    settings.started_at is null
    or coalesce(ended.completed_at, ended.canceled_at) is null
    or coalesce(ended.completed_at, ended.canceled_at) >= settings.started_at
