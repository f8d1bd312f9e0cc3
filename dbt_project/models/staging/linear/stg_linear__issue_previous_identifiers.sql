with source as (select * from {{ source('linear', 'issue_previous_identifiers') }})

select
    -- ids
    {{ connection_of('linear') }} as connection,
    issue_id as issue_key,
    -- text
    identifier
from source
