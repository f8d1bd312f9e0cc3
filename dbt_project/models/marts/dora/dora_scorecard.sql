{%- set throughput = ['lead_time_score', 'deployment_frequency_score', 'recovery_score'] -%}
{%- set stability = ['change_fail_rate_score', 'rework_rate_score'] -%}

with scopes as (select * from {{ ref('int_scopes') }}),

windows as (select unnest({{ window_lengths() }})::integer as window_days),

by_metric as (
    select
        windows.window_days,
        measurements.scope_type,
        measurements.scope,
        {{ measured_by_metric() }}
    from {{ ref('metric_measurements') }} as measurements
    inner join scopes using (scope_type, scope)
    inner join windows
        on measurements.measured_at <= scopes.as_of
        and measurements.measured_at > scopes.as_of - to_days(windows.window_days)
    where {{ are_measured(dora_keys()) }}
    group by all
),

statistics as (
    select window_days, scope_type, scope, {{ metric_columns(dora_keys()) }}
    from by_metric
    group by all
),

keys as (
    select
        windows.window_days,
        scopes.scope_type,
        scopes.scope,
        scopes.as_of,
        scopes.stale_repositories,
        scopes.unread_repositories,
        scopes.is_unread,
        {{ count_of('deployment_frequency') }} as deployment_count,
        coalesce(statistics.deployment_frequency.day_count, 0) as deployment_day_count,
        {{ duration_columns('lead_time') }},
        {{ duration_columns('commit_lead_time') }},
        {{ count_of('lead_time') }} = 0 and {{ count_of('commit_lead_time') }} > 0
            as is_lead_time_of_commits,
        {{ number_of('change_fail_rate') }} as failed_deployment_count,
        {{ share_of('change_fail_rate') }} as change_fail_rate,
        {{ count_of('change_fail_rate') }} as change_fail_rate_sample,
        {{ duration_columns('recovery') }},
        {{ duration_columns('time_to_restore') }},
        {{ number_of('rework_rate') }} as rework_deployment_count,
        {{ share_of('rework_rate') }} as rework_rate,
        {{ count_of('rework_rate') }} as rework_rate_sample,
        frequencies.score as frequency_score,
        frequencies.missing_because as frequency_missing_because,
        coalesce(frequencies.service_count, 0) as deployment_frequency_service_count
    from windows
    cross join scopes
    left join {{ ref('int_deployment_frequencies') }} as frequencies using (window_days, scope_type, scope)
    left join statistics using (window_days, scope_type, scope)
),

scored_on as (
    -- teams that work without pull requests are judged by their commits
    select
        *,
        case when is_lead_time_of_commits then commit_lead_time_hours_median else lead_time_hours_median end as lead_hours,
        case when is_lead_time_of_commits then commit_lead_time_sample else lead_time_sample end as lead_sample
    from keys
),

scored as (
    select
        *,
        {{ duration_score('lead_time', 'lead_hours', 'lead_sample') }} as lead_time_score,
        {{ missing_because('lead_sample') }} as lead_time_missing_because,
        frequency_score as deployment_frequency_score,
        case when frequency_score is null then coalesce(frequency_missing_because, 'no deployment is known') end
            as deployment_frequency_missing_because,
        {{ rate_score('change_fail_rate', 'change_fail_rate_sample') }}::double as change_fail_rate_score,
        {{ missing_because('change_fail_rate_sample') }} as change_fail_rate_missing_because,
        {{ duration_score('recovery', 'recovery_hours_median', 'recovery_sample') }} as recovery_score,
        {{ missing_because('recovery_sample') }} as recovery_missing_because,
        {{ rate_score('rework_rate', 'rework_rate_sample') }}::double as rework_rate_score,
        {{ missing_because('rework_rate_sample') }} as rework_rate_missing_because
    from scored_on
),

known as (
    select
        * replace (
            {%- for key in throughput + stability %}
            case when not is_unread then {{ key }} end as {{ key }},
            case when is_unread then 'never read completely' else {{ key | replace('_score', '_missing_because') }} end
                as {{ key | replace('_score', '_missing_because') }}{{ ',' if not loop.last }}
            {%- endfor %}
        )
    from scored
)

select
    window_days,
    scope_type,
    scope,
    as_of,
    deployment_count,
    deployment_day_count,
    deployment_frequency_service_count,
    lead_time_hours_median,
    lead_time_hours_p75,
    lead_time_hours_p90,
    lead_time_sample,
    commit_lead_time_hours_median,
    commit_lead_time_hours_p75,
    commit_lead_time_hours_p90,
    commit_lead_time_sample,
    is_lead_time_of_commits,
    failed_deployment_count,
    change_fail_rate,
    change_fail_rate_sample,
    recovery_hours_median,
    recovery_hours_p75,
    recovery_hours_p90,
    recovery_sample,
    time_to_restore_hours_median,
    time_to_restore_hours_p75,
    time_to_restore_hours_p90,
    time_to_restore_sample,
    rework_deployment_count,
    rework_rate,
    rework_rate_sample,
    lead_time_score,
    lead_time_missing_because,
    deployment_frequency_score,
    deployment_frequency_missing_because,
    change_fail_rate_score,
    change_fail_rate_missing_because,
    recovery_score,
    recovery_missing_because,
    rework_rate_score,
    rework_rate_missing_because,
    {{ mean_score(throughput, 2) }} as throughput_score,
    {{ scored_keys(throughput) }} as throughput_keys,
    {{ mean_score(stability, 1) }} as stability_score,
    {{ scored_keys(stability) }} as stability_keys,
    {{ mean_score(throughput + stability, 3) }} as overall_score,
    {{ scored_keys(throughput + stability) }} as overall_keys,
    case when lead_time_score is not null then {{ level_in(2023, 'lead_time', 'lead_hours') }} end as lead_time_level_2023,
    case when deployment_frequency_score is not null
        then {{ level_in(2023, 'deployment_frequency', days_between('deployment_frequency_score')) }} end
        as deployment_frequency_level_2023,
    case when change_fail_rate_score is not null then {{ level_in(2023, 'change_fail_rate', 'change_fail_rate') }} end
        as change_fail_rate_level_2023,
    case when recovery_score is not null then {{ level_in(2023, 'recovery', 'recovery_hours_median') }} end
        as recovery_level_2023,
    {{ industry_mean(2025, 'lead_time') }} as lead_time_industry_mean_2025,
    {{ industry_mean(2025, 'deployment_frequency') }} as deployment_frequency_industry_mean_2025,
    {{ industry_mean(2025, 'change_fail_rate') }} as change_fail_rate_industry_mean_2025,
    {{ industry_mean(2025, 'recovery') }} as recovery_industry_mean_2025,
    {{ industry_mean(2025, 'rework_rate') }} as rework_rate_industry_mean_2025,
    stale_repositories,
    unread_repositories,
    {{ metric_version() }} as metric_version
from known
