"""What everything costs, beside what it may. ``python -m bench [FILE]`` writes it to FILE too, to compare runs by.

Requests and points are counted in the simulator's log and are the same every time. CPU is the client's own: it runs in
another process than the simulator, and what is timed is given again from memory (``bench.server``).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table

from veelocity_pipeline.config.load import load_settings

from . import build, startup
from .home import ACTIONS, ALL, GITHUB, LINEAR, Home, organisation
from .report import measured as report_cost
from .row import Row
from .sweep import sweep

DELAY = 0.2
"""Seconds that each answer takes where waiting is measured."""


def pull_requests(size: str, title: str, limit: int) -> Iterator[Row]:
    """A first load of one repository's pull requests, and of what stands beside them."""
    with organisation(size) as home:
        home.load(GITHUB)
        asked = home.server.asked()
        thousands = home.count("select count(*) from raw_github.pull_requests") / 1_000
        commits = asked.operations.get("commits", 0)
        # A page of a hundred commits with their parents and pull requests costs 2 points.
        points = asked.points - 2 * commits
        note = f"{thousands * 1_000:,.0f} of them; beside that {commits} requests for the default branch"
        yield Row(f"1,000 {title} pull requests", "requests", (asked.graphql - commits) / thousands, limit, note)
        yield Row(f"1,000 {title} pull requests", "points", points / thousands, 600)
        if size == "ordinary":
            home.load(ACTIONS)
            asked = home.server.asked()
            runs = home.count("select count(*) from raw_github_actions.runs")
            attempts = home.count("select count(*) from raw_github_actions.run_attempts")
            # A search gives 1,000 at most, so that each thousand may cost a look that was too wide and a page not full.
            most = 1 + math.ceil(runs / 100) + 2 * math.ceil(runs / 1_000)
            note = f"{runs:,} runs; beside that one each for {attempts} earlier attempts of deploying runs"
            yield Row("Workflow runs of a year", "requests", asked.rest - attempts, most, note)
            home.load(LINEAR)
            asked = home.server.asked()
            thousands = home.count("select count(*) from raw_linear.issues") / 1_000
            title = "1,000 Linear issues with history"
            yield Row(
                title, "requests", asked.linear / thousands, 40, f"{thousands * 1_000:,.0f} of them, in two teams"
            )
            yield Row(title, "complexity", asked.complexity / thousands, None, "allowance: 250,000 an hour")


def increments() -> Iterator[Row]:
    """A hundred repositories with nothing new, and with one pull request that changed."""
    title = "100 repositories, 4 Linear teams: nothing new"
    with organisation("hundred") as home:
        home.load(*ALL)
        home.server.asked()
        cost = home.load(*ALL)
        idle = home.server.asked()
        note = f"and {idle.unchanged} of REST that answer 304; {idle.points} points, {idle.complexity:,} of complexity"
        yield Row(title, "GraphQL requests", idle.graphql + idle.linear, 6, note)
        yield Row(title, "paid REST requests", idle.rest, 0)
        yield Row(title, "s of CPU", cost.cpu, None, f"{cost.seconds:.1f} s on the clock")
        home.server.touch()
        cost = home.load(*ALL)
        changed = home.server.asked()
        title = "… one pull request changed"
        yield Row(
            title, "more requests", changed.requests - idle.requests, 10, f"{changed.points - idle.points} points"
        )
        yield Row(title, "s of CPU", cost.cpu, None, f"{cost.seconds:.1f} s on the clock")


def client(size: str, title: str, limit: float | None) -> Iterator[Row]:
    """What the client itself needs for a first load, beside the floor."""
    with organisation(size) as home:
        home.server.replay()
        home.load(GITHUB)
        home.empty()
        cost = home.load(GITHUB)
        thousands = home.count("select count(*) from raw_github.pull_requests") / 1_000
        floor = _floor(home)
        note = f"{floor['bytes'] / 1e6:.0f} MB of answers; {cost.cpu:.1f} s in all"
        yield Row(f"{title} pull requests, first load", "s of CPU per 1,000", cost.cpu / thousands, None, note)
        yield Row("… the floor: orjson, nested Parquet", "s of CPU per 1,000", floor["cpu"] / thousands)
        yield Row("… the client against the floor", "times", cost.cpu / floor["cpu"], limit)
        yield Row("… from page to table", "rows per s of CPU", cost.rows / cost.cpu, None, f"{cost.rows:,} rows")
        held = cost.megabytes - cost.before
        yield Row("… memory", "MB", cost.megabytes, None, f"{held:.0f} MB more than before the load")


