-- Bounds are those of dora_scorecard: each scope at its own moment, after the beginning of a window, up to its end.
with scopes as (select scope_type, scope, as_of from {{ ref('int_scopes') }} where as_of is not null),

windows as (
    select unnest({{ window_lengths() }})::integer as window_days
    union all
    select null::integer
),

spans as (
    select
        window_days,
        scope_type,
        scope,
        false as is_previous,
        coalesce(as_of - to_days(window_days), '-infinity'::timestamp) as after,
        as_of as until
    from windows
    cross join scopes
    union all
    select window_days, scope_type, scope, true, as_of - to_days(2 * window_days), as_of - to_days(window_days)
    from windows
    cross join scopes
    where window_days is not null
),

metrics as (
    select id as metric, kind, "table" as period_table
    from {{ ref('dim_metrics') }}
    where "table" in ('dora_metrics', 'dev_metrics')
),

measured as (
    select measurements.*
    from {{ ref('metric_measurements') }} as measurements
    inner join metrics using (metric)
),

by_span as (
    select
        spans.window_days,
        spans.is_previous,
        measured.metric,
        measured.scope_type,
        measured.scope,
        count(measured.value) as sample,
        count(*) - count(measured.value) as excluded,
        sum(measured.value) as total,
        quantile_cont(measured.value, [0.25, 0.5, 0.75])
            filter (where measured.metric in ('{{ durations() | join("', '") }}')) as quartiles,
        count(distinct measured.measured_on) filter (where measured.metric = 'deployment_frequency' and measured.value is not null)
            as day_count
    from measured
    inner join spans
        on spans.scope_type = measured.scope_type
        and spans.scope = measured.scope
        and measured.measured_at > spans.after
        and measured.measured_at <= spans.until
    group by all
),

-- History begins with the first deployment for what deployments tell, else with the first thing that was measured.
began as (
    select metrics.period_table, measured.scope_type, measured.scope, min(measured.measured_at) as began_at
    from measured
    inner join metrics using (metric)
    where
        measured.value is not null
        and (metrics.period_table = 'dev_metrics' or measured.metric = 'deployment_frequency')
    group by all
),

valued as (
    select
        windows.window_days,
        metrics.metric,
        metrics.kind,
        scopes.scope_type,
        scopes.scope,
        scopes.as_of,
        began.began_at,
        coalesce(began.began_at <= scopes.as_of - to_days(2 * windows.window_days), false) as has_previous,
        {%- for span in ('current', 'previous') %}
        coalesce({{ span }}.sample, 0) as {{ span }}_sample,
        case metrics.kind
            when 'count' then coalesce({{ span }}.sample, 0)
            when 'rate' then {{ span }}.total / {{ span }}.sample
            else {{ span }}.quartiles[2]
        end::double as {{ span }}_value,
        ({{ span }}.quartiles[3] - {{ span }}.quartiles[1]) / 2 as {{ span }}_half_width,
        {%- endfor %}
        coalesce(current.excluded, 0) as excluded,
        case
            when metrics.kind = 'rate' then coalesce(current.total, 0)
            when metrics.metric = 'deployment_frequency' then coalesce(current.day_count, 0)
        end::bigint as part
    from windows
    cross join metrics
    cross join scopes
    left join began using (period_table, scope_type, scope)
    {%- for span in ('current', 'previous') %}
    left join by_span as {{ span }}
        on {{ span }}.window_days is not distinct from windows.window_days
        and {{ span }}.is_previous = {{ span == 'previous' }}
        and {{ span }}.metric = metrics.metric
        and {{ span }}.scope_type = scopes.scope_type
        and {{ span }}.scope = scopes.scope
    {%- endfor %}
)

select
    window_days,
    scope_type,
    scope,
    metric,
    as_of,
    current_value as value,
    current_sample as sample,
    part,
    excluded,
    coalesce(window_days, date_diff('second', began_at, as_of) / 86400.0)::double as days,
    has_previous,
    case when has_previous then previous_value end as previous_value,
    case when has_previous then previous_sample end as previous_sample,
    has_previous
    and least(current_sample, previous_sample) >= {{ comparison_minimum() }}
    and abs(current_value - previous_value) > case kind
        when 'duration' then greatest(current_half_width, previous_half_width)
        -- two standard errors: chance alone moves a rate or a count that far once in twenty times
        when 'rate' then 2 * sqrt(
            current_value * (1 - current_value) / current_sample + previous_value * (1 - previous_value) / previous_sample
        )
        else 2 * sqrt(current_sample + previous_sample)
    end as is_clear_change
from valued
