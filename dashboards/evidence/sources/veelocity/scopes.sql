-- Everything that has numbers of its own: all, repositories, services, teams. A repository that is one service is
-- listed once. A query without rows would make no table for the pages, so each has a row of NULLs at least.
select
    scope_key(found.scope_type, found.scope) as scope_key,
    found.scope_type,
    found.scope,
    case found.scope_type
        when 'all' then 'All repositories'
        else upper(found.scope_type[1]) || found.scope_type[2:] || ' ' || short_name(found.scope)
    end as label,
    list_position(['all', 'repository', 'service', 'team'], found.scope_type) as place
from (select 1) as always
left join (
    select distinct scope_type, scope
    from marts.dora_metrics
    where
        scope_type <> 'service'
        or scope not in (select scope from marts.dora_metrics where scope_type = 'repository')
) as found on true
order by place, lower(label), label
