-- a repository with rules of its own has the whole set under its name, so the general rows are for all others
with repositories as (select * from {{ ref('int_repositories_unioned') }}),

rules as (select * from {{ source('config', 'failure_rules') }}),

own as (
    select distinct repositories.repository_id, settings.repository
    from repositories
    inner join {{ source('config', 'repository_settings') }} as settings
        on lower(settings.repository) in (lower(repositories.name), lower(repositories.configured_as))
)

select distinct
    repositories.repository_id,
    rules.kind,
    rules.pattern,
    rules.pattern_regex,
    rules.rule
from repositories
left join own using (repository_id)
inner join rules on rules.repository is not distinct from own.repository
union all
-- issues of a tracker belong to no repository: the general rules hold
select distinct null, kind, pattern, pattern_regex, rule
from rules
where repository is null
