select
    review_id,
    {{ provider_key('source_key', 'review_id') }} as source_key,
    {{ connection_in('review_id') }} as connection,
    pull_request_id,
    {{ public_person('reviewer', 'is_bot') }} as reviewer,
    is_bot,
    is_author,
    state,
    submitted_at
from {{ ref('int_reviews') }}
