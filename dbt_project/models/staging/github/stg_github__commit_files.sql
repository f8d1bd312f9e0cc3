with source as (select * from {{ source('github', 'commit_files') }})

select
    -- ids
    {{ connection_of('github') }} as connection,
    commit_id as commit_key,
    repository_id as repository_key,
    -- text
    sha,
    path
from source
