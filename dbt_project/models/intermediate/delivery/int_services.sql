-- A repository without services in the settings is one service, of the repository's own id.
with repositories as (select * from {{ ref('int_repositories_unioned') }}),

configured as (
    select distinct repositories.repository_id, services.service as service_name
    from {{ source('config', 'services') }} as services
    inner join repositories
        on lower(services.repository) in (lower(repositories.name), lower(repositories.configured_as))
),

own_rules as (
    select service, lower(repository) as repository, list(distinct kind) as kinds
    from {{ source('config', 'deployment_rules') }}
    where service is not null
    group by all
),

named as (
    select
        repositories.repository_id,
        repositories.name as repository_name,
        configured.service_name,
        repositories.repository_id || coalesce('/' || configured.service_name, '') as service,
        flatten(list(own_rules.kinds)) as kinds
    from repositories
    left join configured using (repository_id)
    left join own_rules
        on own_rules.service = configured.service_name
        and own_rules.repository in (lower(repositories.name), lower(repositories.configured_as))
    group by all
)

select
    service,
    repository_id,
    repository_name,
    service_name,
    coalesce(list_has_any(kinds, ['workflow', 'job']), false) as has_own_runs,
    coalesce(list_contains(kinds, 'service_environment'), false) as has_own_environments,
    coalesce(list_contains(kinds, 'tag'), false) as has_own_tags,
    coalesce(list_contains(kinds, 'path'), false) as has_paths
from named
