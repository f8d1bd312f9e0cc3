-- When each repository and each tracker's team was last read completely, by the server's clock; a row for the rest of a
-- source too (`*`). What joins two tables is only as fresh as the staler one. One is stale when it was read long before
-- the newest: it keeps its own moment and holds nobody back.
with status as (
    select
        *,
        source in ({{ sources_with('tracker_teams') }}) as is_of_trackers,
        repository = '*' or repository like '%:*' as is_general
    from {{ ref('int_sync_status') }}
),

of_parts as (
    select 'repository' as kind, repositories.repository_id as part, repositories.name, status.read_at, status.is_general
    from {{ ref('int_repositories') }} as repositories
    inner join status
        on
            status.connection = repositories.connection
            and (
                status.is_general
                or lower(status.repository)
                in (lower(repositories.name), repositories.connection || ':' || lower(repositories.name))
            )
    where not repositories.is_removed

    union all

    select 'tracker', trackers.team_key, trackers.team_key, status.read_at, status.is_general
    from (
        select lower(team_key) as team_key from {{ ref('int_team_trackers') }}
        union
        select lower(repository) from status where is_of_trackers and not is_general
    ) as trackers
    inner join status
        on
            status.is_of_trackers
            and (
                lower(status.repository) = trackers.team_key
                or status.is_general
                and status.connection
                = case when contains(trackers.team_key, ':') then split_part(trackers.team_key, ':', 1) else status.source end
            )

    union all

    select 'source', source, source, read_at, is_general
    from status
    where is_general
),

read as (
    select
        kind,
        part,
        any_value(name) as name,
        min(read_at) as as_of,
        -- that a whole source could not be reached takes nothing from what was read of a part before
        coalesce(bool_or(read_at is null) filter (where not is_general), bool_or(read_at is null)) as is_unread
    from of_parts
    group by kind, part
)

select
    read.*,
    coalesce(
        read.as_of < (select max(read_at) from status) - settings.stale_after_hours * interval 1 hour,
        false
    ) as is_stale
from read
cross join {{ ref('int_settings') }} as settings
