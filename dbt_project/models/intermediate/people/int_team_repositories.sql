select distinct
    teams.team,
    repositories.repository_id
from {{ source('config', 'team_repositories') }} as teams
inner join {{ ref('int_repositories_unioned') }} as repositories
    on lower(teams.repository) in (lower(repositories.name), lower(repositories.configured_as))
