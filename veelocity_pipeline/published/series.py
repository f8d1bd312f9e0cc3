"""What the report shows, read from the published file and from nothing else.

Everything is fetched by column and for all scopes at once, because the page holds years of weeks for many scopes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from veelocity_pipeline.published.formatting import http_url
from veelocity_pipeline.published.metrics import Chart, Metric, charts, read_metrics
from veelocity_pipeline.published.open import read_published
from veelocity_pipeline.published.rows import STAND_IN, first_day_of_rows, read_rows, read_series, scopes_table
from veelocity_pipeline.safety.files import WarehouseError

#: A scope lists its newest failed deployments, so many at least.
FAILURES_KEPT = 50

#: A source whose last complete read is this much older than the newest one is called stale.
LAG = timedelta(hours=24)

#: What the longest window is called; it reaches from the first activity to the last load.
ALL_HISTORY = "all"

SCOPE_TYPES = ("all", "repository", "service", "team")

SOURCE_TITLES = {"github": "GitHub", "github_actions": "GitHub Actions", "linear": "Linear"}
SOURCE_MISSING = {
    "github": "Not connected: set GITHUB_TOKEN and GITHUB_REPOSITORIES",
    "github_actions": "Not connected: set GITHUB_TOKEN and GITHUB_REPOSITORIES",
    "linear": "Not connected: set LINEAR_API_KEY",
}


#: (scope_type, scope) as in dora_metrics.
Scope = tuple[str, str]


class ReportError(WarehouseError):
    """The published file or the report's own cannot be used; the message says so in one sentence, with the cure."""


@dataclass(frozen=True)
class SourceState:
    """How fresh one source is. `as_of` and `succeeded_at` are aware UTC times, None before the first complete read."""

    name: str
    title: str
    as_of: datetime | None
    succeeded_at: datetime | None
    scopes: int
    failed: tuple[tuple[str, str], ...] = ()
    missing: str = ""


@dataclass(frozen=True)
class ReportData:
    """Everything on the page; lists `by scope` are parallel to `scopes`.

    `metrics` are those of `dim_metrics`, `windows` the lengths in days that the scorecard looks back over.
    `starts` are the days on which the periods of each kind begin. `cards[window][key]` holds lists by scope. `coverage`
    has, by metric, lists by scope: how many are eligible, and how many of them left out for which reason. `texts` are
    JSON texts by name as in `rows`. Durations are hours, rates shares of 1, days are counts.
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
            failures=_read_failures(connection, as_of) if as_of else {},
            repairs=_read_repairs(connection) if as_of else {},
            coverage=_read_coverage(connection, len(scopes)),
            freshness=_read_freshness(connection),
            metric_version=_scalar(connection, "select max(metric_version)::varchar from marts.dora_metrics"),
        )


def read_scopes(connection: duckdb.DuckDBPyConnection) -> list[Scope]:
    """Every (scope_type, scope) that has a metric: all first, then repositories, services and teams by name.

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
    return _name(scope[1]) if scope[0] in {"repository", "service"} else scope[1]


def read_sources(connection: duckdb.DuckDBPyConnection) -> tuple[SourceState, ...]:
    """The state of the three sources, those that were never read included."""
    rows = connection.execute(
        """
        select
            source,
            min(read_at),
            max(succeeded_at),
            count(distinct repository) filter (repository <> '*')
        from marts.sync_status
        group by source
        """
    ).fetchall()
    known = {row[0]: row[1:] for row in rows}
    errors: dict[str, list[tuple[str, str]]] = {}
    for source, repository, error in connection.execute(
        """
        select source, if(repository = '*', 'everything', repository) as repository, min(error)
        from marts.sync_status
        where error is not null group by all order by source, repository
        """
    ).fetchall():
        errors.setdefault(source, []).append((repository, error))
    return tuple(
        SourceState(
            name=name,
            title=SOURCE_TITLES.get(name, name),
            as_of=_utc(known[name][0]) if name in known else None,
            succeeded_at=_utc(known[name][1]) if name in known else None,
            scopes=known[name][2] if name in known else 0,
            failed=tuple(errors.get(name, ())),
            missing="" if name in known else SOURCE_MISSING.get(name, "Never read"),
        )
        for name in [*SOURCE_TITLES, *sorted(known.keys() - SOURCE_TITLES.keys())]
    )


