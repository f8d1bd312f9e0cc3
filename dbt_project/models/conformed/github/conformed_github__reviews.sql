-- a PENDING review is seen by its writer alone: it does not exist yet
select
    connection,
    'github' as source,
    review_key as source_key,
    pull_request_key,
    {{ handle('author_login', 'author_type') }} as reviewer_handle,
    lower(state) as state,
    url,
    submitted_at
from {{ ref('stg_github__pull_request_reviews') }}
where
    submitted_at is not null
    and state <> 'PENDING'
