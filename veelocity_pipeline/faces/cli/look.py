"""``veelocity check`` and ``status``: what the sources can read, and what was read."""

from __future__ import annotations

import itertools
import json
import shutil
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from veelocity_pipeline.config.connections import qualified
from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.faces.cli.app import FAILED, settings_that_send
from veelocity_pipeline.faces.cli.terminal import out
from veelocity_pipeline.faces.cli.wording import megabytes, minute, shown
from veelocity_pipeline.operations.upkeep import sizes
from veelocity_pipeline.safety.foreign import plain
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.status import read_status

if TYPE_CHECKING:
    from veelocity_pipeline.sources import CheckResult, SourceEntry


def check(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False,
) -> None:
    """Can each source be reached with these credentials, and what may it read?"""
    settings = settings_that_send()
    home = Home.of(settings)
    connections = _connections(settings)
    deployments = _last_deployments(home)
    environments, left_out = _environments(home), _left_out(home)
    if as_json:
        found = {"connections": connections, "deployments": deployments}
        found |= {"environments": environments, "left_out": left_out}
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
    else:
        _print_connections(connections)
        _print_last_deployments(deployments)
        _print_environments(environments)
        for each in left_out:
            out.print(plain(f"{each['repository_id']}: {each['reason']}"))
    settings.require_sources(())
    if any(each["ok"] is False for each in connections):
        raise typer.Exit(FAILED)


def status(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False,
) -> None:
    """Per source and repository: last success, rows, how far it got, failures, API budget left."""
    home = Home.of(load_settings())
    rows = read_status(home)
    if as_json:
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
        return
    if not rows:
        out.print("No refresh yet. `veelocity refresh` makes the first; `make demo` needs no token.")
        return
    _print_status(rows)
    if home.published.exists():
        out.print(f"\nPublished marts: {shown(home.published)}")
    _print_sizes(home)


def _connections(settings: Settings) -> list[dict[str, Any]]:
    """One entry for each thing that a source was asked for, or that its settings lack."""
    from veelocity_pipeline.sources import SOURCES

    found: list[dict[str, Any]] = []
    for entry in SOURCES.values():
        if not entry.is_read(settings):
            found.append({"source": entry.name, "subject": entry.title, "ok": None, "detail": entry.missing})
        for view in filter(entry.is_configured, entry.connected(settings)):
            for line in _checked(entry, view):
                subject = qualified(view.connection, line.subject)
                found.append({"source": entry.name, **asdict(line), "subject": subject})
    return found


def _checked(entry: SourceEntry, settings: Settings) -> list[CheckResult]:
    """What a source says of its connection, one that is no such API included."""
    from veelocity_pipeline.sources import CheckResult, SourceError

    try:
        return entry.connector(settings).check()
    except SourceError as error:
        return [CheckResult(entry.title, False, str(error))]
    except Exception as error:
        return [
            CheckResult(entry.title, False, f"It did not answer as the API does ({type(error).__name__}: {error}).")
        ]


def _last_deployments(home: Home) -> list[dict[str, Any]]:
    """What counts as a deployment in each repository: the last five, newest first."""
    return _published(
        home,
        """select repository_id, source, rule, status, strftime(finished_at, '%Y-%m-%d %H:%M') as finished_at,
                  coalesce(ref, left(sha, 7)) as ref
           from marts.fct_deployments where is_production
           qualify row_number() over (partition by repository_id order by started_at desc) <= 5
           order by repository_id, started_at desc""",
    )


def _environments(home: Home) -> list[dict[str, Any]]:
    """The environments of each service that something was deployed to, and whether they are production."""
    return _published(
        home,
        """select service, environment, is_production, count(*) as attempts from marts.fct_deployments
           where source = 'deployment' group by all order by all""",
    )


def _left_out(home: Home) -> list[dict[str, Any]]:
    """What looks like deployments of a repository and is none, with the setting that would change it."""
    return _published(
        home,
        """select entities.repository_id, exclusions.reason, count(*) as runs
           from marts.metric_exclusions as exclusions
           inner join marts.metric_entities as entities using (entity_id)
           where exclusions.metric = 'deployment_frequency' and contains(exclusions.reason, ': see ')
             and not contains(exclusions.reason, 'count_redeploys')
           group by all order by all""",
    )


