select
    {{ program_version() }} as program_version,
    {{ metric_version() }} as metric_version,
    {{ schema_version() }} as schema_version,
    -- not the clock: the same rows, built again, are the same file
    max(as_of) as built_at
from {{ ref('int_as_of') }}
