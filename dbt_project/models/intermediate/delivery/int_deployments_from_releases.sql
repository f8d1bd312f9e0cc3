-- One branch per vendor of releases; this one is GitHub.
with repositories as (select * from {{ ref('int_repositories_unioned') }}),

releases as (
    select * from {{ ref('stg_github__releases') }}
    where not is_draft and not is_prerelease and published_at is not null
),

rules as (select * from {{ ref('int_service_rules') }})

-- distinct: a row that was loaded twice is one
select distinct
    services.service || '/releases/' || releases.tag as deployment_id,
    releases.release_key as source_key,
    repositories.repository_id,
    services.service,
    'production' as environment,
    true as is_production,
    'release' as source,
    'releases' as kind,
    'success' as status,
    coalesce(releases.sha, tags.sha) as sha,
    releases.tag as ref,
    releases.url,
    releases.published_at as started_at,
    releases.published_at as finished_at
from releases
inner join repositories on repositories.source_key = releases.repository_key
inner join {{ ref('int_services') }} as services on services.repository_id = repositories.repository_id
left join {{ ref('int_tags_unioned') }} as tags
    on tags.repository_id = repositories.repository_id and tags.tag = releases.tag
where
    not services.has_own_tags
    or exists (
        select 1 from rules
        where rules.service = services.service and rules.kind = 'tag' and {{ found_by('releases.tag', 'rules') }}
    )
