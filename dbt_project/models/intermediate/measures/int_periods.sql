with now as (select * from {{ ref('int_now') }}),

activity as (
    select min(created_at) as began_at from {{ ref('int_pull_requests') }}
    union all
    select min(created_at) from {{ ref('int_issues') }}
    union all
    select min(started_at) from {{ ref('int_deployments') }}
),

span as (
    select
        greatest(
            {{ local_date('min(activity.began_at)', 'any_value(now.timezone)') }},
            any_value(settings.start_date)
        ) as first_day,
        {{ local_date("(select max(as_of) from " ~ ref('int_scopes') ~ ")", 'any_value(now.timezone)') }} as last_day
    from activity
    cross join now
    cross join {{ ref('int_settings') }} as settings
),

periods as (
    select
        grain.period,
        cast(unnest(generate_series(
            date_trunc(grain.period, span.first_day), date_trunc(grain.period, span.last_day), grain.step
        )) as date) as period_start,
        grain.step
    from span
    cross join (
        values
            ('day', interval 1 day), ('week', interval 7 days), ('month', interval 1 month), ('quarter', interval 3 months)
    ) as grain (period, step)
)

-- for which scope one of them exists, and is over, its own moment says
select
    period,
    period_start,
    cast(period_start + step as date) as next_period_start
from periods
