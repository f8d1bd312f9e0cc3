-- a PENDING review is seen by its writer alone: it does not exist yet
select distinct
    {{ readable_key('github.review_key', 'github.connection') }} as review_id,
    github.review_key as source_key,
    pull_requests.pull_request_id,
    reviewer.person as reviewer,
    coalesce(reviewer.is_bot, false) as is_bot,
    reviewer.person is not distinct from pull_requests.author as is_author,
    lower(github.state) as state,
    github.url,
    github.submitted_at
from {{ ref('stg_github__pull_request_reviews') }} as github
inner join {{ ref('int_pull_requests_unioned') }} as pull_requests
    on github.pull_request_key = pull_requests.source_key
left join {{ ref('int_people_handles') }} as reviewer
    on reviewer.handle = {{ handle('github.author_login', 'github.author_type') }}
where
    github.submitted_at is not null
    and github.state <> 'PENDING'
