with github as (
    select
        connection,
        comment_key,
        pull_request_key,
        author_login,
        author_type,
        created_at as commented_at
    from {{ ref('stg_github__pull_request_comments') }}
    union all
    -- written with a review, a comment is seen by others only when the review is submitted
    select
        comments.connection,
        comments.comment_key,
        comments.pull_request_key,
        comments.author_login,
        comments.author_type,
        greatest(comments.created_at, reviews.submitted_at)
    from {{ ref('stg_github__pull_request_review_comments') }} as comments
    left join {{ ref('stg_github__pull_request_reviews') }} as reviews
        on comments.review_key = reviews.review_key
    where reviews.review_key is null or reviews.submitted_at is not null
)

select distinct
    {{ readable_key('github.comment_key', 'github.connection') }} as comment_id,
    pull_requests.pull_request_id,
    author.person as author,
    coalesce(author.is_bot, false) as is_bot,
    author.person is not distinct from pull_requests.author as is_author,
    github.commented_at
from github
inner join {{ ref('int_pull_requests_unioned') }} as pull_requests
    on github.pull_request_key = pull_requests.source_key
left join {{ ref('int_people_handles') }} as author
    on author.handle = {{ handle('github.author_login', 'github.author_type') }}
