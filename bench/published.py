"""A published file as large as it gets: five years of a hundred repositories, made by DuckDB in seconds.

It has the marts that the report reads, and of them the columns that it reads. The numbers are made up, but the metrics
are the aggregates of the measurements that stand beside them, as they are in a real one.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from veelocity_pipeline.transform.prepare import ship

REPOSITORIES, YEARS = 100, 5
PULL_REQUESTS, DEPLOYMENTS, ISSUES = 100_000, 60_000, 40_000

_SETTINGS = f"""
    create schema marts;
    create macro began() as timestamp '2021-03-01';
    create macro as_of() as began() + interval {YEARS} years;
    -- a number from 0 to 1 that looks random and is the same every time
    create macro chance(number, salt) as (hash(number * 31 + salt) % 1000000) / 1000000.0;
    create macro moment(number, total) as began() + to_seconds((number * 157680000.0 / total)::bigint);
    create macro repository_name(number) as 'acme/service-' || (hash(number) % {REPOSITORIES});
    create macro repository(number) as 'github:' || repository_name(number);
    create macro word(words, number) as words[1 + (hash(number) % 6)::bigint];
    create macro duration(number, salt) as 0.2 + 30 * pow(chance(number, salt), 3) * 8;
"""

_FACTS = f"""
    create table marts.fct_pull_requests as
    select
        repository(number) || '#' || number as pull_request_id,
        repository(number) as repository_id,
        word(['Simplify', 'Remove', 'Handle', 'Rework', 'Test', 'Document'], number) || ' the '
        || word(['cart', 'search', 'export', 'session', 'invoice', 'queue'], number + 1) || ' '
        || word(['summary', 'filters', 'job', 'timeouts', 'totals', 'worker'], number + 2) as title,
        'https://github.com/' || repository_name(number) || '/pull/' || number as url,
        chance(number, 1) < 0.1 as is_bot,
        chance(number, 2) < 0.05 as is_draft,
        moment(number, {PULL_REQUESTS}) as created_at,
        created_at + to_seconds((duration(number, 3) * 1800)::bigint) as first_response_at,
        first_response_at as first_approval_at,
        case
            when chance(number, 4) > 0.01
                then least(created_at + to_seconds((duration(number, 5) * 3600)::bigint), as_of())
        end as merged_at,
        merged_at as closed_at,
        if(merged_at is null, 'open', 'merged') as state,
        duration(number, 6) as coding_hours,
        0.0::double as draft_hours,
        duration(number, 3) as pickup_hours,
        duration(number, 5) as review_hours,
        null::double as unreviewed_hours,
        duration(number, 7) as deploy_hours
    from range({PULL_REQUESTS}) as numbers (number);

    create table marts.fct_deployments as
    select
        repository(number) || '/runs/' || number || '/attempts/1' as deployment_id,
        repository(number) as repository_id,
        repository(number) as service,
        'https://github.com/' || repository_name(number) || '/actions/runs/' || number as url,
        md5(number::varchar) as sha,
        'main' as ref,
        moment(number, {DEPLOYMENTS}) as finished_at,
        chance(number, 6) < 0.07 as is_failed,
        chance(number, 7) < 0.06 as is_rework,
        if(is_failed, duration(number, 8) / 4, null) as recovery_hours
    from range({DEPLOYMENTS}) as numbers (number);

    create table marts.fct_deployment_failures as
    select
        deployment_id, 'revert' as evidence, deployment_id as evidence_id, url as evidence_url,
        finished_at as occurred_at, true as counts, deployment_id as fix_deployment_id
    from marts.fct_deployments
    where is_failed;

    create table marts.fct_incidents as
    select '' as incident_id, '' as url, '' as fix_deployment_id where false;

    create table marts.fct_issues as
    select
        'linear:ENG-' || number as issue_id, 'Issue ' || number as title,
        'https://linear.app/acme/issue/' || number as url, 'T' || number % 20 as team, false as is_archived,
        moment(number, {ISSUES}) as started_at,
        if(chance(number, 9) > 0.01, least(started_at + to_hours(duration(number, 10)::bigint), as_of()), null)
            as completed_at,
        null::timestamp as canceled_at, if(completed_at is null, 'started', 'completed') as state_category
    from range({ISSUES}) as numbers (number);

    create table marts.dim_teams as
    select 'Team ' || number as team, 'T' || number as linear_teams
    from range(20) as numbers (number);

    create table marts.metric_entities as
    select deployment_id as entity_id, 'deployment' as entity_type, repository_id, ref as title, url
    from marts.fct_deployments
    union all select pull_request_id, 'pull_request', repository_id, title, url from marts.fct_pull_requests
    union all select issue_id, 'issue', null, title, url from marts.fct_issues;