def _floor(home: Home) -> dict[str, Any]:
    bodies, target = home.folder / "bodies", home.folder / "parquet"
    bodies.write_bytes(b"\n".join(body.replace(b"\n", b" ") for body in home.server.bodies()))
    target.mkdir()
    command = [sys.executable, "-m", "bench.floor", str(bodies), str(target)]
    found: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


def waiting() -> Iterator[Row]:
    """Twenty repositories whose server takes its time."""
    with organisation("hundred") as home:
        names = home.environment["GITHUB_REPOSITORIES"].split(",")
        home.environment["GITHUB_REPOSITORIES"] = ",".join(names[:20])
        home.server.replay()
        home.load(GITHUB, ACTIONS)
        home.empty()
        home.server.answered()
        home.server.delay(DELAY)
        cost = home.load(GITHUB, ACTIONS)
        requests, _ = home.server.answered()
        concurrency = _concurrency(home)
        least = requests * DELAY / concurrency
        note = f"{requests} requests, {concurrency} at once: {least:.1f} s at least; it took {cost.seconds:.1f} s"
        yield Row("20 repositories, 200 ms an answer", "times the least", cost.seconds / least, 1.5, note)


def sweeps() -> Iterator[Row]:
    """The commit graph of a long history, and of half of it: neither fits a cache, as a tenth would."""
    half, whole = sweep(500_000, 5_000), sweep(1_000_000, 10_000)
    note = f"{whole.deployments:,} deployments; {whole.graph:.1f} s of it to number the commits"
    yield Row("Sweep over 1,000,000 commits", "s of CPU", whole.graph + whole.trace, 10, note)
    times = (whole.graph + whole.trace) / (half.graph + half.trace)
    yield Row("… against half of both", "times", times, 2.6, "linear is 2")


def _concurrency(home: Home) -> int:
    before = dict(os.environ)
    os.environ.update(home.environment)
    try:
        return load_settings().concurrency
    finally:
        os.environ.clear()
        os.environ.update(before)


def report() -> Iterator[Row]:
    """The report, as large as it gets."""
    cost = report_cost()
    title = "Report of 5 years of 100 repositories"
    yield Row(title, "s of CPU", cost.made, None, f"{cost.megabytes:.0f} MB")
    if cost.opened is not None:
        yield Row("… opened in Chromium, all charts drawn", "s of CPU", cost.opened, 2)


def fetching() -> Iterator[Row]:
    """What a refresh asks for."""
    yield from pull_requests("ordinary", "ordinary", 30)
    yield from pull_requests("reviewed", "much reviewed", 70)
    yield from increments()
    yield from waiting()


def clients() -> Iterator[Row]:
    """What a first load costs."""
    yield from client("ordinary", "1,000", None)
    yield from client("huge", "10,000", 3)


PARTS: dict[str, Callable[[], Iterator[Row]]] = {
    "sweep": sweeps,
    "fetch": fetching,
    "client": clients,
    "report": report,
    "start": startup.rows,
    "build": build.rows,
}


def main() -> int:
    """Print a table; the exit status is 1 where a target is missed."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    home = Path(os.environ.get("VEELOCITY_HOME", "data"))
    parser.add_argument("file", nargs="?", type=Path, default=home / "bench.json", help="default: %(default)s")
    parser.add_argument("--only", action="append", choices=PARTS, help="measure this alone; may be repeated")
    arguments = parser.parse_args()
    console = Console()
    console.width = max(console.width, 150)
    found: list[Row] = []
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), console=console, transient=True) as progress:
        task = progress.add_task("Measuring …")
        for row in (row for name in arguments.only or PARTS for row in PARTS[name]()):
            found.append(row)
            progress.update(task, description=f"Measuring … after {row.what}")
    table = Table("what", "unit", "measured", "at most", "", "beside it", box=None)
    for column in table.columns[2:4]:
        column.justify = "right"
    for row in found:
        met = {True: "[green]met", False: "[red]missed", None: ""}[row.is_met]
        limit = "" if row.limit is None else _number(row.limit)
        table.add_row(row.what, row.unit, _number(row.measured), limit, met, row.note)
    console.print(table)
    arguments.file.parent.mkdir(parents=True, exist_ok=True)
    kept = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "rows": [{**asdict(row), "is_met": row.is_met} for row in found],
    }
    arguments.file.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    console.print(f"Written to {arguments.file}")
    return 1 if any(row.is_met is False for row in found) else 0


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.2f}"


if __name__ == "__main__":
    raise SystemExit(main())
