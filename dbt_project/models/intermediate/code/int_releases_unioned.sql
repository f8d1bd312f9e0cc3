-- distinct: a row that was loaded twice is one
select distinct
    repositories.repository_id || '/releases/' || releases.tag as release_id,
    releases.release_key as source_key,
    repositories.repository_id,
    releases.tag,
    releases.sha,
    releases.url,
    releases.is_prerelease,
    releases.published_at
from {{ ref('stg_github__releases') }} as releases
inner join {{ ref('int_repositories_unioned') }} as repositories on repositories.source_key = releases.repository_key
where not releases.is_draft and releases.published_at is not null
