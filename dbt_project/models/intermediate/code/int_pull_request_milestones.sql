with pull_requests as (select * from {{ ref('int_pull_requests_unioned') }}),

-- what may start or end a clock: another human did it. A deleted account is taken for one, unless the author's is
-- deleted too: then nobody can tell them apart
reviews as (
    select * from {{ ref('int_reviews_unioned') }}
    where not is_bot and not is_author
),

responses as (
    select pull_request_id, submitted_at as responded_at from reviews
    union all
    select pull_request_id, commented_at
    from {{ ref('int_pull_request_comments_unioned') }}
    where not is_bot and not is_author
),

commits as (
    select pull_request_id, min(authored_at) as first_commit_at
    from {{ ref('int_pull_request_commits_unioned') }}
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

drafts as (
    select
        events.pull_request_id,
        min(events.occurred_at) filter (where events.event = 'ready_for_review') as first_left_at,
        max(events.occurred_at) filter (
            where events.event = 'ready_for_review' and events.occurred_at <= first_reviews.first_review_at
        ) as last_left_before_review_at
    from {{ ref('int_pull_request_draft_events_unioned') }} as events
    left join first_reviews using (pull_request_id)
    group by events.pull_request_id
),

ready as (
    select
        pull_requests.pull_request_id,
        case
            when pull_requests.is_draft then null
            when drafts.pull_request_id is null then pull_requests.created_at
            else coalesce(drafts.last_left_before_review_at, drafts.first_left_at)
        end as ready_at
    from pull_requests
    left join drafts using (pull_request_id)
),

first_responses as (
    select ready.pull_request_id, min(responses.responded_at) as first_response_at
    from ready
    inner join responses using (pull_request_id)
    where responses.responded_at >= ready.ready_at
    group by ready.pull_request_id
),

review_counts as (
    select pull_request_id, count(*) as review_count
    from {{ ref('int_reviews_unioned') }}
    group by pull_request_id
),

comment_counts as (
    select pull_request_id, count(*) as comment_count
    from {{ ref('int_pull_request_comments_unioned') }}
    group by pull_request_id
)

select
    pull_requests.pull_request_id,
    commits.first_commit_at,
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
