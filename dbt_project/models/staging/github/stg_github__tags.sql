with source as (select * from {{ source('github', 'tags') }})

select
    -- ids
    {{ connection_of('github') }} as connection,
    id as tag_key,
    repository_id as repository_key,
    -- text
    name as tag,
    sha,
    -- times, UTC
    {{ utc('tagged_at') }} as tagged_at,
    {{ utc('committed_at') }} as committed_at
from source
