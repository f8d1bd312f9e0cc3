select
    tags.connection,
    'github' as source,
    tags.tag_key as source_key,
    tags.repository_key,
    tags.tag,
    tags.sha,
    repositories.url || '/releases/tag/' || url_encode(tags.tag) as url,
    -- a lightweight tag has no date of its own
    coalesce(tags.tagged_at, tags.committed_at) as tagged_at
from {{ ref('stg_github__tags') }} as tags
left join {{ ref('stg_github__repositories') }} as repositories
    on repositories.connection = tags.connection and repositories.repository_key = tags.repository_key
