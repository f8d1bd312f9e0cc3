with source as (select * from {{ source('github', 'deployments') }})

select
    -- ids
    {{ connection_of('github') }} as connection,
    id as deployment_key,
    database_id as deployment_number,
    repository_id as repository_key,
    sha,
    -- text
    environment,
    ref,
    state as vendor_state,
    -- times, UTC
    {{ utc('created_at') }} as created_at
from source
where deleted_at is null
