select 'all' as scope_type, 'all' as scope
union all
select 'repository', repository_id from {{ ref('int_repositories_unioned') }}
union all
select 'service', service from {{ ref('int_services') }}
union all
select 'team', team from (
    select team from {{ source('config', 'teams') }}
    union
    select team from {{ ref('int_team_trackers') }}
)
