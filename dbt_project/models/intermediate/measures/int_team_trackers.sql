-- A tracker's team that no team of the settings claims is a team of its own, under its key.
with claimed as (select distinct team, team_key from {{ source('config', 'team_linear_teams') }})

select team, team_key from claimed

union

select issues.team, issues.team as team_key
from {{ ref('int_issues') }} as issues
where
    issues.team is not null
    and lower(issues.team) not in (select lower(team_key) from claimed)
