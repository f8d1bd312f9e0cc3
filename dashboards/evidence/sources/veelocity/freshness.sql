-- Each source's repositories and teams: up to when they are completely known, and what failed.
select
    source_title(status.source) as source,
    if(status.repository = '*', 'everything', status.repository) as repository,
    time_text(status.attempted_at) as attempted_at,
    time_text(status.read_at) as read_at,
    coalesce(status.error, '') as error,
    status.requests,
    status.points
from (select 1) as always
left join (
    select
        source,
        repository,
        max(attempted_at) as attempted_at,
        case when count(read_at) = count(*) then min(read_at) end as read_at,
        min(error) as error,
        sum(requests) as requests,
        sum(points) as points
    from marts.sync_status
    group by source, repository
) as status on true
order by status.error is null, status.read_at nulls first, source, repository
