with source as (select * from {{ source('operations', 'sync_status') }})

select
    -- ids
    source,
    -- before there were connections, each row was of the vendor's own
    coalesce(connection, split_part(source, '_', 1)) as connection,
    table_name,
    repository,
    source_key,
    -- text
    error,
    skipped_example,
    -- numbers
    rows as row_count,
    requests,
    points,
    waited_seconds,
    bytes_received,
    coalesce(skipped, 0) as skipped,
    -- booleans
    is_full,
    -- times, UTC
    {{ utc('attempted_at') }} as attempted_at,
    {{ utc('succeeded_at') }} as succeeded_at,
    {{ utc('read_at') }} as read_at,
    {{ utc('watermark') }} as watermark
from source
