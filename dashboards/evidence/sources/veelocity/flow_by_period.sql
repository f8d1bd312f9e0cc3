-- marts.dev_metrics by week, month and quarter.
select
    scope_key(metrics.scope_type, metrics.scope) as scope_key,
    metrics.*
from (select 1) as always
left join (
    select
        scope_type, scope, period, period_start, is_complete,
        pull_requests_opened, pull_requests_merged, pull_requests_merged_by_bots, issues_completed,
        time_to_first_review_hours_median, time_to_first_review_hours_p75, time_to_first_review_sample,
        pickup_hours_median, pickup_hours_p75, pickup_sample,
        review_hours_median, review_hours_p75, review_sample,
        merge_time_hours_median, merge_time_hours_p75, merge_time_sample,
        cycle_time_hours_median, cycle_time_hours_p75, cycle_time_sample,
        started_to_completed_hours_median, started_to_completed_hours_p75, started_to_completed_sample
    from marts.dev_metrics
    where period <> 'day'
) as metrics on true
order by period, scope_key, period_start
