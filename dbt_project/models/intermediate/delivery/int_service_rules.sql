-- A service's own workflow or job patterns take the place of its repository's; all other rules add up.
with services as (select * from {{ ref('int_services') }}),

settings as (select * from {{ ref('int_repository_settings') }}),

rules as (select * from {{ source('config', 'deployment_rules') }})

select
    services.service,
    services.repository_id,
    rules.kind,
    rules.pattern_regex,
    rules.rule
from services
inner join settings using (repository_id)
inner join rules
    on rules.service is null
    and rules.repository is not distinct from settings.configured_name
where not (services.has_own_runs and rules.kind in ('workflow', 'job'))

union

select
    services.service,
    services.repository_id,
    rules.kind,
    rules.pattern_regex,
    rules.rule
from services
inner join rules
    on rules.service = services.service_name
    and lower(rules.repository) in (
        lower(services.repository_name),
        lower(services.repository_configured_as),
        services.connection || ':' || lower(services.repository_name),
        services.connection || ':' || lower(services.repository_configured_as)
    )
