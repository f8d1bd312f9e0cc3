-- marts.dora_metrics by week, month and quarter (its days are left in the file: they would be most of the rows).
select
    scope_key(metrics.scope_type, metrics.scope) as scope_key,
    metrics.*
from (select 1) as always
left join (
    select
        scope_type, scope, period, period_start, is_complete,
        deployment_count, deployment_day_count, redeploy_count,
        lead_time_hours_median, lead_time_hours_p75, lead_time_hours_p90, lead_time_sample,
        commit_lead_time_hours_median, commit_lead_time_sample,
        failed_deployment_count, change_fail_rate,
        recovery_hours_median, recovery_hours_p75, recovery_hours_p90, recovery_sample,
        time_to_restore_hours_median, time_to_restore_sample,
        rework_deployment_count, rework_rate
    from marts.dora_metrics
    where period <> 'day'
) as metrics on true
order by period, scope_key, period_start
