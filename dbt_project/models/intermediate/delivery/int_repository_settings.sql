-- A repository is found in the settings under its present name or the one it was configured as.
with repositories as (select * from {{ ref('int_repositories_unioned') }}),

settings as (select * from {{ source('config', 'repository_settings') }}),

own_settings as (
    select repositories.repository_id, settings.repository as configured_name
    from repositories
    inner join settings
        on lower(settings.repository) in (lower(repositories.name), lower(repositories.configured_as))
    qualify row_number() over (
        partition by repositories.repository_id
        order by lower(settings.repository) = lower(repositories.name) desc, settings.repository
    ) = 1
)

select
    repositories.repository_id,
    own_settings.configured_name,
    settings.deployment_source,
    settings.count_redeploys,
    settings.incident_window_hours,
    settings.revert_window_hours
from repositories
left join own_settings using (repository_id)
inner join settings on settings.repository is not distinct from own_settings.configured_name
