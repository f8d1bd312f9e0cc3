with source as (select * from {{ source('linear', 'projects') }})

select
    -- ids
    id as project_key,
    -- text
    name,
    status_type,
    url,
    -- times, UTC
    {{ utc('started_at') }} as started_at,
    {{ utc('completed_at') }} as completed_at,
    {{ utc('canceled_at') }} as canceled_at,
    {{ utc('created_at') }} as created_at,
    {{ utc('updated_at') }} as updated_at,
    {{ utc('archived_at') }} as archived_at
from source
where deleted_at is null
