with source as (select * from {{ source('linear', 'organization') }})

select
    -- ids
    {{ connection_of('linear') }} as connection,
    id as organization_key,
    url_key,
    -- text
    name,
    -- times, UTC
    {{ utc('created_at') }} as created_at
from source
