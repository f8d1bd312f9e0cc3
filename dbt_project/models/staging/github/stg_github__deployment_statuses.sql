with source as (select * from {{ source('github', 'deployment_statuses') }})

select
    -- ids
    id as deployment_status_key,
    deployment_id as deployment_key,
    -- text
    upper(state) as vendor_state,
    log_url,
    environment_url,
    -- times, UTC
    {{ utc('created_at') }} as created_at
from source
