"""``veelocity``: the command line. Thin: each command calls one function and prints what it says.

Exit status: 0 done; 1 finished, but something failed; 2 bad configuration or usage. What is slow to import
is imported by the command that needs it.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import gc
import itertools
import json
import logging
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import date
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, ParamSpec

import typer
from rich.table import Table
from rich.text import Text

from veelocity_pipeline.config.settings import (
    CHECKOUT,
    Settings,
    SettingsError,
    expanded,
    exposed_secrets,
    load_settings,
)
from veelocity_pipeline.faces.cli import parts
from veelocity_pipeline.faces.cli.terminal import Terminal, log_handler
from veelocity_pipeline.operations.upkeep import put_aside, shrink_history, sizes
from veelocity_pipeline.safety.files import FolderError, WarehouseError, keep_private, open_text
from veelocity_pipeline.safety.foreign import plain, sentence
from veelocity_pipeline.safety.redaction import Redacting
from veelocity_pipeline.warehouse.home import DEMO, Home
from veelocity_pipeline.warehouse.status import read_status

if TYPE_CHECKING:
    from veelocity_pipeline.defs.execute import RefreshResult
    from veelocity_pipeline.sources import CheckResult, SourceEntry

app = typer.Typer(
    name="veelocity",
    help="How your team delivers: DORA and flow metrics from your own GitHub, GitHub Actions and Linear.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
CALLED_FROM = Path.cwd()
"""Remembered, because running dbt changes the working directory."""

out = Terminal()
err = Terminal(stderr=True)

FAILED = 1
MISUSED = 2


P = ParamSpec("P")


def _explained(command: Callable[P, None]) -> Callable[P, None]:
    """Turn the errors that a person can act on into one line and the exit status that they have."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except SettingsError as error:
            _complain(str(error), MISUSED)
        except WarehouseError as error:
            _complain(str(error), MISUSED if isinstance(error, FolderError) else FAILED)
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except Exception as error:
            if not _is_of_full_disk(error):
                # as Python would, but its messages may be somebody else's
                err.print(plain(traceback.format_exc(), lines=True), end="", soft_wrap=True)
                raise typer.Exit(FAILED) from None
            _complain(
                "the disk that holds VEELOCITY_HOME is full: make room and run it again; what was published before is "
                "still there",
                FAILED,
            )
        except KeyboardInterrupt:
            _complain("interrupted; what was loaded before is kept, and the next run goes on from there", FAILED)

    return run


