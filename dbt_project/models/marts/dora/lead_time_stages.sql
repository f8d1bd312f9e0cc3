-- Where the lead time goes: the stages of the pull requests that were shipped in a window, over the same pull requests,
-- so that their hours add up.
{%- set stages = lead_time_stages() %}
with scopes as (select scope_type, scope, as_of from {{ ref('int_scopes') }} where as_of is not null),

windows as (
    select unnest({{ window_lengths() }})::integer as window_days
    union all
    select null::integer
),

shipped as (
    select windows.window_days, measured.scope_type, measured.scope, measured.entity_id as pull_request_id
    from {{ ref('metric_measurements') }} as measured
    inner join scopes using (scope_type, scope)
    inner join windows
        on measured.measured_at > coalesce(scopes.as_of - to_days(windows.window_days), '-infinity'::timestamp)
    where measured.metric = 'lead_time' and measured.value is not null and measured.measured_at <= scopes.as_of
),

of_pull_requests as (
    select shipped.*, unnest([{{ stages | map('tojson') | join(', ') | replace('"', "'") }}]) as stage,
        unnest([{% for stage in stages %}pull_requests.{{ stage }}_hours{{ ', ' if not loop.last }}{% endfor %}]) as hours
    from shipped
    inner join {{ ref('fct_pull_requests') }} as pull_requests using (pull_request_id)
    where
        pull_requests.coding_hours is not null
        and pull_requests.draft_hours is not null
        and pull_requests.deploy_hours is not null
        and (pull_requests.unreviewed_hours is not null or (pull_requests.pickup_hours + pull_requests.review_hours) is not null)
),

exact as (
    -- the sum of doubles depends on the order of the rows
    select *, round(hours * 3600000000)::bigint as microseconds from of_pull_requests
)

select
    window_days,
    scope_type,
    scope,
    stage,
    (coalesce(sum(microseconds), 0) / 3600000000)::double as stage_hours,
    coalesce(sum(microseconds), 0)
    / nullif(sum(sum(microseconds)) over (partition by window_days, scope_type, scope), 0)::double as hours_share,
    quantile_cont(hours, 0.5)::double as stage_hours_median,
    quantile_cont(hours, 0.75)::double as stage_hours_p75,
    quantile_cont(hours, 0.9)::double as stage_hours_p90,
    count(hours) as sample,
    count(*) as pull_request_count
from exact
group by window_days, scope_type, scope, stage
