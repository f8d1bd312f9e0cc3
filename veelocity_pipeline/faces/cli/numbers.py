"""Commands that read the published file: ``scorecard``, ``explain``, ``sql``, ``report``, ``export``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from veelocity_pipeline.config.load import expanded, load_settings
from veelocity_pipeline.config.settings import SettingsError
from veelocity_pipeline.faces.cli.app import FAILED, complain
from veelocity_pipeline.faces.cli.terminal import out
from veelocity_pipeline.faces.cli.wording import CALLED_FROM, shown
from veelocity_pipeline.safety.foreign import plain
from veelocity_pipeline.warehouse.home import Home


def scorecard(
    days: Annotated[int, typer.Option(help="The window: 30, 90, 180 or 365 days.")] = 90,
    repository: Annotated[str | None, typer.Option(help="owner/name; all together if left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False,
) -> None:
    """The five DORA keys with their samples and scores."""
    home = Home.of(load_settings())
    if not as_json:
        print_scorecard(home, days=days, repository=repository)
        return
    from veelocity_pipeline.published.scorecard import scorecard as read

    card = asdict(read(home.published, days=days, repository=repository))
    sys.stdout.write(json.dumps(card, indent=1, default=lambda moment: moment.isoformat() + "Z") + "\n")


def explain(
    metric: Annotated[str, typer.Argument(help="A metric, or a column of dora_metrics or dev_metrics.")],
    day: Annotated[str | None, typer.Option(help="Of this day (2026-03-02).")] = None,
    week: Annotated[str | None, typer.Option(help="Of the week of this day.")] = None,
    month: Annotated[str | None, typer.Option(help="Of the month of this day.")] = None,
    quarter: Annotated[str | None, typer.Option(help="Of the quarter of this day.")] = None,
    days: Annotated[int | None, typer.Option(help="Of a window of the scorecard: 30, 90, 180 or 365 days.")] = None,
    repository: Annotated[str | None, typer.Option(help="Of one repository (owner/name).")] = None,
    service: Annotated[str | None, typer.Option(help="Of one service.")] = None,
    team: Annotated[str | None, typer.Option(help="Of one team.")] = None,
    excluded: Annotated[bool, typer.Option("--excluded", help="List what was left out, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Rows to print.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="All rows as JSON, for scripts.")] = False,
) -> None:
    """The rows behind a number, with their links: what was measured, what was left out and why."""
    from veelocity_pipeline.published.explain import explain as rows_behind
    from veelocity_pipeline.published.explain import render

    period, moment = _at_most_one({"day": day, "week": week, "month": month, "quarter": quarter, "days": days})
    scope_type, scope = _at_most_one({"repository": repository, "service": service, "team": team})
    explanation = rows_behind(
        Home.of(load_settings()).published,
        metric,
        period=period if days is None else None,
        day=_date(f"--{period}", moment) if period and days is None else None,
        days=days,
        scope_type=scope_type or "all",
        scope=scope or "all",
    )
    if as_json:
        sys.stdout.write(json.dumps(explanation.to_json(), indent=1) + "\n")
    else:
        out.print(render(explanation, most=limit, with_excluded=excluded), soft_wrap=False)


def _at_most_one(options: dict[str, Any]) -> tuple[str | None, Any]:
    given = [(name, value) for name, value in options.items() if value is not None]
    if len(given) > 1:
        raise SettingsError(f"give only one of {', '.join(f'--{name}' for name, _ in given)}")
    return given[0] if given else (None, None)


def _date(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{option} {text}: not a day; write it as 2026-03-02") from None


def sql(query: Annotated[str, typer.Argument(help="One SELECT; the tables are in the schema marts.")]) -> None:
    """Ask the published marts in SQL."""
    from veelocity_pipeline.published.query import ask

    try:
        sys.stdout.write(plain(ask(Home.of(load_settings()).published, query), lines=True))
    except KeyboardInterrupt:
        complain("interrupted", FAILED)


def report() -> None:
    """Regenerate the report from the published data and print its path."""
    from veelocity_pipeline.faces.report import render_report

    home = Home.of(load_settings())
    home.make()
    out.print(shown(render_report(home.published, home.report, is_demo=home.is_demo)), soft_wrap=True)


def export(
    to: Annotated[Path, typer.Option(help="The folder to write to.")],
    kind: Annotated[str, typer.Option("--format", help="parquet or csv.")] = "parquet",
    verbatim: Annotated[
        bool, typer.Option("--verbatim", help="Leave text in CSV as it is, also what a spreadsheet would run.")
    ] = False,
) -> None:
    """Write the published tables as Parquet or CSV, one file each, for other tools."""
    from veelocity_pipeline.published.export import export as write

    if kind not in ("parquet", "csv"):
        raise SettingsError(f"--format {kind}: it is parquet or csv")
    folder = CALLED_FROM / expanded(to, "--to")
    home = Home.of(load_settings())
    rows = write(home.published, folder, kind, verbatim=verbatim, shared=home.is_shared)  # type: ignore[arg-type]
    out.print(f"{len(rows)} tables, {sum(rows.values()):,} rows: {shown(folder)}", soft_wrap=True)


def print_scorecard(home: Home, *, days: int, repository: str | None) -> None:
    from veelocity_pipeline.published.scorecard import render
    from veelocity_pipeline.published.scorecard import scorecard as read

    out.print(render(read(home.published, days=days, repository=repository)))
