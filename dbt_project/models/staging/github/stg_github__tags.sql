with source as (select * from {{ source('github', 'tags') }})

select
    -- ids
    id as tag_key,
    repository_id as repository_key,
    -- text
    name as tag,
    sha
from source
