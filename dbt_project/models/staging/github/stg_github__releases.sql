with source as (select * from {{ source('github', 'releases') }})

select
    -- ids
    {{ connection_of('github') }} as connection,
    id as release_key,
    repository_id as repository_key,
    sha,
    -- text
    tag_name as tag,
    url,
    -- booleans
    is_draft,
    is_prerelease,
    -- times, UTC
    {{ utc('published_at') }} as published_at
from source
where deleted_at is null
