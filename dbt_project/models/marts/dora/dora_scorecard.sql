{%- set throughput = ['lead_time_score', 'deployment_frequency_score', 'recovery_score'] -%}
{%- set stability = ['change_fail_rate_score', 'rework_rate_score'] -%}

with windows as (
    select
        unnest([30, 90, 180, 365])::integer as window_days,
        as_of
    from {{ ref('int_now') }}
),

by_metric as (
    select
        windows.window_days,
        measurements.scope_type,
        measurements.scope,
        {{ measured_by_metric() }}
    from {{ ref('metric_measurements') }} as measurements
    inner join windows
        on measurements.measured_at <= windows.as_of
        and measurements.measured_at > windows.as_of - to_days(windows.window_days)
    where {{ are_measured(dora_keys()) }}
    group by all
),

statistics as (
    select window_days, scope_type, scope, {{ metric_columns(dora_keys()) }}
    from by_metric
    group by all
),

deploying as (
    -- where no deployment was ever known, there is no frequency to judge
    select distinct scope_type, scope, true as has_deployed
    from {{ ref('metric_measurements') }}
    where metric = 'deployment_frequency'
),

keys as (
    select
        windows.window_days,
        scopes.scope_type,
        scopes.scope,
        windows.as_of,
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
        coalesce(deploying.has_deployed, false) as has_deployed
    from windows
    cross join {{ ref('int_scopes') }} as scopes
    left join deploying using (scope_type, scope)
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
        -- a window shorter than half a year cannot tell the last two answers apart
        case
            when not has_deployed then null
            when deployment_count > window_days * 5 / 7.0 then 10.0
            when deployment_count >= window_days * 5 / 7.0 then 8.0
            when deployment_count >= window_days / 7.0 then 6.0
            when deployment_count >= window_days / 30.0 then 4.0
            when deployment_count >= window_days / 182.0 or window_days < 182 then 2.0
            else 0.0
        end::double as deployment_frequency_score,
        case when not has_deployed then 'no deployment is known' end as deployment_frequency_missing_because,
        {{ rate_score('change_fail_rate', 'change_fail_rate_sample') }}::double as change_fail_rate_score,
        {{ missing_because('change_fail_rate_sample') }} as change_fail_rate_missing_because,
        {{ duration_score('recovery', 'recovery_hours_median', 'recovery_sample') }} as recovery_score,
        {{ missing_because('recovery_sample') }} as recovery_missing_because,
        {{ rate_score('rework_rate', 'rework_rate_sample') }}::double as rework_rate_score,
        {{ missing_because('rework_rate_sample') }} as rework_rate_missing_because
    from scored_on
)

select
    window_days,
    scope_type,
    scope,
    as_of,
    deployment_count,
    deployment_day_count,
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
    case when has_deployed
        then {{ level_in(2023, 'deployment_frequency', 'window_days / nullif(deployment_count, 0)::double') }} end
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
    {{ metric_version() }} as metric_version
from scored
