-- A service with paths has the changes that touch them; any other has all changes of its repository.
with services as (select * from {{ ref('int_services') }}),

path_rules as (select * from {{ ref('int_service_rules') }} where kind = 'path'),

changes as (
    select pull_request_id as change_id, repository_id from {{ ref('int_pull_requests') }}
    union all
    select repository_id || '@' || sha as change_id, repository_id from {{ ref('int_commits') }}
),

files as (
    select pull_requests.repository_id, files.pull_request_id as change_id, files.path
    from {{ ref('int_pull_request_files') }} as files
    inner join {{ ref('int_pull_requests') }} as pull_requests using (pull_request_id)
    union all
    select repository_id, repository_id || '@' || sha as change_id, path
    from {{ ref('int_commit_files') }}
),

paths_of_services as (
    select distinct paths.repository_id, paths.path, path_rules.service
    from (select distinct repository_id, path from files) as paths
    inner join path_rules
        on path_rules.repository_id = paths.repository_id
        and {{ found_by('paths.path', 'path_rules') }}
)

select changes.change_id, services.repository_id, services.service
from changes
inner join services using (repository_id)
where not services.has_paths

union all

select distinct files.change_id, files.repository_id, paths_of_services.service
from files
inner join paths_of_services using (repository_id, path)
