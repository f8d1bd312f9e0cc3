-- Open pull requests of people, by every scope that they belong to, and how long they have been open at the last load.
with now as (
    select max(as_of) as as_of
    from marts.dora_scorecard
)

select
    scope_key(pulls.scope_type, pulls.scope) as scope_key,
    pulls.pull_request_id,
    short_name(pulls.repository_id) as repository,
    pulls.number,
    pulls.title,
    pulls.author,
    web_address(pulls.url) as url,
    date_diff('hour', pulls.created_at, now.as_of) / 24 as days_open,
    case
        when pulls.is_draft then 'draft'
        when pulls.first_response_at is null then 'waits for a first response'
        when pulls.first_approval_at is null then 'in review'
        else 'approved'
    end as stage
from (select 1) as always
cross join now
left join (
    select measured.scope_type, measured.scope, pulls.*
    from marts.fct_pull_requests as pulls
    inner join marts.metric_measurements as measured on pulls.pull_request_id = measured.entity_id
    where measured.metric = 'pull_requests_opened' and pulls.state = 'open' and not pulls.is_bot
) as pulls on true
order by days_open desc, pull_request_id
