with source as (select * from {{ source('github', 'tags') }})

select
    -- ids
    {{ connection_of('github') }} as connection,
    id as tag_key,
    repository_id as repository_key,
    -- text
    name as tag,
    sha
from source