"""

_MEASUREMENTS = """
    create table marts.metric_measurements as
    with measured as (
        select
            unnest(['deployment_frequency', 'change_fail_rate', 'rework_rate']) as metric,
            deployment_id as entity_id, repository_id, finished_at as measured_at,
            unnest([1.0, is_failed::integer, is_rework::integer]) as value
        from marts.fct_deployments
        union all
        select 'recovery', deployment_id, repository_id, finished_at + to_hours(recovery_hours::bigint), recovery_hours
        from marts.fct_deployments
        where is_failed
        union all
        select 'pull_requests_opened', pull_request_id, repository_id, created_at, if(is_bot, null, 1.0)
        from marts.fct_pull_requests
        union all
        select
            unnest([
                'pull_requests_merged', 'time_to_first_review', 'pickup', 'review', 'merge_time', 'lead_time', 'coding',
                'deploy'
            ]),
            pull_request_id, repository_id, merged_at,
            if(is_bot, null, unnest([
                1.0,
                date_diff('second', created_at, first_response_at) / 3600,
                date_diff('second', created_at, first_response_at) / 3600,
                greatest(0, date_diff('second', first_response_at, merged_at)) / 3600,
                date_diff('second', created_at, merged_at) / 3600,
                date_diff('second', created_at, merged_at) / 3600 + 9,
                4.0,
                9.0
            ]))
        from marts.fct_pull_requests
        where merged_at is not null
        union all
        select
            unnest(['issues_completed', 'cycle_time', 'started_to_completed']), issue_id, null, completed_at,
            unnest([1.0, 20.0 + length(issue_id), date_diff('second', started_at, completed_at) / 3600])
        from marts.fct_issues
        where completed_at is not null
    ),
    owned as (
        select *, 'Team ' || hash(coalesce(repository_id, entity_id)) % 20 as team
        from measured
        where measured_at <= as_of()
    )
    select
        metric, scoped.scope_type, scoped.scope, entity_id, measured_at, measured_at::date as measured_on, value,
        if(value is null, 'by a bot', null) as excluded_because
    from owned
    cross join lateral (
        select 'all' as scope_type, 'all' as scope
        union all select 'repository', repository_id where repository_id is not null
        union all select 'team', team
    ) as scoped
"""

_COUNTS = {
    "dora": {"deployment_count": "deployment_frequency"},
    "dev": {name: name for name in ("pull_requests_opened", "pull_requests_merged", "issues_completed")},
}
_DURATIONS = {
    "dora": ("lead_time", "commit_lead_time", "recovery", "time_to_restore"),
    "dev": ("time_to_first_review", "pickup", "review", "merge_time", "cycle_time", "started_to_completed"),
}
_RATES = """
    count(distinct measured_on) filter (metric = 'deployment_frequency' and value is not null) as deployment_day_count,
    coalesce(sum(value) filter (metric = 'change_fail_rate'), 0)::bigint as failed_deployment_count,
    avg(value) filter (metric = 'change_fail_rate') as change_fail_rate,
    count(value) filter (metric = 'change_fail_rate') as change_fail_rate_sample,
    coalesce(sum(value) filter (metric = 'rework_rate'), 0)::bigint as rework_deployment_count,
    avg(value) filter (metric = 'rework_rate') as rework_rate,
    count(value) filter (metric = 'rework_rate') as rework_rate_sample