def _read_freshness(connection: duckdb.DuckDBPyConnection) -> list[list[str | None]]:
    """By source and repository or team: its source's name, its own, complete as of (ISO, UTC), error; oldest first."""
    return [
        [SOURCE_TITLES.get(source, source), repository, as_of.isoformat() if as_of else None, error]
        for source, repository, as_of, error in connection.execute(
            """
            select source, repository, if(count(read_at) = count(*), min(read_at), null) as as_of, min(error)
            from marts.sync_status
            where repository <> '*'
            group by source, repository
            order by as_of nulls first, source, repository
            """
        ).fetchall()
    ]


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
        for row in _rows(connection, "select * from marts.dora_scorecard")
    }
    measured = {
        (row["metric"], row["window_days"], row["scope_type"], row["scope"]): row
        for row in _rows(connection, "select * from marts.metric_windows")
    }

    def card(metric: Metric, days: int | None, scope: Scope) -> dict[str, Any]:
        """One key of one window and scope; a key over all history has a mean alone."""
        score = scored.get((days or max(windows, default=None), *scope))
        of_commits = bool(score and metric.id == "lead_time" and score["is_lead_time_of_commits"])
        row = measured.get((STAND_IN if of_commits else metric.id, days, *scope), {})
        return {
            "value": _rounded(row.get("value")),
            "sample": row.get("sample"),
            "part": row.get("part"),
            "of_commits": of_commits,
            "excluded": row.get("excluded"),
            "score": _rounded(score[f"{metric.id}_score"]) if score and days else None,
            "level": score.get(f"{metric.id}_level_2023") if score and days else None,
            "mean": score[f"{metric.id}_industry_mean_2025"] if score else None,
            "previous_known": row.get("has_previous", False),
            "previous": _rounded(row.get("previous_value")),
            "previous_sample": row.get("previous_sample"),
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
            name: [_rounded(scored[days, *scope][column]) if (days, *scope) in scored else None for scope in scopes]
            for name, column in _TOTALS.items()
        }
        for days in windows
    }
    history = (measured.get(("deployment_frequency", None, *scope), {}) for scope in scopes)
    return cards, totals, tuple(_rounded(row.get("days")) for row in history)


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
    return _utc(marts) or min((source.as_of for source in sources if source.as_of), default=None)


# ---- failed deployments ----

_FAILURES = """
    with ranked as (
        select
            entity_id as deployment_id,
            position,
            measured_on,
            row_number() over (partition by position order by measured_at desc, entity_id) as place
        from marts.metric_measurements
        inner join report_scopes using (scope_type, scope)
        where metric = 'change_fail_rate' and value > 0
    ),
    shown as (
        select deployment_id, list(position order by position) as scopes
        from ranked
        where place <= $kept or measured_on >= $since
        group by deployment_id
    ),
    evidence as (
        select
            fct_deployment_failures.deployment_id,
            list({
                'evidence': fct_deployment_failures.evidence,
                'title': coalesce(fct_pull_requests.title, fct_issues.title),
                'shipped': fct_deployments.sha,
                'id': fct_deployment_failures.evidence_id,
                'url': coalesce(
                    fct_deployment_failures.evidence_url, fct_pull_requests.url, fct_issues.url, fct_deployments.url
                )
            } order by occurred_at, fct_deployment_failures.evidence, evidence_id) as evidence
        from marts.fct_deployment_failures
        left join marts.fct_pull_requests on fct_deployment_failures.evidence_id = fct_pull_requests.pull_request_id
        left join marts.fct_issues on fct_deployment_failures.evidence_id = fct_issues.issue_id
        left join marts.fct_deployments on fct_deployment_failures.evidence_id = fct_deployments.deployment_id
        where fct_deployment_failures.counts
        group by fct_deployment_failures.deployment_id
    )
    select
        entities.number,
        shown.scopes,
        deployments.deployment_id,
        deployments.repository_id,
        deployments.service,
        deployments.sha,
        deployments.ref,
        deployments.url,
        deployments.finished_at,
        deployments.recovery_hours,
        evidence.evidence
    from shown
    inner join marts.fct_deployments as deployments using (deployment_id)
    left join evidence using (deployment_id)
    left join report_entities as entities on shown.deployment_id = entities.entity_id
    order by deployments.finished_at desc, deployments.deployment_id
"""


