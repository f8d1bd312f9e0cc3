"""What the page holds beyond the scorecard, as JSON text by column: every period of every scope, and the rows behind.

DuckDB writes the text itself: five years of a hundred repositories are ten million cells, and a year of theirs half a
million rows. All of it is read on one connection that `scopes_table` has prepared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import duckdb

from veelocity_pipeline.published.metrics import PERIODS, WORK, Chart, Metric

#: Rows behind a number are on the page for so many days before the last load, and so many of one metric at most. For
#: what is older the page names the `veelocity explain` command that lists it.
ROWS_DAYS = 366
ROWS_KEPT = 20_000

#: The ages of open pull requests: columns of work_in_progress, and what people call them.
AGES = {
    "open_under_1_day": "under 1 day",
    "open_1_to_3_days": "1 to 3 days",
    "open_3_to_7_days": "3 to 7 days",
    "open_1_to_4_weeks": "1 to 4 weeks",
    "open_over_4_weeks": "over 4 weeks",
}

#: The lead time of commits stands in for that of changes where no pull request was shipped.
STAND_IN = "commit_lead_time"


def row_metrics(metrics: Mapping[str, Metric]) -> list[str]:
    """The metrics whose rows are on the page: those that are charted or stand in for one that is."""
    return [metric.id for metric in metrics.values() if metric.is_measured and (metric.topic or metric.id == STAND_IN)]


def scopes_table(connection: duckdb.DuckDBPyConnection, scopes: Sequence[tuple[str, str]]) -> None:
    """Make `report_scopes (position, scope_type, scope)`, which the other queries here use."""
    connection.execute(
        """
        create or replace temp table report_scopes as
        select unnest(range(len($types))) as position, unnest($types) as scope_type, unnest($names) as scope
        """,
        {"types": [kind for kind, _ in scopes], "names": [name for _, name in scopes]},
    )
    connection.execute(_WORK)


def first_day_of_rows(as_of: datetime) -> date:
    """The oldest day whose rows are on the page, unless there are more of them than are kept."""
    return as_of.date() - timedelta(days=ROWS_DAYS)


# ---- every period ----


def read_series(
    connection: duckdb.DuckDBPyConnection, charts: Sequence[Chart]
) -> tuple[dict[str, list[str]], dict[str, str]]:
    """The starts of each kind of period (ISO), and `series/<period>/<scope's position>` with the columns of all charts.

    All columns of one kind of period are as long as its starts. Four decimals of an hour are a third of a second.
    """
    starts: dict[str, list[str]] = {}
    texts: dict[str, str] = {}
    for period in PERIODS:
        starts[period] = [
            row[0]
            for row in connection.execute(
                """
                select period_start::varchar from marts.dora_metrics where period = $period
                union select period_start::varchar from marts.dev_metrics where period = $period
                order by 1
                """,
                {"period": period},
            ).fetchall()
        ]
        for position, text in connection.execute(_series_query(charts), {"period": period}).fetchall():
            texts[f"series/{period}/{position}"] = text
    return starts, texts


def _series_query(charts: Sequence[Chart]) -> str:
    sources = {name: (chart.table, name) for chart in charts for name in chart.columns}
    sources["is_complete"] = ("dora_metrics", "is_complete::integer")
    sources["flow_is_complete"] = ("dev_metrics", "is_complete::integer")
    counts = {"is_complete", "flow_is_complete", *(name for chart in charts for name in _counts(chart))}
    values = ", ".join(
        f"{table}.{value} as {name}" if name in counts else f"round({table}.{value}, 4) as {name}"
        for name, (table, value) in sources.items()
    )
    lists = ", ".join(f"'{name}': list({name} order by period_start)" for name in sources)
    return f"""
        with axis as (
            select period_start from marts.dora_metrics where period = $period
            union select period_start from marts.dev_metrics where period = $period
        ),
        grid as (
            select position, period_start, {values}
            from report_scopes
            cross join axis
            left join (from marts.dora_metrics where period = $period) as dora_metrics
                using (scope_type, scope, period_start)
            left join (from marts.dev_metrics where period = $period) as dev_metrics
                using (scope_type, scope, period_start)
            left join (from marts.work_in_progress where period = $period) as work_in_progress
                using (scope_type, scope, period_start)
        )
        select position, to_json({{{lists}}})::varchar from grid group by position order by position
    """


def _counts(chart: Chart) -> tuple[str, ...]:
    """The chart's columns that hold whole numbers."""
    return (chart.sample, *chart.parts, *(name for name, _ in chart.series))


