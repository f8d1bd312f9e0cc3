select
    connection,
    'github' as source,
    comment_key as source_key,
    pull_request_key,
    {{ handle('author_login', 'author_type') }} as author_handle,
    created_at as commented_at
from {{ ref('stg_github__pull_request_comments') }}

union all

-- written with a review, a comment is seen by others only when the review is submitted
select
    comments.connection,
    'github',
    comments.comment_key,
    comments.pull_request_key,
    {{ handle('comments.author_login', 'comments.author_type') }},
    greatest(comments.created_at, reviews.submitted_at)
from {{ ref('stg_github__pull_request_review_comments') }} as comments
left join {{ ref('stg_github__pull_request_reviews') }} as reviews
    on comments.review_key = reviews.review_key
where reviews.review_key is null or reviews.submitted_at is not null
