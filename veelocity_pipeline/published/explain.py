"""From a number of the marts to the rows it was made of, each with the page where it can be looked at.

Reads the published file alone. Every number of ``dora_metrics``, ``dev_metrics`` and ``dora_scorecard`` is an
aggregate of ``metric_measurements``; this is the query that goes the other way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from veelocity_pipeline.published.formatting import closest, duration, http_url, percent, plural
from veelocity_pipeline.published.metrics import PERIODS, Kind, Metric, read_metrics
from veelocity_pipeline.published.series import ReportError, Scope, open_published, scope_label
from veelocity_pipeline.safety.foreign import plain

LONGEST = 500
"""Characters of a title that are printed; GitHub and Linear take some 250."""

SHOWN = 50
"""Rows that are printed unless more are asked for."""


@dataclass(frozen=True)
class Evidence:
    """Why a deployment failed, or what it fixed: ``kind`` as in ``fct_deployment_failures``."""

    kind: str
    evidence_id: str
    url: str | None
    occurred_at: datetime


@dataclass(frozen=True)
class Row:
    """A thing that the metric measures, or leaves out.

    Attributes:
        value: hours of a duration, 1 of what is counted, 0 or 1 of a rate; None where it is left out.
        measured_at: UTC.
        excluded_because: why it is left out; None where it is measured.
    """

    entity_id: str
    entity_type: str
    title: str | None
    url: str | None
    measured_at: datetime
    value: float | None
    excluded_because: str | None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """A number and its rows.

    Attributes:
        when: the time it is of, in words.
        number: a count, the share of a rate, or the median in hours; None where nothing was measured.
        measured: the rows it was made of: those that make it large first.
        excluded: rows that the metric is about and leaves out.
    """

    metric: str
    kind: Kind
    scope: str
    when: str
    number: float | None
    measured: tuple[Row, ...]
    excluded: tuple[Row, ...]

    def to_json(self) -> dict[str, Any]:
        """With ISO times, for scripts."""

        def plain(value: Any) -> Any:
            if isinstance(value, datetime):
                return value.isoformat() + "Z"
            if isinstance(value, dict):
                return {key: plain(each) for key, each in value.items()}
            return [plain(each) for each in value] if isinstance(value, list | tuple) else value

        return dict(plain(asdict(self)))


def metric_of(name: str, metrics: Mapping[str, Metric]) -> Metric:
    """The metric that is meant by its name or by that of a column that tells it.

    Raises:
        ReportError: there is none of that name.
    """
    wanted = name.strip().lower().replace("-", "_")
    by_name = {each: metric for metric in reversed(list(metrics.values())) for each in metric.names}
    if wanted in by_name:
        return by_name[wanted]
    close = closest(wanted, by_name)
    hint = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(metrics)}"
    raise ReportError(f"there is no metric {name!r}; {hint}")


def explain(
    published: Path,
    metric: str,
    *,
    period: str | None = None,
    day: date | None = None,
    days: int | None = None,
    scope_type: str = "all",
    scope: str = "all",
) -> Explanation:
    """The rows behind one number.

    Args:
        metric: its name, or that of a column of the marts.
        period, day: a period of ``dora_metrics`` (day, week, month, quarter), and any day in it.
        days: instead of these a window of ``dora_scorecard``, up to the last load. Without any: all there is.
        scope_type, scope: as in ``dora_metrics``; a repository as ``owner/name``, in any case.

    Raises:
        WarehouseError: nothing is published, or there is no such metric, scope or window.
    """
    with open_published(published) as connection:
        explained = {name: each for name, each in read_metrics(connection).items() if each.is_measured}
        asked = metric_of(metric, explained)
        of = _scope(connection, scope_type, scope)
        condition, values, when = _time(connection, period, day, days)
        cursor = connection.execute(
            f"""
            select
                measurements.entity_id, entities.entity_type, entities.title, entities.url,
                measurements.measured_at, measurements.value, measurements.excluded_because
            from marts.metric_measurements as measurements
            left join marts.metric_entities as entities using (entity_id)
            where metric = ? and scope_type = ? and scope = ? and {condition}
            order by value desc nulls last, excluded_because, measured_at, entity_id
            """,
            [asked.id, *of, *values],
        )
        rows = cursor.fetchall()
        evidence = _evidence(connection, asked.id)
    found = [replace(Row(*row), evidence=tuple(evidence.get(row[0], ()))) for row in rows]
    measured = tuple(row for row in found if row.excluded_because is None)
    return Explanation(
        metric=asked.id,
        kind=asked.kind,
        scope="all repositories" if of[0] == "all" else scope_label(of),
        when=when,
        number=_number(asked.kind, [row.value or 0.0 for row in measured]),
        measured=measured,
        excluded=tuple(row for row in found if row.excluded_because is not None),
    )


def _number(kind: Kind, values: Sequence[float]) -> float | None:
    if kind == "count":
        return float(sum(values))
    if not values:
        return None
    if kind == "rate":
        return sum(values) / len(values)
    # as quantile_cont(value, 0.5): halfway between the two in the middle
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _time(
    connection: duckdb.DuckDBPyConnection, period: str | None, day: date | None, days: int | None
) -> tuple[str, list[Any], str]:
    """SQL that picks the time, its values, and the same in words."""
    if days is not None:
        windows = connection.execute(
            "select distinct window_days, as_of from marts.dora_scorecard order by 1"
        ).fetchall()
        as_of = dict(windows).get(days)
        if as_of is None:
            names = ", ".join(str(window) for window, _ in windows) or "none yet"
            raise ReportError(f"--days {days}: there is no such window; there are {names}")
        return (
            "measured_at <= ? and measured_at > ? - to_days(?)",
            [as_of, as_of, days],
            f"the {days} days to {as_of:%Y-%m-%d %H:%M} UTC",
        )
    if period is None or day is None:
        return "true", [], "all time"
    if period not in PERIODS:
        raise ReportError(f"there is no period {period!r}; there are {', '.join(PERIODS)}")
    [(start,)] = connection.execute("select date_trunc(?, ?::date)::date", [period, day]).fetchall()
    when = f"{start}" if period == "day" else f"the {period} from {start}"
    return "date_trunc(?, measured_on)::date = ?", [period, start], when


def _scope(connection: duckdb.DuckDBPyConnection, scope_type: str, scope: str) -> Scope:
    if scope_type == "all":
        return ("all", "all")
    known = connection.execute(
        "select distinct scope from marts.dora_metrics where scope_type = ? order by 1", [scope_type]
    ).fetchall()
    wanted = scope.strip().lower()
    for (name,) in known:
        if wanted in {name.lower(), scope_label((scope_type, name)).lower()}:
            return (scope_type, name)
    names = [scope_label((scope_type, name)) for (name,) in known]
    near = closest(scope, names) or names[:5]
    raise ReportError(
        f"--{scope_type} {scope}: it is not among the published ones"
        + (f"; there are {', '.join(near)}" if near else "; there are none")
    )


def _evidence(connection: duckdb.DuckDBPyConnection, metric: str) -> dict[str, list[Evidence]]:
    """By deployment: why it failed, or what failed before and was fixed by it."""
    queries = {
        "rework_rate": """
            select fix_deployment_id as deployment_id, evidence, evidence_id, evidence_url, occurred_at
            from marts.fct_deployment_failures
            where evidence <> 'deployment_status'
            union
            select fix_deployment_id, 'incident', incident_id, url, created_at from marts.fct_incidents""",
    }
    queries["change_fail_rate"] = queries["recovery"] = """
        select deployment_id, evidence, evidence_id, evidence_url, occurred_at
        from marts.fct_deployment_failures
        where counts"""
    found: dict[str, list[Evidence]] = {}
    if metric in queries:
        for deployment, *rest in connection.execute(f"{queries[metric]} order by occurred_at, evidence_id").fetchall():
            found.setdefault(deployment, []).append(Evidence(*rest))
    return found


def render(explanation: Explanation, *, most: int = SHOWN, with_excluded: bool = False) -> RenderableType:
    """For a terminal; a row takes two lines, the second of them its link."""
    parts: list[RenderableType] = [
        Text.assemble((explanation.metric, "bold"), f" of {plain(explanation.scope)}, {explanation.when}"),
        Text(_sentence(explanation)),
        Text(),
    ]
    shown = [row for row in explanation.measured if explanation.kind != "rate" or row.value]
    others = len(explanation.measured) - len(shown)
    if shown:
        parts.append(_table(explanation.kind, shown[:most]))
    if len(shown) > most:
        parts.append(Text(f"and {len(shown) - most:,} more (--limit)", style="dim"))
    if others:
        parts.append(Text(f"the other {others:,} count as 0", style="dim"))
    if explanation.excluded:
        parts.append(Text(f"\nLeft out: {len(explanation.excluded):,}"))
        reasons = Counter(row.excluded_because for row in explanation.excluded)
        parts += [Text(f"  {count:,} {plain(reason)}", style="dim") for reason, count in reasons.most_common()]
        if with_excluded:
            parts.append(_table(explanation.kind, explanation.excluded[:most]))
        else:
            parts.append(Text("  --excluded lists them", style="dim"))
    return Group(*parts)


def _sentence(explanation: Explanation) -> str:
    count = len(explanation.measured)
    if not count:
        return "nothing was measured: no data, which is not zero" if explanation.kind != "count" else "0"
    if explanation.kind == "rate":
        hit = sum(1 for row in explanation.measured if row.value)
        return f"{percent(explanation.number)}: {hit:,} of {plural(count, 'deployments')}"
    if explanation.kind == "duration":
        return f"median {duration(explanation.number)}, of {count:,}"
    return f"{explanation.number:,.0f}"


def _table(kind: Kind, rows: Sequence[Row]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    table.add_column(no_wrap=True, style="dim")
    if kind == "duration":
        table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        name = f"{row.entity_id.partition(':')[2]}  {row.title or ''}".rstrip()
        what = Text(plain(name[:LONGEST]))
        if row.excluded_because:
            what.append(f"\n{plain(row.excluded_because)}", style="dim")
        if url := http_url(row.url):
            what.append(f"\n{plain(url)}", style="blue")
        for each in row.evidence:
            where = plain(http_url(each.url) or each.evidence_id)
            what.append(f"\n{plain(each.kind)}, {each.occurred_at:%Y-%m-%d %H:%M}: {where}", style="red")
        cells: list[RenderableType] = [f"{row.measured_at:%Y-%m-%d %H:%M}"]
        if kind == "duration":
            cells.append(duration(row.value) if row.value is not None else "")
        table.add_row(*cells, what)
    return table
