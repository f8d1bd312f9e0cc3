"""What the report shows, read from the published file and from nothing else.

Everything is fetched by column and for all scopes at once, because the page holds years of weeks for many scopes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from veelocity_pipeline.published.failures import read_failures, read_repairs
from veelocity_pipeline.published.metrics import Chart, Metric, charts, read_metrics
from veelocity_pipeline.published.open import read_published
from veelocity_pipeline.published.records import name_of, records, rounded, utc
from veelocity_pipeline.published.rows import (
    STAND_IN,
    read_open_work,
    read_rows,
    read_series,
    read_stages,
    scopes_table,
)
from veelocity_pipeline.published.sources import SourceState, read_freshness, read_sources
from veelocity_pipeline.safety.files import WarehouseError

#: A source whose last complete read is this much older than the newest one is called stale.
LAG = timedelta(hours=24)

#: What the longest window is called; it reaches from the first activity to the last load.
ALL_HISTORY = "all"

#: In the order in which people are shown them.
SCOPE_TYPES = ("all", "team", "repository", "service")

#: (scope_type, scope) as in dora_metrics.
Scope = tuple[str, str]


class ReportError(WarehouseError):
    """The published file or the report's own cannot be used; the message says so in one sentence, with the cure."""


@dataclass(frozen=True)
class ReportData:
    """Everything on the page; lists `by scope` are parallel to `scopes`.

    `metrics` are those of `dim_metrics`, `windows` the lengths in days that the scorecard looks back over.
    `starts` are the days on which the periods of each kind begin. `cards[window][key]` holds lists by scope. `coverage`
    has, by metric, lists by scope: how many are eligible, and how many of them left out for which reason. `stages`
    and `open_work` are as `rows` reads them; `texts` are JSON texts by name, as there. Durations are
    hours, rates shares of 1, days are counts.
    """

    as_of: datetime | None
    metrics: Mapping[str, Metric]
    charts: tuple[Chart, ...]
    windows: tuple[int, ...]
    sources: tuple[SourceState, ...]
    scopes: tuple[Scope, ...]
    deployed: tuple[bool, ...]
    history_days: tuple[float | None, ...]
    starts: dict[str, list[str]]
    texts: dict[str, str]
    cards: dict[str, dict[str, dict[str, list[Any]]]]
    totals: dict[str, dict[str, list[Any]]]
    stages: dict[str, dict[int, list[list[Any]]]]
    open_work: dict[str, list[Any]]
    failures: dict[str, list[Any]]
    repairs: dict[str, list[Any]]
    coverage: dict[str, dict[str, list[Any]]]
    freshness: list[list[str | None]]
    metric_version: str | None = None

    @property
    def has_linear(self) -> bool:
        """Whether Linear has been read completely at least once."""
        return any(source.name == "linear" and source.as_of for source in self.sources)


