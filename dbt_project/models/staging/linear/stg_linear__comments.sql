with source as (select * from {{ source('linear', 'comments') }})

select
    -- ids
    id as comment_key,
    issue_id as issue_key,
    user_id as user_key,
    -- times, UTC
    {{ utc('created_at') }} as created_at,
    {{ utc('updated_at') }} as updated_at
from source
