-- distinct: a row that was loaded twice is one
select distinct
    repositories.repository_id || '/releases/' || releases.tag as release_id,
    releases.source_key,
    repositories.repository_id,
    releases.tag,
    releases.sha,
    releases.url,
    releases.is_prerelease,
    releases.published_at
from {{ ref('int_releases_unioned') }} as releases
inner join {{ ref('int_repositories') }} as repositories
    on releases.connection = repositories.connection and releases.repository_key = repositories.source_key
