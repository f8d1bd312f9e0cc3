with source as (select * from {{ source('linear', 'users') }})

select
    -- ids
    {{ connection_of('linear') }} as connection,
    id as user_key,
    -- text
    name,
    display_name,
    email,
    avatar_url,
    -- booleans
    is_active,
    is_app,
    -- times, UTC
    {{ utc('created_at') }} as created_at,
    {{ utc('updated_at') }} as updated_at
from source
where deleted_at is null
