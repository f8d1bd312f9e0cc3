with pull_requests as (select * from {{ ref('int_pull_requests') }}),

-- what may start or end a clock: another human did it. A deleted account is taken for one, unless the author's is
-- deleted too: then nobody can tell them apart
reviews as (
    select * from {{ ref('int_reviews') }}
    where not is_bot and not is_author
),

responses as (
    select pull_request_id, submitted_at as responded_at from reviews
    union all
    select pull_request_id, commented_at
    from {{ ref('int_pull_request_comments') }}
    where not is_bot and not is_author
),

commits as (
    select pull_request_id, min(written_at) as first_commit_at
    from {{ ref('int_pull_request_own_commits') }}
    group by pull_request_id
),

first_reviews as (
    select
        pull_request_id,
        min(submitted_at) as first_review_at,
        min(submitted_at) filter (where state = 'approved') as first_approval_at
    from reviews
    group by pull_request_id
),

events as (select * from {{ ref('int_pull_request_draft_events') }}),

became_ready as (
    select pull_request_id, occurred_at as ready_at from events where event = 'ready_for_review'
    union all
    -- opened as a draft was only what left draft first
    select pull_requests.pull_request_id, pull_requests.created_at
    from pull_requests
    left join (
        select pull_request_id, arg_min(event, occurred_at) as first_event from events group by pull_request_id
    ) as firsts using (pull_request_id)
    where firsts.first_event is distinct from 'ready_for_review'
),

ready as (
    select
        pull_requests.pull_request_id,
        pull_requests.merged_at,
        case
            when not pull_requests.is_draft
                then coalesce(
                    max(became_ready.ready_at) filter (where became_ready.ready_at <= first_reviews.first_review_at),
                    min(became_ready.ready_at)
                )
        end as ready_at
    from pull_requests
    left join became_ready using (pull_request_id)
    left join first_reviews using (pull_request_id)
    group by pull_requests.pull_request_id, pull_requests.merged_at, pull_requests.is_draft
),

first_responses as (
    select ready.pull_request_id, min(responses.responded_at) as first_response_at
    from ready
    inner join responses using (pull_request_id)
    where
        responses.responded_at >= ready.ready_at
        and (ready.merged_at is null or responses.responded_at <= ready.merged_at)
    group by ready.pull_request_id
),

review_counts as (
    select pull_request_id, count(*) as review_count
    from {{ ref('int_reviews') }}
    group by pull_request_id
),

comment_counts as (
    select pull_request_id, count(*) as comment_count
    from {{ ref('int_pull_request_comments') }}
    group by pull_request_id
)

select
    pull_requests.pull_request_id,
    -- a branch that was rewritten after it was opened was begun by then at the latest
    case when commits.first_commit_at is not null then least(commits.first_commit_at, pull_requests.created_at) end
        as first_commit_at,
    ready.ready_at,
    first_reviews.first_review_at,
    first_responses.first_response_at,
    first_reviews.first_approval_at,
    coalesce(review_counts.review_count, 0) as review_count,
    coalesce(comment_counts.comment_count, 0) as comment_count
from pull_requests
left join commits using (pull_request_id)
left join first_reviews using (pull_request_id)
left join ready using (pull_request_id)
left join first_responses using (pull_request_id)
left join review_counts using (pull_request_id)
left join comment_counts using (pull_request_id)