"""


def _statistics(mart: str) -> str:
    columns = [f"count(value) filter (metric = '{metric}') as {name}" for name, metric in _COUNTS[mart].items()]
    for metric in _DURATIONS[mart]:
        for name, share in (("median", 0.5), ("p75", 0.75), ("p90", 0.9)):
            columns.append(f"quantile_cont(value, {share}) filter (metric = '{metric}') as {metric}_hours_{name}")
        columns.append(f"count(value) filter (metric = '{metric}') as {metric}_sample")
    return ", ".join([*columns, _RATES] if mart == "dora" else columns)


def _metrics(mart: str) -> str:
    return f"""
        create table marts.{mart}_metrics as
        with grains as (from (values ('day'), ('week'), ('month'), ('quarter')) as grains (period)),
        periods as (
            select distinct period, date_trunc(period, day)::date as period_start
            from grains
            cross join unnest(generate_series(began(), as_of(), interval 1 day)) as days (day)
        ),
        found as (
            select period, date_trunc(period, measured_on)::date as period_start, scope_type, scope, {_statistics(mart)}
            from marts.metric_measurements cross join grains
            group by all
        )
        select *, 1 as metric_version, period_start < date_trunc(period, as_of()) as is_complete
        from periods
        cross join (select distinct scope_type, scope from marts.metric_measurements)
        left join found using (period, period_start, scope_type, scope)
    """


def _scorecard() -> str:
    scores = ("lead_time", "deployment_frequency", "recovery", "change_fail_rate", "rework_rate")
    columns = [f"7.0::double as {name}_score" for name in (*scores, "throughput", "stability", "overall")]
    columns += [f"5.0::double as {name}_industry_mean_2025, 'high' as {name}_level_2023" for name in scores]
    return f"""
        create table marts.dora_scorecard as
        select
            window_days, scope_type, scope, as_of() as as_of, false as is_lead_time_of_commits,
            {_statistics("dora")}, {", ".join(columns)}
        from marts.metric_measurements
        cross join (values (30), (90), (180), (365)) as windows (window_days)
        where measured_at > as_of() - to_days(window_days) and measured_at <= as_of()
        group by all
    """


_REST = """
    create table marts.metric_coverage as
    select metric, scope_type, scope, count(*) as eligible, count(value) as measured
    from marts.metric_measurements
    group by all;

    create table marts.sync_status as
    select
        unnest(['github', 'github_actions', 'linear']) as source, repository_id as repository, as_of() as read_at,
        as_of() as succeeded_at, null::varchar as error
    from (select distinct repository_id from marts.fct_pull_requests);
"""


_WINDOWS = """
    create table marts.metric_windows as
    with windows as (select unnest([30, 90, 180, 365, null]) as window_days),
    found as (
        select
            window_days, scope_type, scope, metric, count(value) as sample, count(*) - count(value) as excluded,
            sum(value) as total, quantile_cont(value, 0.5) as median
        from marts.metric_measurements
        inner join windows
            on measured_at <= as_of() and measured_at > coalesce(as_of() - to_days(window_days), began())
        group by all
    )
    select
        window_days, scope_type, scope, metric, sample, excluded, total::bigint as part,
        case kind when 'count' then sample when 'rate' then total / sample else median end::double as value,
        coalesce(window_days, 365.25 * 5)::double as days, window_days is not null as has_previous,
        value as previous_value, sample as previous_sample, false as is_clear_change
    from found
    inner join marts.dim_metrics on metric = id
"""


_WORK = """
    create table marts.work_in_progress as
    select
        period, period_start, scope_type, scope, 40 as pull_requests_open, 20 as issues_in_progress,
        30.0::double as open_hours_median, 8 as open_under_1_day, 8 as open_1_to_3_days, 8 as open_3_to_7_days,
        8 as open_1_to_4_weeks, 8 as open_over_4_weeks
    from marts.dev_metrics;

    create table marts.lead_time_stages as
    with stages as (select id as stage, count(*) over () as stage_count from marts.dim_metrics where stage is not null)
    select
        window_days, scope_type, scope, stages.stage, 1.0 / stage_count as hours_share, value as stage_hours_median,
        value as stage_hours_p75, value as stage_hours_p90, sample, sample as pull_request_count
    from marts.metric_windows
    cross join stages
    where metric = 'lead_time'
"""


def _listed_metrics() -> str:
    code = ship().manifest["nodes"]["model.veelocity.dim_metrics"]["compiled_code"]
    return f"create table marts.dim_metrics as {code}"


def write(path: Path) -> None:
    """Write it to `path`, where nothing may be yet."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("set enable_progress_bar = false")
        for statement in (
            *(_SETTINGS, _FACTS, _MEASUREMENTS, _metrics("dora"), _metrics("dev"), _scorecard()),
            *(_listed_metrics(), _WINDOWS, _WORK, _REST),
        ):
            connection.execute(statement)
