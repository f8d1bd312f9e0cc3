with source as (select * from {{ source('linear', 'attachments') }})

select
    -- ids
    {{ connection_of('linear') }} as connection,
    id as attachment_key,
    issue_id as issue_key,
    -- text
    url,
    title,
    source_type,
    -- times, UTC
    {{ utc('created_at') }} as created_at,
    {{ utc('updated_at') }} as updated_at
from source