def _is_of_full_disk(error: BaseException | None) -> bool:
    """Whether there was no space left, which every library says in its own words."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if any(text in str(error) for text in ("No space left on device", "disk is full", "disk I/O error")):
            return True
        error = error.__cause__ or error.__context__
    return False


def _complain(message: str, status: int) -> NoReturn:
    err.print(f"veelocity: {sentence(message)}", soft_wrap=True)
    raise typer.Exit(status)


@app.command()
@_explained
def demo() -> None:
    """Run the whole pipeline over a simulated GitHub and Linear, with no token and no network."""
    from veelocity_pipeline.faces.cli.demo import simulated_environment

    settings = load_settings()
    home = Home.of(settings)
    home.claim_for_demo()
    out.print("Starting a simulated GitHub and Linear on this machine …")
    with simulated_environment() as environment:
        os.environ.update(environment, **{DEMO: "1"})
        settings = load_settings()
        result = _refresh(settings, full=not home.published.exists())
    _tell(result, home)
    if not result.succeeded:
        raise typer.Exit(FAILED)
    _print_scorecard(home, days=90, repository=None)
    prefix = _shown_home(home)
    out.print(f"\nPublished marts  {_shown(home.published)}\nReport           {_shown(home.report)}\n")
    out.print("What to try next", style="bold")
    query = "select period_start, deployment_count, lead_time_hours_median from dora_metrics"
    query += " where scope = 'all' and period = 'month' order by 1"
    for comment, command in (
        ("the asset graph, runs and schedules, on http://localhost:3000", f"{prefix}make dev"),
        (
            "the numbers by month, in SQL",
            f'{prefix}.venv/bin/veelocity sql "{query}"',
        ),
        (
            "your own GitHub (the demo's data make room for yours)",
            "GITHUB_TOKEN=… GITHUB_REPOSITORIES=owner/name make refresh",
        ),
    ):
        out.print(Text.assemble((f"  # {comment}", "dim"), f"\n  {command}"), soft_wrap=True)
    if result.failures:
        raise typer.Exit(FAILED)


@app.command()
@_explained
def refresh(
    full: Annotated[
        bool, typer.Option("--full", help="Read everything again, and mark what was deleted upstream.")
    ] = False,
    only: Annotated[str, typer.Option(help="Sources to read, comma separated: github,github_actions,linear.")] = "",
    repository: Annotated[
        list[str] | None, typer.Option(help="Read only this repository (owner/name); may be repeated.")
    ] = None,
    since: Annotated[
        str, typer.Option(help="With --full: only what changed or ended on this day (2026-01-31) or later.")
    ] = "",
) -> None:
    """Read what is new, rebuild the metrics, publish them. The run shows in the Dagster UI too."""
    settings = _settings()
    sources = tuple(name.strip() for name in only.split(",") if name.strip())
    options: dict[str, Any] = {"full": full, "only": sources, "repositories": tuple(repository or ()), "since": since}
    home = Home.of(settings)

    from veelocity_pipeline.operations.preflight import require_options

    require_options(settings, home, **options)
    result = _refresh(settings, **options)
    _tell(result, home)

    from veelocity_pipeline.sources.kit.http.errors import TOKEN_REJECTED

    if any(TOKEN_REJECTED in error for _, _, error in result.failures):
        raise typer.Exit(MISUSED)
    if not result.succeeded or result.failures:
        raise typer.Exit(FAILED)


@app.command()
@_explained
def rebuild(
    everything: Annotated[bool, typer.Option("--all", help="Build every model, even if nothing changed.")] = False,
) -> None:
    """Build what changed since the last build, and publish; nothing is fetched. Use it after you change the rules."""
    settings = load_settings()
    home = Home.of(settings)
    if not home.working.exists():
        raise WarehouseError("nothing was loaded yet: run `veelocity refresh` first")
    with _progress(home):
        out.print("Loading the pipeline …", style="dim")
        from veelocity_pipeline.defs.execute import rebuild as run

        result = run(settings, everything=everything)
    _tell(result, home)
    if not result.succeeded:
        raise typer.Exit(FAILED)


@app.command()
@_explained
def check(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False,
) -> None:
    """Can each source be reached with these credentials, and what may it read?"""
    settings = _settings()
    home = Home.of(settings)

    from veelocity_pipeline.sources import SOURCES

    connections: list[dict[str, Any]] = []
    for entry in SOURCES.values():
        if not entry.is_configured(settings):
            connections.append({"source": entry.name, "subject": entry.title, "ok": None, "detail": entry.missing})
            continue
        connections += [{"source": entry.name, **asdict(line)} for line in _checked(entry, settings)]
    deployments = _last_deployments(home)
    if as_json:
        sys.stdout.write(json.dumps({"connections": connections, "deployments": deployments}, indent=1) + "\n")
    else:
        table = Table("", "what", "detail", box=None, padding=(0, 2, 0, 0))
        marks = {True: Text("✓", "green"), False: Text("✗", "red"), None: Text("-", "yellow")}
        for each in connections:
            table.add_row(marks[each["ok"]], plain(each["subject"]), plain(each["detail"]))
        out.print(table)
        _print_last_deployments(deployments)
    settings.require_sources(())
    if any(each["ok"] is False for each in connections):
        raise typer.Exit(FAILED)


@app.command()
@_explained
def status(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False,
) -> None:
    """Per source and repository: last success, rows, how far it got, failures, API budget left."""
    settings = load_settings()
    home = Home.of(settings)
    rows = read_status(home)
    if as_json:
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
        return
    if not rows:
        out.print("No refresh yet. `veelocity refresh` makes the first; `make demo` needs no token.")
        return
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
            _minute(min((row["succeeded_at"] or "" for row in mine), default="")),
            max((row["watermark"] or "" for row in mine), default="")[:10],
            f"{sum(row['rows'] or 0 for row in mine):,}",
            Text("failed", "red") if errors else Text("fine", "green"),
        )
    out.print(table)
    for source in dict.fromkeys(row["source"] for row in rows):
        last = max((row for row in rows if row["source"] == source), key=lambda row: row["attempted_at"])
        spent = [row for row in rows if row["source"] == source and row["attempted_at"] == last["attempted_at"]]
        out.print(plain(f"{source}: {_spent(spent)}"))
    for source, name, error in failures:
        out.print(plain(f"{source}, {name}: {error}"), style="red", soft_wrap=True)
    if home.published.exists():
        out.print(f"\nPublished marts: {_shown(home.published)}")
    _print_sizes(home)


@app.command()
@_explained
def compact() -> None:
    """Give back the disk space that the working file, the run history and the logs no longer need."""
    settings = load_settings()
    home = Home.of(settings)
    if not home.working.exists():
        raise WarehouseError("there is nothing to compact yet: run `veelocity refresh` first")
    from veelocity_pipeline.warehouse.lock import writing
    from veelocity_pipeline.warehouse.upkeep import compact as write_anew
    from veelocity_pipeline.warehouse.upkeep import forget_old_loads

    with writing(home, "veelocity compact", waiting=_say):
        if home.dagster.joinpath("dagster.yaml").exists():
            from veelocity_pipeline.defs.execute import prune_runs

            out.print(f"{prune_runs(settings):,} old runs deleted")
        shrink_history(home)
        forget_old_loads(home)
        done = write_anew(home)
    sizes_said = f"{_megabytes(done.before)} before, {_megabytes(done.after)} now"
    out.print(f"{_shown(home.working)}: {sizes_said}", soft_wrap=True)


@app.command()
@_explained
def backup(folder: Annotated[Path, typer.Argument(help="Where to: it is made if it is not there.")]) -> None:
    """Copy the warehouse and the published marts, as they are between two refreshes, into a folder."""
    home = Home.of(load_settings())
    from veelocity_pipeline.warehouse.lock import writing
    from veelocity_pipeline.warehouse.upkeep import back_up

    with writing(home, "veelocity backup", waiting=_say):
        for copy in back_up(home, CALLED_FROM / expanded(folder, "the backup's folder")):
            out.print(f"{_shown(copy)}: {_megabytes(copy.stat().st_size)}", soft_wrap=True)
    out.print("Settings and tokens (veelocity.toml, .env) are not in it; keep them where you keep secrets.")


@app.command()
@_explained
def scorecard(
    days: Annotated[int, typer.Option(help="The window: 30, 90, 180 or 365 days.")] = 90,
    repository: Annotated[str | None, typer.Option(help="owner/name; all together if left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False,
) -> None:
    """The five DORA keys with their samples and scores."""
    home = Home.of(load_settings())
    if not as_json:
        _print_scorecard(home, days=days, repository=repository)
        return
    from veelocity_pipeline.published.scorecard import scorecard as read

    card = asdict(read(home.published, days=days, repository=repository))
    sys.stdout.write(json.dumps(card, indent=1, default=lambda moment: moment.isoformat() + "Z") + "\n")


@app.command()
@_explained
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


@app.command()
@_explained
def sql(query: Annotated[str, typer.Argument(help="One SELECT; the tables are in the schema marts.")]) -> None:
    """Ask the published marts in SQL."""
    from veelocity_pipeline.published.query import ask

    try:
        sys.stdout.write(plain(ask(Home.of(load_settings()).published, query), lines=True))
    except KeyboardInterrupt:
        _complain("interrupted", FAILED)


@app.command()
@_explained
def report() -> None:
    """Make the report anew from what is published, and say where it is."""
    from veelocity_pipeline.faces.report import render_report

    home = Home.of(load_settings())
    home.make()
    out.print(_shown(render_report(home.published, home.report)), soft_wrap=True)


@app.command()
@_explained
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
    out.print(f"{len(rows)} tables, {sum(rows.values()):,} rows: {_shown(folder)}", soft_wrap=True)


@app.command()
@_explained
def dev(
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 for other machines, too (see VEELOCITY_UI_HOSTS).")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the UI.")] = 3000,
) -> None:
    """Serve the Dagster UI and run its schedules, until interrupted."""
    from veelocity_pipeline.defs.execute import prepare_instance

    settings = _settings()
    prepare_instance(settings)
    _become(parts.dev_command(settings, host, port), dict(os.environ))


@app.command()
@_explained
def serve(
    part: Annotated[
        parts.Part, typer.Argument(help="code runs the refreshes, daemon starts them, webserver is the UI.")
    ],
    host: Annotated[str, typer.Option(help="Address to listen on; the daemon listens on none.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(help="Port to listen on: 4000 for code, 3000 for the UI.")] = None,
) -> None:
    """Be one part of a deployment until stopped; docs/operations.md has the whole of it."""
    from veelocity_pipeline.defs.execute import prepare_instance

    settings = _settings()
    prepare_instance(settings)
    command = parts.serve_command(part, settings, host, port)
    _become(command, parts.environment(part))


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


def _become(command: list[str], environment: dict[str, str]) -> None:
    """Be that program from now on."""
    # Dagster's servers treat SIGTERM as SIGINT, which who starts them in a background may have had ignored
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Python and Dagster take modules and .env from the folder that one stands in, which may be anybody's
    os.chdir(CHECKOUT)
    os.execve(command[0], command, environment)


def _settings() -> Settings:
    """Load the settings of a command that sends secrets, and say which of them others may read."""
    settings = load_settings()
    for path in exposed_secrets(settings):
        said = f"veelocity: {_shown(path)} can be read by other users of this machine: chmod 600 {_shown(path)}"
        err.print(said, soft_wrap=True)
    return settings


def _refresh(settings: Settings, **arguments: Any) -> RefreshResult:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # who ends it politely is answered as Ctrl-C is
    from veelocity_pipeline.defs.execute import refresh as run
    from veelocity_pipeline.operations.preflight import NothingReadableError

    try:
        with _progress(Home.of(settings)):
            return run(settings, **arguments)
    except NothingReadableError as error:
        _complain(str(error), MISUSED if error.is_rejected else FAILED)


@contextlib.contextmanager
def _progress(home: Home) -> Iterator[None]:
    """Print the pipeline's own messages; what its libraries print goes to a file."""
    home.make()
    handler = log_handler()
    logger = logging.getLogger("veelocity")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    logger.propagate = False
    out.file = sys.stdout  # the console keeps the terminal while stdout is elsewhere
    try:
        put_aside(home.path / "refresh.log")
        with open_text(home.path / "refresh.log", "a") as log:
            said = Redacting(log)
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                try:
                    yield
                finally:
                    said.flush()
    finally:
        logger.removeHandler(handler)


