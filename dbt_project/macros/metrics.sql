{#- Counts changes of a metric's definition: raise it with the definition, and say so in the changelog. -#}
{% macro metric_version() -%}
    2::integer
{%- endmacro %}

{#-
  What rows of metric_measurements come to, by metric: how many were measured, their sum, on how many days and, of a
  duration, its quantiles, interpolated. A duration is never told by its mean.
-#}
{% macro measured_by_metric() -%}
    metric,
    count(*) as sample,
    sum(value) as total,
    count(distinct measured_on) filter (where metric = 'deployment_frequency') as day_count,
    quantile_cont(value, [0.5, 0.75, 0.9]) filter (where metric in ('{{ durations() | join("', '") }}')) as quantiles
{%- endmacro %}

{#- Of such rows, those of these metrics that measure something. -#}
{% macro are_measured(metrics) -%}
    excluded_because is null and metric in ('{{ metrics | join("', '") }}')
{%- endmacro %}

{#- One column for each metric, with all that was measured of it. -#}
{% macro metric_columns(metrics) -%}
    {%- for metric in metrics %}
    any_value(struct_pack(sample, total, day_count, quantiles)) filter (where metric = '{{ metric }}') as {{ metric }}
    {{- ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- How often something was measured: never unknown. -#}
{% macro count_of(metric) -%}
    coalesce(statistics.{{ metric }}.sample, 0)
{%- endmacro %}

{#- How many of what was measured are so; and the share of them, which is unknown where nothing was. -#}
{% macro number_of(metric) -%}
    coalesce(statistics.{{ metric }}.total, 0)::bigint
{%- endmacro %}

{% macro share_of(metric) -%}
    statistics.{{ metric }}.total / statistics.{{ metric }}.sample
{%- endmacro %}

{#- Median, p75 and p90, which are unknown without a measurement, and from how many. -#}
{% macro duration_columns(metric) -%}
    statistics.{{ metric }}.quantiles[1] as {{ metric }}_hours_median,
    statistics.{{ metric }}.quantiles[2] as {{ metric }}_hours_p75,
    statistics.{{ metric }}.quantiles[3] as {{ metric }}_hours_p90,
    {{ count_of(metric) }} as {{ metric }}_sample
{%- endmacro %}

{#- The measurements of these metrics by period and scope: CTEs that end with `statistics`. -#}
{% macro statistics_by_period(metrics) -%}
by_metric as (
    select
        grain.period,
        cast(date_trunc(grain.period, measured_on) as date) as period_start,
        scope_type,
        scope,
        {{ measured_by_metric() }}
    from {{ ref('metric_measurements') }}
    cross join (values ('day'), ('week'), ('month'), ('quarter')) as grain (period)
    where {{ are_measured(metrics) }}
    group by all
),

statistics as (
    select period, period_start, scope_type, scope, {{ metric_columns(metrics) }}
    from by_metric
    group by all
)
{%- endmacro %}

{#- Lengths in days of the windows that the scorecard looks back over. -#}
{% macro window_lengths() -%}
    {{ return([30, 90, 180, 365]) }}
{%- endmacro %}

{#- The periods of each scope, up to the one that holds its own moment: a CTE. -#}
{% macro periods_of_scopes() -%}
periods as (
    select
        periods.period,
        periods.period_start,
        scopes.scope_type,
        scopes.scope,
        {{ local_midnight('periods.next_period_start', 'now.timezone') }} <= scopes.as_of as is_complete
    from {{ ref('int_periods') }} as periods
    cross join {{ ref('int_now') }} as now
    inner join {{ ref('int_scopes') }} as scopes
        on periods.period_start <= {{ local_date('scopes.as_of', 'now.timezone') }}
)
{%- endmacro %}

{#- The day on which a UTC timestamp falls where the team is. DuckDB's own ICU does the time zones. -#}
{% macro local_date(timestamp_utc, timezone) -%}
    cast(timezone({{ timezone }}, timezone('UTC', {{ timestamp_utc }})) as date)
{%- endmacro %}

{#- Midnight of a local day as a UTC timestamp. -#}
{% macro local_midnight(day, timezone) -%}
    timezone('UTC', timezone({{ timezone }}, cast({{ day }} as timestamp)))
{%- endmacro %}

{#- How long a pull request has been open: column, from how many hours on, and up to how many. -#}
{% macro ages_of_work() -%}
    {{ return([
        ('open_under_1_day', 0, 24),
        ('open_1_to_3_days', 24, 72),
        ('open_3_to_7_days', 72, 168),
        ('open_1_to_4_weeks', 168, 672),
        ('open_over_4_weeks', 672, none),
    ]) }}
{%- endmacro %}

{#- Two windows are compared from this sample on, each. -#}
{% macro comparison_minimum() -%}
    20
{%- endmacro %}