def _published(home: Home, query: str) -> list[dict[str, Any]]:
    if not home.published.exists():
        return []
    from veelocity_pipeline.published.open import read_published

    with read_published(home.published) as connection:
        found = connection.execute(query)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _print_connections(connections: list[dict[str, Any]]) -> None:
    table = Table("", "what", "detail", box=None, padding=(0, 2, 0, 0))
    marks = {True: Text("✓", "green"), False: Text("✗", "red"), None: Text("-", "yellow")}
    for each in connections:
        table.add_row(marks[each["ok"]], plain(each["subject"]), plain(each["detail"]))
    out.print(table)


def _print_last_deployments(deployments: list[dict[str, Any]]) -> None:
    if deployments:
        out.print("\nWhat counts as a deployment, with the last five (as of the last refresh):")
    for repository, mine in itertools.groupby(deployments, key=lambda each: each["repository_id"]):
        rows = list(mine)
        out.print(plain(f"{repository}, by {rows[0]['rule']}"), soft_wrap=True)
        table = Table(box=None, padding=(0, 2, 0, 2), show_header=False)
        for row in rows:
            state, source = (plain(row[name]).replace("_", " ") for name in ("status", "source"))
            table.add_row(source, state, row["finished_at"] or "not finished", plain(row["ref"] or ""))
        out.print(table)


def _print_environments(environments: list[dict[str, Any]]) -> None:
    if environments:
        out.print("\nEnvironments (as of the last refresh):")
    for service, mine in itertools.groupby(environments, key=lambda each: each["service"]):
        named = [f"{each['environment']} {'is' if each['is_production'] else 'is not'} production" for each in mine]
        out.print(plain(f"{service}: {', '.join(named)}"))


def _print_status(rows: list[dict[str, Any]]) -> None:
    """One line for each repository of a source, then what each source took of its API, then the errors."""
    table = Table("source", "repository", "last success", "newest", "rows", "", box=None, padding=(0, 1, 0, 0))
    for column in table.columns:
        column.no_wrap = column.header != "repository"
    table.columns[1].overflow = "fold"
    failures = []
    for source, name in sorted({(row["source"], row["repository"]) for row in rows}):
        mine = [row for row in rows if (row["source"], row["repository"]) == (source, name)]
        errors = sorted({row["error"] for row in mine if row["error"]})
        failures += [(source, name, error) for error in errors]
        table.add_row(
            plain(source),
            plain(name),
            minute(min((row["succeeded_at"] or "" for row in mine), default="")),
            max((row["watermark"] or "" for row in mine), default="")[:10],
            f"{sum(row['rows'] or 0 for row in mine):,}",
            Text("failed", "red") if errors else Text("fine", "green"),
        )
    out.print(table)
    for source in dict.fromkeys(row["source"] for row in rows):
        last = max((row for row in rows if row["source"] == source), key=lambda row: row["attempted_at"])
        spent = [row for row in rows if row["source"] == source and row["attempted_at"] == last["attempted_at"]]
        out.print(plain(f"{source}: {_spent(spent)}"))
    for row in rows:
        if row.get("skipped"):
            named = f"{row['skipped']:,} of the {row['table_name'].replace('_', ' ')} skipped"
            said = f"{row['source']}, {row['repository']}: {named}, e.g. {row['skipped_example']}"
            out.print(plain(said), style="yellow", soft_wrap=True)
    for source, name, error in failures:
        out.print(plain(f"{source}, {name}: {error}"), style="red", soft_wrap=True)


def _spent(rows: list[dict[str, Any]]) -> str:
    """What a source's last refresh took of the API."""

    def total(column: str) -> float:
        return sum(row.get(column) or 0 for row in rows)

    said = [f"{total('requests'):,.0f} requests in its last refresh"]
    if total("points"):
        said.append(f"{total('points'):,.0f} points")
    said.append(f"{total('bytes_received') / 1e6:,.1f} MB received")
    if total("waited_seconds"):
        said.append(f"{total('waited_seconds'):,.0f} s waited at limits")
    left = [row["budget_left"] for row in rows if row["budget_left"] is not None]
    if left:
        said.append(f"{min(left):,} of the API's budget left then")
    return ", ".join(said)


def _print_sizes(home: Home) -> None:
    """How large each part of the folder is, and what room there is."""
    parts = sizes(home)
    said = ", ".join(f"{name} {megabytes(size)}" for name, size in parts.items() if size >= 50_000)
    free = shutil.disk_usage(home.path).free
    out.print(
        f"{shown(home.path)}: {megabytes(sum(parts.values()))} ({said}); {megabytes(free)} free on its disk",
        soft_wrap=True,
    )
