with source as (select * from {{ source('github', 'pull_request_closing_references') }})

select
    -- ids
    {{ connection_of('github') }} as connection,
    pull_request_id as pull_request_key,
    repository_id as repository_key,
    issue_id as issue_key,
    issue_repository_id as issue_repository_key,
    -- text
    issue_repository,
    -- numbers
    issue_number
from source
