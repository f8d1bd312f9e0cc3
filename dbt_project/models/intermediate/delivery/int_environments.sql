-- An environment that a service names as its own is one of its production environments, unless it reads like staging.
with environments as (select distinct repository_id, environment from {{ ref('int_deployment_records_unioned') }}),

rules as (select * from {{ ref('int_service_rules') }}),

matched as (
    select
        services.service,
        environments.repository_id,
        environments.environment,
        min(rules.rule) filter (where rules.kind = 'environment') as production_rule,
        min(rules.rule) filter (where rules.kind = 'service_environment') as own_rule,
        count(*) filter (where rules.kind = 'exclude') > 0 as is_excluded
    from environments
    inner join {{ ref('int_services') }} as services using (repository_id)
    left join rules
        on rules.service = services.service
        and {{ found_by('environments.environment', 'rules') }}
    group by all
)

select
    service,
    repository_id,
    environment,
    production_rule is not null or (own_rule is not null and not is_excluded) as is_production,
    own_rule is not null as is_own,
    coalesce(production_rule, own_rule) as rule
from matched
