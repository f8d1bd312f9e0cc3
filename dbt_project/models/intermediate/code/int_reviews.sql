select distinct
    {{ readable_key('reviews.source_key', 'reviews.connection') }} as review_id,
    reviews.source_key,
    pull_requests.pull_request_id,
    reviewer.person as reviewer,
    coalesce(reviewer.is_bot, false) as is_bot,
    reviewer.person is not distinct from pull_requests.author as is_author,
    reviews.state,
    reviews.url,
    reviews.submitted_at
from {{ ref('int_reviews_unioned') }} as reviews
inner join {{ ref('int_pull_requests') }} as pull_requests
    on reviews.connection = pull_requests.connection and reviews.pull_request_key = pull_requests.source_key
left join {{ ref('int_people_handles') }} as reviewer on reviewer.handle = reviews.reviewer_handle
