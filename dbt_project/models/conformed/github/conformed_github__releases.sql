select
    connection,
    'github' as source,
    release_key as source_key,
    repository_key,
    tag,
    sha,
    url,
    is_prerelease,
    published_at
from {{ ref('stg_github__releases') }}
where not is_draft and published_at is not null
