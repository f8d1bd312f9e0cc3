select
    source,
    table_name,
    repository,
    source_key,
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
    bytes_received
from {{ ref('int_sync_status') }}
