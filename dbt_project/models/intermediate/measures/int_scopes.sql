-- A scope contains its repositories, and the trackers that are tied to it by the settings, a team or counted links. Its
-- moment is the earliest of those that are not stale; a repository keeps its own though it is stale.
with scopes as (
    select 'all' as scope_type, 'all' as scope, null as repository_id
    union all
    select 'repository', repository_id, repository_id from {{ ref('int_repositories') }}
    union all
    select 'service', service, repository_id from {{ ref('int_services') }}
    union all
    select 'team', team, null from (
        select team from {{ source('config', 'teams') }}
        union
        select team from {{ ref('int_team_trackers') }}
    )
),

team_repositories as (
    select team, repository_id from {{ ref('int_team_repositories') }}
    union
    select team, repository_id from {{ ref('int_team_services') }}
),

repository_trackers as (
    select team_repositories.repository_id, lower(trackers.team_key) as team_key
    from team_repositories
    inner join {{ ref('int_team_trackers') }} as trackers using (team)
    union
    select pull_requests.repository_id, lower(issues.team)
    from {{ ref('int_pull_requests_linked_to_issues') }} as links
    inner join {{ ref('int_pull_requests') }} as pull_requests using (pull_request_id)
    inner join {{ ref('int_issues') }} as issues using (issue_id)
    where links.is_counted
),

parts as (
    select scopes.scope_type, scopes.scope, 'repository' as kind, scopes.repository_id as part
    from scopes
    union
    select scopes.scope_type, scopes.scope, 'tracker', trackers.team_key
    from scopes
    inner join repository_trackers as trackers using (repository_id)
    union
    select 'team', team, 'repository', repository_id from team_repositories
    union
    select 'team', team, 'tracker', lower(team_key) from {{ ref('int_team_trackers') }}
    union
    select 'all', 'all', kind, part from {{ ref('int_as_of') }}
),

moments as (
    select
        parts.scope_type,
        parts.scope,
        min(moments.as_of) filter (where not moments.is_stale) as fresh_as_of,
        max(moments.as_of) as latest_as_of,
        string_agg(moments.name, ', ' order by moments.name)
            filter (where moments.kind = 'repository' and moments.is_stale) as stale_repositories,
        string_agg(moments.name, ', ' order by moments.name)
            filter (where moments.kind = 'repository' and moments.is_unread) as unread_repositories
    from parts
    inner join {{ ref('int_as_of') }} as moments using (kind, part)
    group by parts.scope_type, parts.scope
)

select
    scopes.scope_type,
    scopes.scope,
    -- of a repository or a service nothing is known after it was read itself
    coalesce(
        case when own.is_stale then own.as_of end, moments.fresh_as_of, moments.latest_as_of, now.as_of
    ) as as_of,
    moments.stale_repositories,
    moments.unread_repositories,
    -- nothing can be said of one that was never read completely
    coalesce(own.is_unread, false) as is_unread
from scopes
left join moments using (scope_type, scope)
left join {{ ref('int_as_of') }} as own on own.kind = 'repository' and own.part = scopes.repository_id
cross join {{ ref('int_now') }} as now
