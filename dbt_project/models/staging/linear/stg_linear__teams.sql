with source as (select * from {{ source('linear', 'teams') }})

select
    -- ids
    {{ connection_of('linear') }} as connection,
    id as team_key,
    -- text
    key,
    name,
    -- booleans
    is_private,
    -- times, UTC
    {{ utc('created_at') }} as created_at,
    {{ utc('updated_at') }} as updated_at,
    {{ utc('archived_at') }} as archived_at
from source