#: The pull requests and issues that work_in_progress counts, in each scope that has them.
_WORK = """
    create or replace temp table report_work as
    with trackers as (
        select team, lower(trim(unnest(string_split(linear_teams, ',')))) as team_key
        from marts.dim_teams
    ),
    in_progress as (
        select issue_id, team, started_at, coalesce(completed_at, canceled_at) as ended_at
        from marts.fct_issues
        where
            started_at is not null
            and (
                completed_at is not null
                or canceled_at is not null
                or (state_category = 'started' and not is_archived)
            )
    ),
    found as (
        select
            'pull_requests_open' as kind,
            opened.scope_type,
            opened.scope,
            pull_requests.pull_request_id as entity_id,
            pull_requests.created_at as begun_at,
            coalesce(pull_requests.merged_at, pull_requests.closed_at) as ended_at,
            case
                when pull_requests.is_draft then 'draft'
                when pull_requests.first_response_at is null then 'waiting for a first response'
                when pull_requests.first_approval_at is null then 'in review'
                else 'approved'
            end as stage
        from marts.metric_measurements as opened
        inner join marts.fct_pull_requests as pull_requests on opened.entity_id = pull_requests.pull_request_id
        where opened.metric = 'pull_requests_opened' and opened.value is not null

        union all

        select distinct
            'issues_in_progress' as kind,
            unnest(['all', 'team']) as scope_type,
            unnest(['all', coalesce(trackers.team, in_progress.team)]) as scope,
            issue_id as entity_id,
            started_at as begun_at,
            ended_at,
            'in progress' as stage
        from in_progress
        left join trackers on trackers.team_key = lower(in_progress.team)
    )
    select position, found.* exclude (scope_type, scope)
    from found
    inner join report_scopes using (scope_type, scope)
"""


def read_open_work(connection: duckdb.DuckDBPyConnection) -> dict[str, list[Any]]:
    """The median age of the open pull requests, and how many are of each age, now, by scope."""
    names = ("open_hours_median", *AGES)
    lists = ", ".join(f"list({name} order by position)" for name in names)
    found = connection.execute(
        f"""
        select {lists}
        from report_scopes
        left join (
            from marts.{WORK} where period = 'day'
            qualify row_number() over (partition by scope_type, scope order by period_start desc) = 1
        ) using (scope_type, scope)
        """
    ).fetchone()
    return {name: values or [] for name, values in zip(names, found or (), strict=True)}


def read_stages(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[int, list[list[Any]]]]:
    """The stages of the lead time by window and scope's position, in their order.

    Each is its metric, its share of the hours, its median, p75 and p90, its sample and the pull requests of all stages.
    """
    found: dict[str, dict[int, list[list[Any]]]] = {}
    for days, position, *stage in connection.execute(
        """
        select
            coalesce(window_days::varchar, 'all'), position, lead_time_stages.stage, round(hours_share, 5),
            round(stage_hours_median, 4),
            round(stage_hours_p75, 4), round(stage_hours_p90, 4), sample, pull_request_count
        from marts.lead_time_stages
        inner join report_scopes using (scope_type, scope)
        inner join marts.dim_metrics on lead_time_stages.stage = dim_metrics.id
        order by window_days, position, dim_metrics.stage
        """
    ).fetchall():
        found.setdefault(days, {}).setdefault(position, []).append(stage)
    return found


# ---- the rows behind ----


def read_rows(connection: duckdb.DuckDBPyConnection, metrics: Mapping[str, Metric], as_of: datetime) -> dict[str, str]:
    """The rows behind the numbers: `rows/<metric>`, `rows/work`, and the `entities` that they are about.

    `rows/<metric>` has `since` (ISO: rows are complete from this day on) and by row the number of the entity, the day
    (since 1970) that it counts for, the second (since 1970, UTC, rounded up) it was measured at, its value, the reason
    why it is left out (a position in `entities.reasons`, or null) and its scopes (a position in `entities.sets`).
    `rows/stages` has by stage the hours of each row of the lead time. `rows/work` has the days on which work began and
    ended (null: not yet) and its stage; `open` has the open pull requests, oldest first, with their names. Only what is
    http(s) is an address.
    """
    since = first_day_of_rows(as_of)
    for statement, values in (
        (_KEPT, {"metrics": row_metrics(metrics), "since": since, "most": ROWS_KEPT}),
        (_KEPT_WORK, {"since": since, "most": ROWS_KEPT}),
        (_SETS, {}),
        (_REASONS, {}),
        (_ENTITIES, {}),
    ):
        connection.execute(statement, values or None)
    rows = connection.execute(_ROWS, {"since": since, "most": ROWS_KEPT}).fetchall()
    texts = {f"rows/{metric}": text for metric, text in rows}
    for text in connection.execute(_stage_rows(metrics)).fetchall():
        texts["rows/stages"] = text[0]
    for name, query in (("rows/work", _WORK_ROWS), ("open", _OPEN), ("entities", _ENTITY_LISTS)):
        [(texts[name],)] = connection.execute(query).fetchall()
    return texts


_KEPT = """
    create or replace temp table report_kept as
    with found as (
        select
            metric, entity_id, measured_at, measured_on, value, excluded_because,
            list(position order by position) as scopes
        from marts.metric_measurements
        inner join report_scopes using (scope_type, scope)
        where list_contains($metrics, metric) and measured_on >= $since
        group by all
    )
    select *, row_number() over (partition by metric order by measured_on desc, measured_at desc, entity_id) as place
    from found
    qualify place <= $most
"""

