with teams as (select distinct team from {{ source('config', 'teams') }}),

members as (
    select team, count(distinct person) as member_count
    from {{ ref('int_team_members') }}
    group by team
),

repositories as (
    select team, count(*) as repository_count
    from {{ ref('int_team_repositories') }}
    group by team
),

services as (
    select team, count(distinct service) as service_count
    from {{ source('config', 'team_services') }}
    group by team
),

linear_teams as (
    select team, string_agg(distinct team_key, ', ' order by team_key) as linear_teams
    from {{ source('config', 'team_linear_teams') }}
    group by team
)

select
    teams.team,
    coalesce(members.member_count, 0) as member_count,
    coalesce(repositories.repository_count, 0) as repository_count,
    coalesce(services.service_count, 0) as service_count,
    linear_teams.linear_teams
from teams
left join members using (team)
left join repositories using (team)
left join services using (team)
left join linear_teams using (team)
