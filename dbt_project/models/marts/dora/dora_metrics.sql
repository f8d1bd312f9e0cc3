with {{ periods_of_scopes() }},

{{ statistics_by_period(dora_keys()) }}

select
    periods.period,
    periods.period_start,
    periods.scope_type,
    periods.scope,
    {{ count_of('deployment_frequency') }} as deployment_count,
    coalesce(statistics.deployment_frequency.day_count, 0) as deployment_day_count,
    {{ count_of('redeployments') }} as redeploy_count,
    {{ duration_columns('lead_time') }},
    {{ duration_columns('commit_lead_time') }},
    {{ number_of('change_fail_rate') }} as failed_deployment_count,
    {{ share_of('change_fail_rate') }} as change_fail_rate,
    {{ count_of('change_fail_rate') }} as change_fail_rate_sample,
    {{ duration_columns('recovery') }},
    {{ duration_columns('time_to_restore') }},
    {{ number_of('rework_rate') }} as rework_deployment_count,
    {{ share_of('rework_rate') }} as rework_rate,
    {{ count_of('rework_rate') }} as rework_rate_sample,
    {{ metric_version() }} as metric_version,
    periods.is_complete
from periods
left join statistics using (period, period_start, scope_type, scope)
