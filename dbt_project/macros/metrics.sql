{#- Counts changes of a metric's definition: raise it with the definition, and say so in the changelog. -#}
{% macro metric_version() -%}
    1::integer
{%- endmacro %}

{#- Rows of metric_measurements that measure one metric. -#}
{% macro measured(metric) -%}
    metric = '{{ metric }}' and excluded_because is null
{%- endmacro %}

{#- How often something was measured. -#}
{% macro count_of(metric) -%}
    count(*) filter (where {{ measured(metric) }})
{%- endmacro %}

{#- A duration is never told by its mean: median, p75 and p90, interpolated, and from how many. -#}
{% macro duration_statistics(metric) -%}
    quantile_cont(value, 0.5) filter (where {{ measured(metric) }}) as {{ metric }}_hours_median,
    quantile_cont(value, 0.75) filter (where {{ measured(metric) }}) as {{ metric }}_hours_p75,
    quantile_cont(value, 0.9) filter (where {{ measured(metric) }}) as {{ metric }}_hours_p90,
    {{ count_of(metric) }} as {{ metric }}_sample
{%- endmacro %}

{#- The same columns, named again over a left join: no rows are a sample of 0 and unknown durations. -#}
{% macro duration_columns(metric) -%}
    statistics.{{ metric }}_hours_median,
    statistics.{{ metric }}_hours_p75,
    statistics.{{ metric }}_hours_p90,
    coalesce(statistics.{{ metric }}_sample, 0) as {{ metric }}_sample
{%- endmacro %}

{#- All that dora_metrics and dora_scorecard compute, over the rows of metric_measurements of one scope and time. -#}
{% macro dora_statistics() -%}
    {{ count_of('deployment_frequency') }} as deployment_count,
    count(distinct measured_on) filter (where {{ measured('deployment_frequency') }}) as deployment_day_count,
    {{ count_of('redeployments') }} as redeploy_count,
    {{ duration_statistics('lead_time') }},
    {{ duration_statistics('commit_lead_time') }},
    cast(sum(value) filter (where {{ measured('change_fail_rate') }}) as bigint) as failed_deployment_count,
    avg(value) filter (where {{ measured('change_fail_rate') }}) as change_fail_rate,
    {{ duration_statistics('recovery') }},
    {{ duration_statistics('time_to_restore') }},
    cast(sum(value) filter (where {{ measured('rework_rate') }}) as bigint) as rework_deployment_count,
    avg(value) filter (where {{ measured('rework_rate') }}) as rework_rate
{%- endmacro %}

{#- The day on which a UTC timestamp falls where the team is. DuckDB's own ICU does the time zones. -#}
{% macro local_date(timestamp_utc, timezone) -%}
    cast(timezone({{ timezone }}, timezone('UTC', {{ timestamp_utc }})) as date)
{%- endmacro %}

{#- Midnight of a local day as a UTC timestamp. -#}
{% macro local_midnight(day, timezone) -%}
    timezone('UTC', timezone({{ timezone }}, cast({{ day }} as timestamp)))
{%- endmacro %}
