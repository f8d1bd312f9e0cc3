with statistics as (
    select
        grain.period,
        cast(date_trunc(grain.period, measurements.measured_on) as date) as period_start,
        measurements.scope_type,
        measurements.scope,
        {{ dora_statistics() }}
    from {{ ref('metric_measurements') }} as measurements
    cross join (values ('day'), ('week'), ('month'), ('quarter')) as grain (period)
    group by all
)

select
    periods.period,
    periods.period_start,
    scopes.scope_type,
    scopes.scope,
    coalesce(statistics.deployment_count, 0) as deployment_count,
    coalesce(statistics.deployment_day_count, 0) as deployment_day_count,
    coalesce(statistics.redeploy_count, 0) as redeploy_count,
    {{ duration_columns('lead_time') }},
    {{ duration_columns('commit_lead_time') }},
    coalesce(statistics.failed_deployment_count, 0) as failed_deployment_count,
    statistics.change_fail_rate,
    {{ duration_columns('recovery') }},
    {{ duration_columns('time_to_restore') }},
    coalesce(statistics.rework_deployment_count, 0) as rework_deployment_count,
    statistics.rework_rate,
    {{ metric_version() }} as metric_version,
    periods.is_complete
from {{ ref('int_periods') }} as periods
cross join {{ ref('int_scopes') }} as scopes
left join statistics using (period, period_start, scope_type, scope)
