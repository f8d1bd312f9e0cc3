-- the earliest of the tables counts: numbers that join two tables are only as fresh as the staler one
select
    status.source,
    min(status.read_at) as as_of
from {{ ref('int_sync_status') }} as status
left join {{ ref('int_repositories_unioned') }} as repositories
    on status.connection = repositories.connection
    and lower(status.repository) in (lower(repositories.name), repositories.connection || ':' || lower(repositories.name))
where
    status.read_at is not null
    and not coalesce(repositories.is_removed, false)
group by status.source
