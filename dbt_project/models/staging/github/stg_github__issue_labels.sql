with source as (select * from {{ source('github', 'issue_labels') }})

select
    -- ids
    {{ connection_of('github') }} as connection,
    issue_id as issue_key,
    repository_id as repository_key,
    -- text
    name as label
from source