def _read_failures(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> dict[str, list[Any]]:
    """The newest failed deployments of every scope, each once, with the positions of the scopes that list it.

    All of those whose rows are on the page are among them; `entity` is their number there, else None.
    """
    columns: dict[str, list[Any]] = {
        name: []
        for name in ("entity", "deployment", "where", "url", "finished_at", "recovery_hours", "scopes", "evidence")
    }
    values = {"kept": FAILURES_KEPT, "since": first_day_of_rows(as_of)}
    for row in _rows(connection, _FAILURES, values):
        columns["entity"].append(row["number"])
        columns["deployment"].append((row["sha"] or "")[:7] or row["ref"] or _name(row["deployment_id"]))
        columns["where"].append(_name(row["service"] or row["repository_id"]))
        columns["url"].append(http_url(row["url"]))
        columns["finished_at"].append(row["finished_at"].isoformat(timespec="seconds") if row["finished_at"] else "")
        columns["recovery_hours"].append(_rounded(row["recovery_hours"]))
        columns["scopes"].append(row["scopes"])
        columns["evidence"].append([_evidence(each) for each in row["evidence"] or ()])
    return columns


#: What each rework deployment put right, as `veelocity explain rework_rate` tells it.
_REPAIRS = """
    with repairs as (
        select
            failures.fix_deployment_id as deployment_id,
            failures.evidence,
            case when failures.evidence <> 'rollback' then failures.evidence_id end as evidence_id,
            if(failures.evidence = 'rollback', failed.url, failures.evidence_url) as url,
            case when failures.evidence = 'rollback' then 'from ' || left(failed.sha, 7) end as title
        from marts.fct_deployment_failures as failures
        inner join marts.fct_deployments as failed using (deployment_id)
        where failures.evidence <> 'deployment_status'
        union
        select fix_deployment_id, 'incident', incident_id, url, null
        from marts.fct_incidents
    )
    select
        entities.number,
        list({
            'evidence': evidence,
            'title': coalesce(repairs.title, fct_pull_requests.title, fct_issues.title),
            'shipped': null,
            'id': evidence_id,
            'url': coalesce(repairs.url, fct_pull_requests.url, fct_issues.url)
        } order by evidence, evidence_id, repairs.title) as evidence
    from repairs
    inner join report_entities as entities on repairs.deployment_id = entities.entity_id
    left join marts.fct_pull_requests on repairs.evidence_id = fct_pull_requests.pull_request_id
    left join marts.fct_issues on repairs.evidence_id = fct_issues.issue_id
    group by entities.number
    order by entities.number
"""


def _read_repairs(connection: duckdb.DuckDBPyConnection) -> dict[str, list[Any]]:
    """What the deployments whose rows are on the page put right; `entity` is their number there."""
    rows = _rows(connection, _REPAIRS)
    return {
        "entity": [row["number"] for row in rows],
        "evidence": [[_evidence(each) for each in row["evidence"]] for row in rows],
    }


def _evidence(evidence: dict[str, Any]) -> list[str | None]:
    """Its kind, its text and its address."""
    return [evidence["evidence"], _evidence_text(evidence), http_url(evidence["url"])]


def _evidence_text(evidence: dict[str, Any]) -> str:
    """`acme/web#41 Undo the change`, `OPS-3 Checkout is down`, `acme/web@1a2b3c4`, and `to 1a2b3c4` for a rollback."""
    if evidence["shipped"]:
        return f"to {evidence['shipped'][:7]}"
    identity, at, sha = _name(evidence["id"] or "").partition("@")
    return " ".join(part for part in (identity + at + sha[:7], evidence["title"]) if part) or "without a name"


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


def _rows(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    cursor = connection.execute(query, parameters) if parameters else connection.execute(query)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _scalar(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return row[0] if row else None


def _rounded(value: float | None) -> float | None:
    return round(value, 5) if isinstance(value, float) else value


def _utc(moment: datetime | None) -> datetime | None:
    """The marts hold UTC without saying so."""
    if moment is None:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _name(scoped_id: str) -> str:
    """`acme/web#41` of `github:acme/web#41`."""
    return scoped_id.split(":", 1)[-1]


def _rank(scope_type: str) -> int:
    return SCOPE_TYPES.index(scope_type) if scope_type in SCOPE_TYPES else len(SCOPE_TYPES)
