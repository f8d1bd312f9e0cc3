-- A service's environments are production by their names: by the settings' patterns where there are any, else by the words
-- that the name is made of (ProductionEU, prod-2 and live are, preprod and liveStaging are not). One that a service names
-- as its own is production unless it reads like staging.
{%- set words = "(select list(word) from " ~ source('config', 'environment_words') ~ " where {} is_production)" %}

with environments as (
    select
        repository_id,
        environment,
        string_split_regex(
            lower(regexp_replace(
                regexp_replace(environment, '(\p{Ll})(\p{Lu})', '\1 \2', 'g'), '([0-9]+)', ' \1', 'g'
            )),
            '[^\pL\pN]+'
        ) as words
    from {{ ref('int_deployment_records') }}
    group by repository_id, environment
),

read as (
    select
        repository_id,
        environment,
        list_intersect(words, {{ words.format('') }})[1] as production_word,
        coalesce(list_has_any(words, {{ words.format('not') }}), false) as is_like_staging
    from environments
),

rules as (select * from {{ ref('int_service_rules') }}),

matched as (
    select
        services.service,
        read.repository_id,
        read.environment,
        read.is_like_staging or count(*) filter (where rules.kind = 'exclude') > 0 as is_excluded,
        case
            when services.service in (select service from rules where kind = 'environment')
                then min(rules.rule) filter (where rules.kind = 'environment')
            when not read.is_like_staging then 'the environment says ' || read.production_word
        end as production_rule,
        min(rules.rule) filter (where rules.kind = 'service_environment') as own_rule
    from read
    inner join {{ ref('int_services') }} as services using (repository_id)
    left join rules
        on rules.service = services.service
        and {{ found_by('read.environment', 'rules') }}
    group by services.service, read.repository_id, read.environment, read.is_like_staging, read.production_word
)

select
    service,
    repository_id,
    environment,
    production_rule is not null or (own_rule is not null and not is_excluded) as is_production,
    production_rule is not null as is_named_production,
    own_rule is not null as is_own,
    coalesce(production_rule, own_rule) as rule
from matched
