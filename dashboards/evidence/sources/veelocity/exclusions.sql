-- What was left out of each metric, and why.
select metric_title(excluded.metric) as title, excluded.*
from (select 1) as always
left join (
    select metric, reason, count(*) as times
    from marts.metric_exclusions
    group by metric, reason
) as excluded on true
order by title, times desc, reason
