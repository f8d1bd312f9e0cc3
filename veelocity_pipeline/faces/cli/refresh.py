"""``veelocity refresh`` and ``rebuild``: start a run in this process and tell how it ended."""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.faces.cli.app import FAILED, MISUSED, complain, settings_that_send
from veelocity_pipeline.faces.cli.terminal import err, log_handler, out
from veelocity_pipeline.faces.cli.wording import shown
from veelocity_pipeline.operations.upkeep import put_aside
from veelocity_pipeline.safety.files import WarehouseError, open_text
from veelocity_pipeline.safety.foreign import plain, sentence
from veelocity_pipeline.safety.redaction import Redacting
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.store import store_of

if TYPE_CHECKING:
    from veelocity_pipeline.defs.execute import RefreshResult


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
    settings = settings_that_send()
    sources = tuple(name.strip() for name in only.split(",") if name.strip())
    options: dict[str, Any] = {"full": full, "only": sources, "repositories": tuple(repository or ()), "since": since}
    home = Home.of(settings)

    from veelocity_pipeline.operations.preflight import require_options

    require_options(settings, home, **options)
    result = run_refresh(settings, **options)
    tell(result, home)

    from veelocity_pipeline.sources.kit.http.errors import TOKEN_REJECTED

    if any(TOKEN_REJECTED in error for _, _, error in result.failures):
        raise typer.Exit(MISUSED)
    if not result.succeeded or result.failures:
        raise typer.Exit(FAILED)


def rebuild(
    everything: Annotated[bool, typer.Option("--all", help="Build every model, even if nothing changed.")] = False,
) -> None:
    """Build what changed since the last build, and publish; nothing is fetched. Use it after you change the rules."""
    settings = load_settings()
    home = Home.of(settings)
    if not store_of(home).exists():
        raise WarehouseError("nothing was loaded yet: run `veelocity refresh` first")
    home.check_rebuilds()
    with progress(home):
        out.print("Loading the pipeline …", style="dim")
        from veelocity_pipeline.defs.execute import rebuild as run

        result = run(settings, everything=everything)
    tell(result, home)
    if not result.succeeded or result.failures:
        raise typer.Exit(FAILED)


def run_refresh(settings: Settings, **arguments: Any) -> RefreshResult:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # who ends it politely is answered as Ctrl-C is
    from veelocity_pipeline.defs.execute import refresh as run
    from veelocity_pipeline.operations.preflight import NothingReadableError

    try:
        with progress(Home.of(settings)):
            return run(settings, **arguments)
    except NothingReadableError as error:
        complain(str(error), MISUSED if error.is_rejected else FAILED)


@contextlib.contextmanager
def progress(home: Home) -> Iterator[None]:
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


def tell(result: RefreshResult, home: Home) -> None:
    """What failed, and what was kept."""
    for source, name, error in result.failures:
        err.print(plain(f"{source}, {name}: {error}"), soft_wrap=True)
    if not result.succeeded:
        for cause in dict.fromkeys(result.failed_steps.values()):  # one cause may stop several steps
            steps = ", ".join(step for step, why in result.failed_steps.items() if why == cause)
            err.print(f"{steps}: {sentence(cause)}", soft_wrap=True)
        kept = "what was published before is still there" if home.published.exists() else "nothing is published yet"
        err.print(f"The refresh failed; {kept}. Details: {shown(home.path / 'refresh.log')}")
    elif result.failures:
        err.print("Everything else was refreshed; what failed keeps the data it had.")