_KEPT_WORK = """
    create or replace temp table report_kept_work as
    select entity_id, begun_at, ended_at, stage, list(position order by position) as scopes
    from report_work
    where ended_at is null or ended_at >= $since
    group by all
    order by ended_at desc nulls first, begun_at, entity_id
    limit $most
"""

_SETS = """
    create or replace temp table report_sets as
    select scopes, row_number() over (order by scopes) - 1 as number
    from (select scopes from report_kept union select scopes from report_kept_work)
"""

_REASONS = """
    create or replace temp table report_reasons as
    select excluded_because, row_number() over (order by excluded_because) - 1 as number
    from (select distinct excluded_because from report_kept where excluded_because is not null)
"""

_ENTITIES = """
    create or replace temp table report_entities as
    with kept as (select entity_id from report_kept union select entity_id from report_kept_work)
    select
        row_number() over (order by entity_id) - 1 as number,
        entity_id,
        case
            when deployments.deployment_id is not null then coalesce(left(deployments.sha, 7), deployments.ref)
            when contains(entity_id, '#') then '#' || split_part(entity_id, '#', 2)
            when contains(entity_id, '@') then left(split_part(entity_id, '@', 2), 7)
            else regexp_replace(entity_id, '^[^:/]+:', '')
        end as name,
        regexp_replace(coalesce(deployments.service, entities.repository_id), '^[^:/]+:', '') as place,
        coalesce(deployments.ref, entities.title) as title,
        case when regexp_matches(entities.url, '^https?://[^/]', 'i') then entities.url end as url
    from kept
    left join marts.metric_entities as entities using (entity_id)
    left join marts.fct_deployments as deployments on deployments.deployment_id = kept.entity_id
"""

_ROWS = """
    select
        metric,
        to_json({
            'since': if(count(*) < $most, $since, min(kept.measured_on) + 1)::varchar,
            'entity': list(entities.number order by kept.place),
            'on': list(kept.measured_on - date '1970-01-01' order by kept.place),
            'at': list(ceil(epoch(kept.measured_at))::bigint order by kept.place),
            'value': list(round(kept.value, 4) order by kept.place),
            'reason': list(reasons.number order by kept.place),
            'scopes': list(sets.number order by kept.place)
        })::varchar
    from report_kept as kept
    inner join report_entities as entities using (entity_id)
    inner join report_sets as sets using (scopes)
    left join report_reasons as reasons using (excluded_because)
    group by metric
    order by metric
"""


def _stage_rows(metrics: Mapping[str, Metric]) -> str:
    """By stage the hours of each row of the lead time, in the order of `rows/lead_time`; null where one is unknown."""
    stages = sorted((metric for metric in metrics.values() if metric.stage), key=lambda metric: metric.stage or 0)
    lists = ", ".join(f"'{stage.id}': list(round({stage.id}_hours, 4) order by place)" for stage in stages)
    return f"""
        select to_json({{{lists}}})::varchar
        from report_kept as kept
        left join (
            from marts.fct_pull_requests
            where
                coding_hours is not null and draft_hours is not null and deploy_hours is not null
                and (unreviewed_hours is not null or pickup_hours + review_hours is not null)
        ) as pull_requests on pull_requests.pull_request_id = kept.entity_id
        where kept.metric = 'lead_time'
    """


_WORK_ROWS = """
    select to_json({
        'entity': list(entities.number order by work.begun_at, entity_id),
        'began': list(work.begun_at::date - date '1970-01-01' order by work.begun_at, entity_id),
        'at': list(epoch(work.begun_at)::bigint order by work.begun_at, entity_id),
        'ended': list(work.ended_at::date - date '1970-01-01' order by work.begun_at, entity_id),
        'stage': list(work.stage order by work.begun_at, entity_id),
        'scopes': list(sets.number order by work.begun_at, entity_id)
    })::varchar
    from report_kept_work as work
    inner join report_entities as entities using (entity_id)
    inner join report_sets as sets using (scopes)
"""

_OPEN = """
    with open as (
        select entities.*, work.begun_at, work.stage, work.scopes
        from report_kept_work as work
        inner join report_entities as entities using (entity_id)
        where work.ended_at is null and work.stage <> 'in progress'
    )
    select to_json({
        'name': list(name order by begun_at, entity_id),
        'place': list(place order by begun_at, entity_id),
        'title': list(title order by begun_at, entity_id),
        'url': list(url order by begun_at, entity_id),
        'at': list(epoch(begun_at)::bigint order by begun_at, entity_id),
        'stage': list(stage order by begun_at, entity_id),
        'scopes': list(scopes order by begun_at, entity_id)
    })::varchar
    from open
"""

_ENTITY_LISTS = """
    select to_json({
        'name': list(name order by number),
        'place': list(place order by number),
        'title': list(title order by number),
        'url': list(url order by number),
        'sets': (select list(scopes order by number) from report_sets),
        'reasons': (select list(excluded_because order by number) from report_reasons)
    })::varchar
    from report_entities
"""
