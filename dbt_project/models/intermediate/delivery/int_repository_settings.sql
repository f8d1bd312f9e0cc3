-- A repository is found in the settings under its present name or the one it was configured as; else the general ones
-- hold, which have no name.
select
    repositories.repository_id,
    settings.repository as configured_name,
    settings.deployment_source,
    settings.count_redeploys,
    settings.incident_window_hours,
    settings.revert_window_hours,
    settings.hotfix_window_hours
from {{ ref('int_repositories') }} as repositories
inner join {{ source('config', 'repository_settings') }} as settings
    on settings.repository is null
    or {{ names_repository('settings.repository', 'repositories') }}
qualify row_number() over (
    partition by repositories.repository_id
    order by
        lower(settings.repository) in (lower(repositories.name), repositories.connection || ':' || lower(repositories.name))
        desc nulls last,
        settings.repository
) = 1
