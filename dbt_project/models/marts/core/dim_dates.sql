with moments as (
    select created_at as occurred_at from {{ ref('int_pull_requests') }}
    union all
    select created_at from {{ ref('int_issues') }}
    union all
    select coalesce(started_at, finished_at) from {{ ref('int_deployments') }}
),

bounds as (
    select
        cast(min(moments.occurred_at) at time zone 'UTC' at time zone any_value(settings.timezone) as date) as first_day,
        cast(
            (select max(as_of) from {{ ref('int_as_of') }}) at time zone 'UTC' at time zone any_value(settings.timezone)
            as date
        ) as last_day
    from moments
    cross join {{ ref('int_settings') }} as settings
),

days as (
    select cast(unnest(generate_series(first_day, last_day, interval 1 day)) as date) as date_day
    from bounds
)

select
    date_day,
    cast(date_trunc('week', date_day) as date) as week_start,
    cast(date_trunc('month', date_day) as date) as month_start,
    cast(date_trunc('quarter', date_day) as date) as quarter_start,
    cast(isodow(date_day) as integer) as day_of_week,
    isodow(date_day) >= 6 as is_weekend
from days