def _tell(result: RefreshResult, home: Home) -> None:
    """What failed, and what was kept."""
    for source, name, error in result.failures:
        err.print(plain(f"{source}, {name}: {error}"), soft_wrap=True)
    if not result.succeeded:
        for cause in dict.fromkeys(result.failed_steps.values()):  # one cause may stop several steps
            steps = ", ".join(step for step, why in result.failed_steps.items() if why == cause)
            err.print(f"{steps}: {sentence(cause)}", soft_wrap=True)
        kept = "what was published before is still there" if home.published.exists() else "nothing is published yet"
        err.print(f"The refresh failed; {kept}. Details: {_shown(home.path / 'refresh.log')}")
    elif result.failures:
        err.print("Everything else was refreshed; what failed keeps the data it had.")


def _print_scorecard(home: Home, *, days: int, repository: str | None) -> None:
    from veelocity_pipeline.published.scorecard import render
    from veelocity_pipeline.published.scorecard import scorecard as read

    out.print(render(read(home.published, days=days, repository=repository)))


def _last_deployments(home: Home) -> list[dict[str, Any]]:
    """What counts as a deployment in each repository: the last five, newest first."""
    if not home.published.exists():
        return []
    from veelocity_pipeline.published.open import read_published

    with read_published(home.published) as connection:
        found = connection.execute(
            """select repository_id, source, rule, status, strftime(finished_at, '%Y-%m-%d %H:%M') as finished_at,
                      coalesce(ref, left(sha, 7)) as ref
               from marts.fct_deployments where is_production
               qualify row_number() over (partition by repository_id order by started_at desc) <= 5
               order by repository_id, started_at desc"""
        )
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


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
    said = ", ".join(f"{name} {_megabytes(size)}" for name, size in parts.items() if size >= 50_000)
    free = shutil.disk_usage(home.path).free
    out.print(
        f"{_shown(home.path)}: {_megabytes(sum(parts.values()))} ({said}); {_megabytes(free)} free on its disk",
        soft_wrap=True,
    )


def _megabytes(size: float) -> str:
    return f"{size / 1e6:,.1f} MB"


def _say(message: str) -> None:
    out.print(plain(message), soft_wrap=True)


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ")


def _shown(path: Path) -> str:
    """The path as short as it can be said from here."""
    with contextlib.suppress(ValueError):
        return str(path.relative_to(CALLED_FROM))
    return str(path)


def _shown_home(home: Home) -> str:
    return "" if home.path == CHECKOUT / "data" else f"VEELOCITY_HOME={home.path} "


def main() -> None:
    """Entry point of the console script."""
    # The interpreter would look for circles again and again among all that Dagster and dbt import, which has none worth
    # it: a fifth of a refresh with nothing new, and at the end seconds for nothing.
    keep_private()
    gc.set_threshold(50_000, 20, 20)
    atexit.register(gc.freeze)
    app()


if __name__ == "__main__":
    main()
