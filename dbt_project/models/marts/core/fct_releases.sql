select
    releases.release_id,
    {{ provider_key('releases.source_key', 'releases.release_id') }} as source_key,
    {{ connection_in('releases.release_id') }} as connection,
    releases.repository_id,
    releases.tag,
    coalesce(releases.sha, tags.sha) as sha,
    releases.url,
    releases.is_prerelease,
    releases.published_at
from {{ ref('int_releases') }} as releases
left join {{ ref('int_tags') }} as tags using (repository_id, tag)
