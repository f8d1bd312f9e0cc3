with source as (select * from {{ source('github', 'commit_pull_requests') }})

select
    -- ids
    {{ connection_of('github') }} as connection,
    commit_id as commit_key,
    repository_id as repository_key,
    pull_request_id as pull_request_key,
    -- text
    sha,
    -- numbers
    pull_request_number
from source
