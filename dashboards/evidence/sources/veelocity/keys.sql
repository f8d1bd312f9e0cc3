-- The five keys of each window and scope, a row each, as marts.metric_windows and marts.dora_scorecard have them.
with keys as (
    select
        windows.window_days,
        windows.scope_type,
        windows.scope,
        metrics."order" as place,
        metrics.id as metric,
        metrics.title,
        measured.id as measured_as,
        windows.value,
        case metrics.kind
            when 'count' then per_week_text(windows.value, windows.window_days)
            when 'rate' then percent_text(windows.value)
            else duration_text(windows.value)
        end as shown,
        windows.sample,
        measured.sample_noun as made_of
    from marts.dim_metrics as metrics
    cross join marts.dora_scorecard as cards
    inner join marts.dim_metrics as measured
        on measured.id = if(metrics.id = 'lead_time' and cards.is_lead_time_of_commits, 'commit_lead_time', metrics.id)
    inner join marts.metric_windows as windows
        on windows.metric = measured.id
        and windows.window_days = cards.window_days
        and windows.scope_type = cards.scope_type
        and windows.scope = cards.scope
    where metrics.is_key
),

scores as (
    unpivot (
        select window_days, scope_type, scope, columns('(.*)_score$')::double as '\1'
        from marts.dora_scorecard
    )
    on * exclude (window_days, scope_type, scope) into name metric value score
),

means as (
    unpivot (
        select window_days, scope_type, scope, columns('(.*)_industry_mean_2025$')::double as '\1'
        from marts.dora_scorecard
    )
    on * exclude (window_days, scope_type, scope) into name metric value industry_mean
),

levels as (
    unpivot (
        select window_days, scope_type, scope, columns('(.*)_level_2023$') as '\1'
        from marts.dora_scorecard
    )
    on * exclude (window_days, scope_type, scope) into name metric value level
),

reasons as (
    unpivot (
        select window_days, scope_type, scope, columns('(.*)_missing_because$') as '\1'
        from marts.dora_scorecard
    )
    on * exclude (window_days, scope_type, scope) into name metric value missing_because
)

select scope_key(keys.scope_type, keys.scope) as scope_key, keys.*, score, industry_mean, level, missing_because
from (select 1) as always
left join keys on true
left join scores using (window_days, scope_type, scope, metric)
left join means using (window_days, scope_type, scope, metric)
left join levels using (window_days, scope_type, scope, metric)
left join reasons using (window_days, scope_type, scope, metric)
order by window_days, scope_key, place
