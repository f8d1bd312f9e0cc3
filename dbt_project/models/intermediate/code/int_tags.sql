select
    repositories.repository_id,
    tags.tag,
    min(tags.sha) as sha
from {{ ref('int_tags_unioned') }} as tags
inner join {{ ref('int_repositories') }} as repositories
    on tags.connection = repositories.connection and tags.repository_key = repositories.source_key
group by repositories.repository_id, tags.tag
