-- What had begun and not ended when a period ended, or at the scope's last complete read. A pull request is in the scopes
-- in which it was opened; an issue is in everything, and in the teams of its tracker.
with now as (select * from {{ ref('int_now') }}),

ends as (
    select
        periods.period,
        periods.period_start,
        scopes.scope_type,
        scopes.scope,
        least({{ local_midnight('periods.next_period_start', 'now.timezone') }}, scopes.as_of) as ends_at,
        {{ local_midnight('periods.next_period_start', 'now.timezone') }} <= scopes.as_of as is_complete
    from {{ ref('int_periods') }} as periods
    cross join now
    inner join {{ ref('int_scopes') }} as scopes
        on periods.period_start <= {{ local_date('scopes.as_of', 'now.timezone') }}
),

issues as (
    select
        issues.issue_id,
        trackers.team,
        issues.started_at as begun_at,
        coalesce(issues.completed_at, issues.canceled_at) as ended_at
    from {{ ref('fct_issues') }} as issues
    left join {{ ref('int_team_trackers') }} as trackers on lower(trackers.team_key) = lower(issues.team)
    where
        issues.started_at is not null
        -- what went back to the backlog, or was archived unfinished, is not in progress
        and (
            coalesce(issues.completed_at, issues.canceled_at) is not null
            or (issues.state_category = 'started' and not issues.is_archived)
        )
),

work as (
    select
        'pull_request' as kind,
        opened.scope_type,
        opened.scope,
        opened.entity_id,
        pull_requests.created_at as begun_at,
        coalesce(pull_requests.merged_at, pull_requests.closed_at) as ended_at
    from {{ ref('metric_measurements') }} as opened
    inner join {{ ref('fct_pull_requests') }} as pull_requests on opened.entity_id = pull_requests.pull_request_id
    where opened.metric = 'pull_requests_opened' and opened.value is not null

    union all

    select distinct 'issue', unnest(['all', 'team']), unnest(['all', team]), issue_id, begun_at, ended_at
    from issues
),

days as (
    select
        work.kind,
        work.scope_type,
        work.scope,
        work.begun_at,
        {{ local_date('work.begun_at', 'now.timezone') }} as first_day,
        -- it was in progress when the days before this one ended
        case
            when work.ended_at <= scopes.as_of then {{ local_date('work.ended_at', 'now.timezone') }}
            else {{ local_date('scopes.as_of', 'now.timezone') }} + 1
        end as last_day,
        work.ended_at <= scopes.as_of as has_ended
    from work
    inner join {{ ref('int_scopes') }} as scopes using (scope_type, scope)
    cross join now
    where work.begun_at < scopes.as_of
),

in_progress as (
    select
        days.kind,
        days.scope_type,
        days.scope,
        days.begun_at,
        grain.period,
        cast(unnest(range(
            cast(date_trunc(grain.period, days.first_day) as timestamp),
            -- of what has not ended, the period that holds the last day is one of them
            cast(date_trunc(grain.period, days.last_day - if(days.has_ended, 0, 1)) as timestamp)
            + if(days.has_ended, interval 0 day, interval 1 day),
            grain.step
        )) as date) as period_start
    from days
    cross join (
        values ('day', interval 1 day), ('week', interval 7 day), ('month', interval 1 month), ('quarter', interval 3 month)
    ) as grain (period, step)
),

aged as (
    select in_progress.*, {{ hours_between('in_progress.begun_at', 'ends.ends_at') }} as age_hours
    from in_progress
    inner join ends using (period, period_start, scope_type, scope)
),

counted as (
    select
        period,
        period_start,
        scope_type,
        scope,
        count(*) filter (where kind = 'issue') as issues_in_progress,
        count(*) filter (where kind = 'pull_request') as pull_requests_open,
        median(age_hours) filter (where kind = 'pull_request') as open_hours_median,
        {%- for name, least, most in ages_of_work() %}
        count(*) filter (
            where kind = 'pull_request' and age_hours >= {{ least }}{{ ' and age_hours < ' ~ most if most }}
        ) as {{ name }},
        {%- endfor %}
    from aged
    group by all
),

-- of what has no tracker nothing is known
tracked as (select distinct scope_type, scope from work where kind = 'issue')

select
    ends.period,
    ends.period_start,
    ends.scope_type,
    ends.scope,
    coalesce(counted.pull_requests_open, 0) as pull_requests_open,
    case when tracked.scope is not null then coalesce(counted.issues_in_progress, 0) end as issues_in_progress,
    counted.open_hours_median,
    {% for name, _, _ in ages_of_work() -%}
    coalesce(counted.{{ name }}, 0) as {{ name }},
    {% endfor -%}
    ends.is_complete
from ends
left join counted using (period, period_start, scope_type, scope)
left join tracked using (scope_type, scope)
