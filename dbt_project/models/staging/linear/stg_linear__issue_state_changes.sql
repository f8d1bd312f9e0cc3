with source as (select * from {{ source('linear', 'issue_state_changes') }})

select
    -- ids
    id as state_change_key,
    issue_id as issue_key,
    from_state_id as from_state_key,
    to_state_id as to_state_key,
    actor_id as actor_key,
    -- text
    to_state_type,
    -- times, UTC
    {{ utc('changed_at') }} as changed_at
from source
