with source as (select * from {{ source('github', 'pull_request_files') }})

select
    -- ids
    {{ connection_of('github') }} as connection,
    pull_request_id as pull_request_key,
    repository_id as repository_key,
    -- text
    path
from source
