with source as (select * from {{ source('linear', 'issue_labels') }})

select
    -- ids
    {{ connection_of('linear') }} as connection,
    issue_id as issue_key,
    label_id as label_key,
    -- text
    name as label
from source
