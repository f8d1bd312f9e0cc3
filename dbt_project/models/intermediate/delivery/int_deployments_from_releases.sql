with releases as (select * from {{ ref('int_releases') }} where not is_prerelease),

rules as (select * from {{ ref('int_service_rules') }})

select
    services.service || '/releases/' || releases.tag as deployment_id,
    releases.source_key,
    releases.repository_id,
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
inner join {{ ref('int_services') }} as services on services.repository_id = releases.repository_id
left join {{ ref('int_tags') }} as tags
    on tags.repository_id = releases.repository_id and tags.tag = releases.tag
where
    not services.has_own_tags
    or exists (
        select 1 from rules
        where rules.service = services.service and rules.kind = 'tag' and {{ found_by('releases.tag', 'rules') }}
    )
