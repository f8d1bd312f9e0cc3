-- How much of what could be measured was.
select
    scope_key(coverage.scope_type, coverage.scope) as scope_key,
    metric_title(coverage.metric) as title,
    coverage.*
from (select 1) as always
left join marts.metric_coverage as coverage on true
order by scope_key, title
