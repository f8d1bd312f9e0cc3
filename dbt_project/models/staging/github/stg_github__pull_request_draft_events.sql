with source as (select * from {{ source('github', 'pull_request_draft_events') }})

select
    -- ids
    {{ connection_of('github') }} as connection,
    id as draft_event_key,
    pull_request_id as pull_request_key,
    repository_id as repository_key,
    -- text
    event,
    {{ account('actor_login') }} as actor_login,
    -- times, UTC
    {{ utc('occurred_at') }} as occurred_at
from source
