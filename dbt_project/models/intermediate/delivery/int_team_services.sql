-- A team owns all services of its repositories, and those it names.
select team_repositories.team, services.service, services.repository_id
from {{ ref('int_team_repositories') }} as team_repositories
inner join {{ ref('int_services') }} as services using (repository_id)

union

select team_services.team, services.service, services.repository_id
from {{ source('config', 'team_services') }} as team_services
inner join {{ ref('int_services') }} as services
    on lower(team_services.service) = lower(services.service_name)
