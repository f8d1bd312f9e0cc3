-- How often a scope deploys, by its typical day: lower medians over weekdays, 7-day blocks and 30-day blocks, counted back
-- from the last local midnight to the service's first deployment at most. A scope of several services has the median of
-- those that were deployed within half a year.
{% set half_a_year = 182 -%}

with now as (select * from {{ ref('int_now') }}),

windows as (select unnest([30, 90, 180, 365])::integer as window_days),

services as (
    select services.*, coalesce(moments.is_unread, false) as is_unread
    from {{ ref('int_services') }} as services
    left join {{ ref('int_as_of') }} as moments on moments.kind = 'repository' and moments.part = services.repository_id
),

members as (
    -- of one that was never read completely nobody knows how often it deploys
    select 'all' as scope_type, 'all' as scope, service from services where not is_unread
    union all
    select 'repository', repository_id, service from services
    union all
    select 'service', service, service from services
    union
    select 'team', teams.team, teams.service
    from {{ ref('int_team_services') }} as teams
    inner join services using (service)
    where not services.is_unread
),

of_scopes as (
    select members.*, {{ local_date('scopes.as_of', 'now.timezone') }} as today
    from members
    inner join {{ ref('int_scopes') }} as scopes using (scope_type, scope)
    cross join now
),

deployed as (
    select deployments.service, {{ local_date('deployments.finished_at', 'now.timezone') }} as deployed_on, count(*) as deployment_count
    from {{ ref('int_deployments') }} as deployments
    cross join now
    where deployments.is_counted
    group by all
),

histories as (
    select
        of_scopes.service,
        of_scopes.today,
        max(deployed.deployed_on) >= of_scopes.today - {{ half_a_year }} as is_recent,
        greatest(least(of_scopes.today - min(deployed.deployed_on), (select max(window_days) from windows)), 0) as day_count
    from of_scopes
    inner join deployed on deployed.service = of_scopes.service and deployed.deployed_on <= of_scopes.today
    group by of_scopes.service, of_scopes.today
),

days as (
    select
        histories.service,
        histories.today,
        histories.days_ago,
        isodow(histories.today - histories.days_ago::integer) <= 5 as is_weekday,
        coalesce(deployed.deployment_count, 0) as deployment_count
    from (select *, unnest(range(1, day_count + 1)) as days_ago from histories) as histories
    left join deployed
        on deployed.service = histories.service and deployed.deployed_on = histories.today - histories.days_ago::integer
),

blocks as (
    -- only whole blocks tell how much is in one, unless the service is younger than that
    select *
    from (
        select lengths.length, days.service, days.today, windows.window_days, (days.days_ago - 1) // lengths.length as block,
            count(*) as day_count, sum(days.deployment_count) as deployment_count
        from days
        cross join windows
        cross join (values (7), (30)) as lengths (length)
        where days.days_ago <= windows.window_days
        group by all
    )
    where day_count = length or block = 0
),

of_blocks as (
    select
        service,
        today,
        window_days,
        quantile_disc(deployment_count, 0.5) filter (where length = 7) as in_a_week,
        quantile_disc(deployment_count, 0.5) filter (where length = 30) as in_a_month
    from blocks
    group by service, today, window_days
),

of_days as (
    select
        days.service,
        days.today,
        windows.window_days,
        count(*) filter (where days.is_weekday) as weekday_count,
        quantile_disc(days.deployment_count, 0.5) filter (where days.is_weekday) as on_a_weekday,
        sum(days.deployment_count) as deployment_count
    from days
    cross join windows
    where days.days_ago <= windows.window_days
    group by days.service, days.today, windows.window_days
),

of_services as (
    select
        histories.service,
        histories.today,
        windows.window_days,
        histories.is_recent,
        coalesce(of_days.weekday_count, 0) as weekday_count,
        case
            when coalesce(of_days.weekday_count, 0) < {{ sample_minimum() }} then null
            when of_days.on_a_weekday >= 2 then 10.0
            when of_days.on_a_weekday >= 1 then 8.0
            when of_blocks.in_a_week >= 1 then 6.0
            when of_blocks.in_a_month >= 1 then 4.0
            -- a window shorter than half a year cannot tell the last two answers apart
            when of_days.deployment_count > 0 or windows.window_days < {{ half_a_year }} then 2.0
            else 0.0
        end::double as score
    from histories
    cross join windows
    left join of_days using (service, today, window_days)
    left join of_blocks using (service, today, window_days)
),

summed as (
    select
        of_scopes.scope_type,
        of_scopes.scope,
        windows.window_days,
        count(*) as service_count,
        count(of_services.service) > 0 as has_deployed,
        max(of_services.weekday_count) as weekday_count,
        any_value(of_services.score) as only_score,
        count(*) filter (where of_services.is_recent) as recent_count,
        count(of_services.score) filter (where of_services.is_recent) as scored_count,
        median(of_services.score) filter (where of_services.is_recent) as median_score
    from of_scopes
    cross join windows
    left join of_services using (service, today, window_days)
    group by of_scopes.scope_type, of_scopes.scope, windows.window_days
),

judged as (
    select
        *,
        case
            when not has_deployed then null
            when service_count = 1 then only_score
            when recent_count = 0 then 0.0
            else median_score
        end::double as score
    from summed
)

select
    scope_type,
    scope,
    window_days,
    has_deployed,
    score,
    case when service_count = 1 then (score is not null)::bigint else scored_count end as service_count,
    case
        when not has_deployed then 'no deployment is known'
        when score is null
            then 'only ' || weekday_count || ' weekdays since the first deployment, {{ sample_minimum() }} are needed'
    end as missing_because
from judged
