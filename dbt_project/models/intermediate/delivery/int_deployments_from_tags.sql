-- A service's own tags take the place of its repository's patterns.
select
    services.service || '/tags/' || tags.tag as deployment_id,
    tags.source_key,
    tags.repository_id,
    services.service,
    'production' as environment,
    true as is_production,
    'tag' as source,
    'tags' as kind,
    min(rules.rule) as rule,
    'success' as status,
    tags.sha,
    tags.tag as ref,
    tags.url,
    tags.tagged_at as started_at,
    tags.tagged_at as finished_at
from {{ ref('int_tags') }} as tags
inner join {{ ref('int_repository_settings') }} as settings using (repository_id)
inner join {{ ref('int_services') }} as services using (repository_id)
inner join {{ ref('int_service_rules') }} as rules
    on rules.service = services.service
    and rules.kind = case when services.has_own_tags then 'tag' else 'deployment_tag' end
    and {{ found_by('tags.tag', 'rules') }}
where settings.deployment_source = 'tags' and tags.tagged_at is not null
group by all
