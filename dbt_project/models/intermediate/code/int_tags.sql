-- A row that was loaded twice is one.
select
    tags.source_key,
    repositories.repository_id,
    tags.tag,
    tags.sha,
    tags.url,
    tags.tagged_at
from {{ ref('int_tags_unioned') }} as tags
inner join {{ ref('int_repositories') }} as repositories
    on tags.connection = repositories.connection and tags.repository_key = repositories.source_key
qualify row_number() over (partition by repositories.repository_id, tags.tag order by tags.sha, tags.source_key) = 1
