{%- set counts = ['pull_requests_opened', 'pull_requests_merged', 'pull_requests_merged_by_bots', 'issues_completed'] -%}
{%- set durations = ['time_to_first_review', 'pickup', 'review', 'merge_time', 'cycle_time', 'started_to_completed'] -%}

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
