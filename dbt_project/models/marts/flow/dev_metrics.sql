{%- set counts = metrics_of('dev_metrics', 'count') -%}
{%- set durations = metrics_of('dev_metrics', 'duration') -%}

with {{ periods_of_scopes() }},

{{ statistics_by_period(counts + durations) }}

select
    periods.period,
    periods.period_start,
    periods.scope_type,
    periods.scope,
    {% for metric in counts -%}
    {{ count_of(metric) }} as {{ metric }},
    {% endfor -%}
    {% for metric in durations -%}
    {{ duration_columns(metric) }},
    {% endfor -%}
    {{ metric_version() }} as metric_version,
    periods.is_complete
from periods
left join statistics using (period, period_start, scope_type, scope)
