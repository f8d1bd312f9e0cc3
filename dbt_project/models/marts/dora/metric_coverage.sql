select
    metric,
    scope_type,
    scope,
    count(*) as eligible,
    count(*) filter (where excluded_because is null) as measured,
    count(*) filter (where excluded_because is not null) as excluded,
    count(*) filter (where excluded_because is null) / count(*)::double as measured_share
from {{ ref('metric_measurements') }}
group by metric, scope_type, scope
