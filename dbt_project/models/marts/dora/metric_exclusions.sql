select
    metric,
    entity_id,
    exclusion_code as code,
    excluded_because as reason
from {{ ref('metric_measurements') }}
where scope_type = 'all' and excluded_because is not null
