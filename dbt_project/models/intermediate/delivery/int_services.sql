-- A repository without services in the settings is one service, of the repository's own id.
with repositories as (select * from {{ ref('int_repositories') }}),

own_rules as (
    select service, lower(repository) as repository, list(distinct kind) as kinds
    from {{ source('config', 'deployment_rules') }}
    group by all
),

named as (
    select
        repositories.repository_id,
        repositories.name as repository_name,
        repositories.configured_as as repository_configured_as,
        repositories.connection,
        services.service as service_name,
        repositories.repository_id || coalesce('/' || services.service, '') as service,
        flatten(list(own_rules.kinds)) as kinds
    from repositories
    left join {{ source('config', 'services') }} as services
        on {{ names_repository('services.repository', 'repositories') }}
    left join own_rules
        on own_rules.service = services.service
        and {{ names_repository('own_rules.repository', 'repositories') }}
    group by all
)

select
    service,
    repository_id,
    repository_name,
    repository_configured_as,
    connection,
    service_name,
    list_has_any(kinds, ['workflow', 'job']) as has_own_runs,
    list_contains(kinds, 'service_environment') as has_own_environments,
    list_contains(kinds, 'tag') as has_own_tags,
    list_contains(kinds, 'path') as has_paths,
    -- nothing but the paths tells its deployments from its repository's others
    list_contains(kinds, 'path')
    and not list_has_any(kinds, ['workflow', 'job', 'service_environment', 'tag']) as is_told_by_paths
from named
