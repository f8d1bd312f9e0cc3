select
    source,
    table_name,
    repository,
    case when starts_with(source_key, connection || ':') then substr(source_key, length(connection) + 2) else source_key end
        as source_key,
    connection,
    attempted_at,
    succeeded_at,
    read_at,
    row_count as rows,
    watermark,
    error,
    is_full,
    requests,
    points,
    waited_seconds,
    bytes_received,
    skipped,
    skipped_example,
    coalesce(read_at < max(read_at) over () - settings.stale_after_hours * interval 1 hour, false) as is_stale
from {{ ref('int_sync_status') }}
cross join {{ ref('int_settings') }} as settings
