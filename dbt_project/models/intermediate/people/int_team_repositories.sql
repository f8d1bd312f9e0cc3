select distinct
    teams.team,
    repositories.repository_id
from {{ source('config', 'team_repositories') }} as teams
inner join {{ ref('int_repositories') }} as repositories
    on {{ names_repository('teams.repository', 'repositories') }}