@contextlib.contextmanager
def open_published(published: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the published file.

    Raises:
        WarehouseError: it is not there, is no database, or holds other marts than this version knows.
    """
    with read_published(published) as connection:
        connection.execute("set enable_progress_bar = false")  # DuckDB would draw one on stdout
        try:
            yield connection
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            cause = str(error).strip().splitlines()[0].rstrip(".!:")
            raise ReportError(
                f"{published} was published by another version of Veelocity ({cause}); run `veelocity refresh`"
            ) from error


def read_report(published: Path) -> ReportData:
    """Read the page's data from the published file. Raises ReportError."""
    with open_published(published) as connection:
        sources = read_sources(connection)
        scopes = read_scopes(connection)
        as_of = _as_of(connection, sources)
        scopes_table(connection, scopes)
        metrics = read_metrics(connection)
        drawn = charts(metrics)
        starts, texts = read_series(connection, drawn)
        if as_of:
            texts |= read_rows(connection, metrics, as_of)
        windows = _windows(connection)
        cards, totals, history_days = _read_cards(connection, metrics, windows, scopes)
        return ReportData(
            as_of=as_of,
            metrics=metrics,
            charts=drawn,
            windows=windows,
            sources=sources,
            scopes=tuple(scopes),
            deployed=_deployed(connection, scopes),
            history_days=history_days,
            starts=starts,
            texts=texts,
            cards=cards,
            totals=totals,
            stages=read_stages(connection),
            open_work=read_open_work(connection),
            failures=read_failures(connection, as_of) if as_of else {},
            repairs=read_repairs(connection) if as_of else {},
            coverage=_read_coverage(connection, len(scopes)),
            freshness=read_freshness(connection),
            metric_version=_scalar(connection, "select max(metric_version)::varchar from marts.dora_metrics"),
        )


def read_scopes(connection: duckdb.DuckDBPyConnection) -> list[Scope]:
    """Every (scope_type, scope) that has a metric: all first, then teams, repositories and services by name.

    A repository that is one service is listed once, as the repository.
    """
    found = connection.execute(
        """
        select scope_type, scope from marts.dora_metrics
        union
        select scope_type, scope from marts.dev_metrics
        """
    ).fetchall()
    repositories = {scope_label(scope) for scope in found if scope[0] == "repository"}
    return sorted(
        (scope for scope in found if scope[0] != "service" or scope_label(scope) not in repositories),
        key=lambda scope: (_rank(scope[0]), scope_label(scope).lower()),
    )


def scope_label(scope: Scope) -> str:
    """What people call a scope: a repository's or service's name without the provider before it."""
    return name_of(scope[1]) if scope[0] in {"repository", "service"} else scope[1]


# ---- cards ----

_TOTALS = {"throughput": "throughput_score", "stability": "stability_score", "overall": "overall_score"}


def _windows(connection: duckdb.DuckDBPyConnection) -> tuple[int, ...]:
    """The lengths in days of the windows that the scorecard looks back over."""
    found = connection.execute("select distinct window_days from marts.dora_scorecard order by 1").fetchall()
    return tuple(days for (days,) in found)


def _read_cards(
    connection: duckdb.DuckDBPyConnection,
    metrics: Mapping[str, Metric],
    windows: Sequence[int],
    scopes: Sequence[Scope],
) -> tuple[dict[str, dict[str, dict[str, list[Any]]]], dict[str, dict[str, list[Any]]], tuple[float | None, ...]]:
    """The five keys of each window with those of the window before; the total scores; days since the first deployment.

    Numbers are those of `metric_windows`, scores, levels and means those of `dora_scorecard`.
    """
    scored = {
        (row["window_days"], row["scope_type"], row["scope"]): row
        for row in records(connection, "select * from marts.dora_scorecard")
    }
    measured = {
        (row["metric"], row["window_days"], row["scope_type"], row["scope"]): row
        for row in records(connection, "select * from marts.metric_windows")
    }

    def card(metric: Metric, days: int | None, scope: Scope) -> dict[str, Any]:
        """One key of one window and scope; a key over all history has a mean alone."""
        score = scored.get((days or max(windows, default=None), *scope))
        of_commits = bool(score and metric.id == "lead_time" and score["is_lead_time_of_commits"])
        row = measured.get((STAND_IN if of_commits else metric.id, days, *scope), {})
        return {
            "value": rounded(row.get("value")),
            "sample": row.get("sample"),
            "part": row.get("part"),
            "of_commits": of_commits,
            "excluded": row.get("excluded"),
            "score": rounded(score[f"{metric.id}_score"]) if score and days else None,
            "level": score.get(f"{metric.id}_level_2023") if score and days else None,
            "mean": score[f"{metric.id}_industry_mean_2025"] if score else None,
            "previous_known": row.get("has_previous", False),
            "previous": rounded(row.get("previous_value")),
            "previous_sample": row.get("previous_sample"),
            "is_clear": row.get("is_clear_change", False),
        }

    cards = {
        ALL_HISTORY if days is None else str(days): {
            metric.id: _columns(card(metric, days, scope) for scope in scopes)
            for metric in metrics.values()
            if metric.is_key
        }
        for days in (*windows, None)
    }
    totals = {
        str(days): {
            name: [rounded(scored[days, *scope][column]) if (days, *scope) in scored else None for scope in scopes]
            for name, column in _TOTALS.items()
        }
        for days in windows
    }
    history = (measured.get(("deployment_frequency", None, *scope), {}) for scope in scopes)
    return cards, totals, tuple(rounded(row.get("days")) for row in history)


def _columns(cards: Iterable[dict[str, Any]]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    for card in cards:
        for name, value in card.items():
            columns.setdefault(name, []).append(value)
    return columns


# ---- what there is at all ----


def _deployed(connection: duckdb.DuckDBPyConnection, scopes: Sequence[Scope]) -> tuple[bool, ...]:
    """Whether a scope has any counted deployment in its whole history."""
    found = set(
        connection.execute(
            "select scope_type, scope from marts.dora_metrics group by all having sum(deployment_count) > 0"
        ).fetchall()
    )
    return tuple(scope in found for scope in scopes)


def _as_of(connection: duckdb.DuckDBPyConnection, sources: Sequence[SourceState]) -> datetime | None:
    """The end of the scorecard's windows; without a scorecard, the oldest complete read."""
    marts = _scalar(connection, "select min(as_of) from marts.dora_scorecard")
    return utc(marts) or min((source.as_of for source in sources if source.as_of), default=None)


# ---- coverage ----


def _read_coverage(connection: duckdb.DuckDBPyConnection, scopes: int) -> dict[str, dict[str, list[Any]]]:
    """Of each metric, by scope: `eligible`, `measured` and the `reasons` of the rest as [reason, rows], most first."""
    found: dict[str, dict[str, list[Any]]] = {}
    for metric, position, eligible, measured, reasons in connection.execute(
        """
        with reasons as (
            select metric, scope_type, scope, excluded_because, count(*) as rows
            from marts.metric_measurements
            where excluded_because is not null
            group by all
        ),
        listed as (
            select
                metric,
                scope_type,
                scope,
                list([excluded_because, rows::varchar] order by rows desc, excluded_because) as reasons
            from reasons
            group by all
        )
        select coverage.metric, position, coverage.eligible, coverage.measured, listed.reasons
        from marts.metric_coverage as coverage
        inner join report_scopes using (scope_type, scope)
        left join listed using (metric, scope_type, scope)
        order by coverage.metric
        """
    ).fetchall():
        columns = found.setdefault(
            metric, {"eligible": [0] * scopes, "measured": [0] * scopes, "reasons": [[] for _ in range(scopes)]}
        )
        columns["eligible"][position] = eligible
        columns["measured"][position] = measured
        columns["reasons"][position] = [[reason, int(rows)] for reason, rows in reasons or ()]
    return found


# ---- helpers ----


def _scalar(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return row[0] if row else None


def _rank(scope_type: str) -> int:
    return SCOPE_TYPES.index(scope_type) if scope_type in SCOPE_TYPES else len(SCOPE_TYPES)
