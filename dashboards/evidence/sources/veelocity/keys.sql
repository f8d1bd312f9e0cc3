-- The five keys of each window and scope, a row each, as marts.dora_scorecard has them.
with cards as (
    select
        *,
        case when is_lead_time_of_commits then commit_lead_time_hours_median else lead_time_hours_median end as lead_hours,
        case when is_lead_time_of_commits then commit_lead_time_sample else lead_time_sample end as lead_sample
    from marts.dora_scorecard
),

keys as (
    select
        window_days, scope_type, scope, 1 as place, 'deployment_frequency' as metric,
        'deployment_frequency' as measured_as, deployment_count::double as value,
        per_week_text(deployment_count, window_days) as shown, deployment_count as sample, 'deployments' as made_of,
        deployment_frequency_score as score, deployment_frequency_industry_mean_2025 as industry_mean,
        deployment_frequency_level_2023 as level, deployment_frequency_missing_because as missing_because
    from cards
    union all
    select
        window_days, scope_type, scope, 2, 'lead_time',
        case when is_lead_time_of_commits then 'commit_lead_time' else 'lead_time' end,
        lead_hours, duration_text(lead_hours), lead_sample,
        case when is_lead_time_of_commits then 'commits' else 'pull requests' end,
        lead_time_score, lead_time_industry_mean_2025, lead_time_level_2023, lead_time_missing_because
    from cards
    union all
    select
        window_days, scope_type, scope, 3, 'change_fail_rate', 'change_fail_rate', change_fail_rate,
        percent_text(change_fail_rate),
        change_fail_rate_sample, 'deployments', change_fail_rate_score, change_fail_rate_industry_mean_2025,
        change_fail_rate_level_2023, change_fail_rate_missing_because
    from cards
    union all
    select
        window_days, scope_type, scope, 4, 'recovery', 'recovery', recovery_hours_median,
        duration_text(recovery_hours_median),
        recovery_sample, 'recoveries', recovery_score, recovery_industry_mean_2025, recovery_level_2023,
        recovery_missing_because
    from cards
    union all
    select
        window_days, scope_type, scope, 5, 'rework_rate', 'rework_rate', rework_rate, percent_text(rework_rate),
        rework_rate_sample,
        'deployments', rework_rate_score, rework_rate_industry_mean_2025, null, rework_rate_missing_because
    from cards
)

select scope_key(keys.scope_type, keys.scope) as scope_key, keys.*, metric_title(keys.metric) as title
from (select 1) as always
left join keys on true
order by window_days, scope_key, place
