{%- set counts = ['pull_requests_opened', 'pull_requests_merged', 'pull_requests_merged_by_bots', 'issues_completed'] -%}
{%- set durations = ['time_to_first_review', 'pickup', 'review', 'merge_time', 'cycle_time', 'started_to_completed'] -%}

with statistics as (
    select
        grain.period,
        cast(date_trunc(grain.period, measurements.measured_on) as date) as period_start,
        measurements.scope_type,
        measurements.scope,
        {% for metric in counts -%}
        {{ count_of(metric) }} as {{ metric }},
        {% endfor -%}
        {% for metric in durations -%}
        {{ duration_statistics(metric) }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ ref('metric_measurements') }} as measurements
    cross join (values ('day'), ('week'), ('month'), ('quarter')) as grain (period)
    group by all
)

select
    periods.period,
    periods.period_start,
    scopes.scope_type,
    scopes.scope,
    {% for metric in counts -%}
    coalesce(statistics.{{ metric }}, 0) as {{ metric }},
    {% endfor -%}
    {% for metric in durations -%}
    {{ duration_columns(metric) }},
    {% endfor -%}
    {{ metric_version() }} as metric_version,
    periods.is_complete
from {{ ref('int_periods') }} as periods
cross join {{ ref('int_scopes') }} as scopes
left join statistics using (period, period_start, scope_type, scope)
