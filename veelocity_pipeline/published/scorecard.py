"""The five DORA keys in the terminal, from the published file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from veelocity_pipeline.published.formatting import closest, decimal, duration, per_week, percent, plural
from veelocity_pipeline.published.metrics import Metric, read_metrics
from veelocity_pipeline.published.rows import STAND_IN
from veelocity_pipeline.published.series import ReportError, Scope, open_published, scope_label
from veelocity_pipeline.safety.foreign import plain

BAR = 10


@dataclass(frozen=True)
class ScorecardRow:
    """One key. `value` is a count, hours or a share as `kind` says; what is not known is None."""

    key: str
    title: str
    kind: str
    value: float | None
    sample: int
    sample_noun: str
    score: float | None
    missing_because: str | None
    industry_mean: float | None
    level: str | None


@dataclass(frozen=True)
class Scorecard:
    """The five keys of a window that ends at `as_of` (UTC), with the means of their scores where there are enough."""

    scope: str
    days: int
    as_of: datetime | None
    rows: tuple[ScorecardRow, ...]
    throughput: float | None
    stability: float | None
    overall: float | None


def scorecard(published: Path, days: int = 90, repository: str | None = None) -> Scorecard:
    """Read the scorecard of everything, or of one repository (`owner/name`, in any case).

    Raises:
        WarehouseError: nothing is published, or there is no such window or repository (it names those there are).
    """
    with open_published(published) as connection:
        windows = [row[0] for row in connection.execute(
            "select distinct window_days from marts.dora_scorecard order by 1"
        ).fetchall()]  # fmt: skip
        if windows and days not in windows:
            raise ReportError(f"--days {days}: the windows are {_listed([str(each) for each in windows], 'and')} days")
        scopes = connection.execute("select distinct scope_type, scope from marts.dora_scorecard").fetchall()
        scope = _scope(scopes, repository)
        cursor = connection.execute(
            "select * from marts.dora_scorecard where window_days = ? and scope_type = ? and scope = ?", [days, *scope]
        )
        names = [column[0] for column in cursor.description or ()]
        row = cursor.fetchone()
        metrics = read_metrics(connection)
    if row is None:
        raise ReportError(
            f"{published} has no scorecard yet: nothing was loaded before it was published; run `veelocity refresh`"
        )
    return _scorecard(dict(zip(names, row, strict=True)), scope, metrics)


def render(card: Scorecard) -> RenderableType:
    """The scorecard as something that rich prints, no wider than 80 columns."""
    heading = Text.assemble((plain(card.scope), "bold"), f", last {card.days} days")
    if card.as_of:
        heading.append(f" to {card.as_of.day} {card.as_of:%b %Y, %H:%M} UTC", style="dim")
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("sample", justify="right", no_wrap=True)
    table.add_column("score of 10", no_wrap=True)
    table.add_column("mean", justify="right", no_wrap=True)
    table.add_column("2023", no_wrap=True)
    for row in card.rows:
        table.add_row(
            Text(row.title, style="bold"),
            Text(_value(row, card.days), style="" if row.value is not None else "dim"),
            Text(plural(row.sample, row.sample_noun.replace("deployments", "deploys")), style="dim"),
            _bar(row),
            "" if row.industry_mean is None else f"{row.industry_mean:.1f}",
            row.level or "",
        )
    totals = Text("\n")
    for name, score in (("Throughput", card.throughput), ("Stability", card.stability), ("Overall", card.overall)):
        totals.append(f"{name} ", style="dim")
        totals.append("-" if score is None else decimal(score), style="bold")
        totals.append("   ")
    notes = Text("mean: score of all industries, 2025; 2023: level by DORA's report of that year", style="dim")
    return Group(heading, Text(), table, totals, notes)


def _scorecard(values: dict[str, Any], scope: Scope, metrics: Mapping[str, Metric]) -> Scorecard:
    return Scorecard(
        scope="All repositories" if scope[0] == "all" else scope_label(scope),
        days=values["window_days"],
        as_of=values["as_of"],
        rows=tuple(_row(metric, values, metrics) for metric in metrics.values() if metric.is_key),
        throughput=values["throughput_score"],
        stability=values["stability_score"],
        overall=values["overall_score"],
    )


def _row(key: Metric, values: dict[str, Any], metrics: Mapping[str, Metric]) -> ScorecardRow:
    of_commits = key.id == "lead_time" and values["is_lead_time_of_commits"]
    measured = metrics[STAND_IN] if of_commits else key
    return ScorecardRow(
        key=key.id,
        title=key.title,
        kind=key.kind,
        value=values[measured.value_column],
        sample=values[measured.sample_column or measured.value_column],
        sample_noun=measured.sample_noun,
        score=values[f"{key.id}_score"],
        missing_because=values.get(f"{key.id}_missing_because"),
        industry_mean=values[f"{key.id}_industry_mean_2025"],
        level=values.get(f"{key.id}_level_2023"),
    )


def _value(row: ScorecardRow, days: int) -> str:
    if row.kind == "duration":
        return duration(row.value)
    if row.kind == "rate":
        return percent(row.value)
    return per_week(None if row.value is None else int(row.value), days).replace(" / ", "/")


def _bar(row: ScorecardRow) -> Text:
    """Ten cells, and the score; without a score, why there is none."""
    if row.score is None:
        return Text("too few" if row.sample else "no data", style="dim")
    filled = int(row.score + 0.5)
    return Text.assemble(("█" * filled, "cyan"), ("░" * (BAR - filled), "dim"), f" {decimal(row.score)}")


def _scope(scopes: Sequence[Scope], repository: str | None) -> Scope:
    """The scope that a name means, which may be given in any case and with its provider."""
    if repository is None:
        return ("all", "all")
    repositories = [scope for scope in scopes if scope[0] == "repository"]
    wanted = repository.strip().lower()
    for scope in repositories:
        if wanted in {scope[1].lower(), scope_label(scope).lower()}:
            return scope
    names = sorted(scope_label(scope) for scope in repositories)
    close = closest(repository, names)
    if close:
        hint = f"did you mean {_listed(close, 'or')}?"
    elif names:
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        hint = f"there are {', '.join(names[:5])}{more}"
    else:
        hint = "no repository was loaded yet; run `veelocity refresh`"
    raise ReportError(f"--repository {repository}: it is not among the published ones; {hint}")


def _listed(names: Sequence[str], word: str) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {word} {names[-1]}"
