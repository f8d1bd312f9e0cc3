with source as (select * from {{ source('linear', 'issue_previous_identifiers') }})

select
    -- ids
    issue_id as issue_key,
    -- text
    identifier
from source
