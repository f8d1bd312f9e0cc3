-- a repository with rules of its own has the whole set under its name, so the general rows are for all others
with rules as (select * from {{ source('config', 'failure_rules') }})

select
    settings.repository_id,
    rules.kind,
    rules.pattern,
    rules.pattern_regex,
    rules.rule
from {{ ref('int_repository_settings') }} as settings
inner join rules on rules.repository is not distinct from settings.configured_name

union

-- issues of a tracker belong to no repository: the general rules hold
select null, kind, pattern, pattern_regex, rule
from rules
where repository is null
