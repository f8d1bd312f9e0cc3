select
    review_id,
    source_key,
    pull_request_id,
    {{ public_person('reviewer', 'is_bot') }} as reviewer,
    is_bot,
    is_author,
    state,
    submitted_at
from {{ ref('int_reviews_unioned') }}
