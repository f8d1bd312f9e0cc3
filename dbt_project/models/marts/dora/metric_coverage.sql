select
    metric,
    scope_type,
    scope,
    count(*) as eligible,
    count(*) filter (where excluded_because is null) as measured,
    count(*) filter (where excluded_because is not null) as excluded,
    count(*) filter (where excluded_because is null) / count(*)::double as measured_share,
    any_value(scopes.stale_repositories) as stale_repositories,
    any_value(scopes.unread_repositories) as unread_repositories
from {{ ref('metric_measurements') }}
left join {{ ref('int_scopes') }} as scopes using (scope_type, scope)
group by metric, scope_type, scope
