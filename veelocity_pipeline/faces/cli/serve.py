"""``veelocity dev`` and ``serve``: become a server of Dagster's."""

from __future__ import annotations

import os
import signal
from typing import Annotated

import typer

from veelocity_pipeline.config.settings import CHECKOUT
from veelocity_pipeline.faces.cli import parts
from veelocity_pipeline.faces.cli.app import settings_that_send


def dev(
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 for other machines, too (see VEELOCITY_UI_HOSTS).")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the UI.")] = 3000,
) -> None:
    """Serve the Dagster UI and run its schedules, until interrupted."""
    from veelocity_pipeline.defs.execute import prepare_instance

    settings = settings_that_send()
    prepare_instance(settings)
    _become(parts.dev_command(settings, host, port), dict(os.environ))


def serve(
    part: Annotated[
        parts.Part, typer.Argument(help="code runs the refreshes, daemon starts them, webserver is the UI.")
    ],
    host: Annotated[str, typer.Option(help="Address to listen on; the daemon listens on none.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(help="Port to listen on: 4000 for code, 3000 for the UI.")] = None,
) -> None:
    """Run one part of a deployment until stopped. See docs/how-to/run-for-a-team.md."""
    from veelocity_pipeline.defs.execute import prepare_instance

    settings = settings_that_send()
    prepare_instance(settings)
    command = parts.serve_command(part, settings, host, port)
    _become(command, parts.environment(part, parts.secret_names(settings)))


def _become(command: list[str], environment: dict[str, str]) -> None:
    """Be that program from now on."""
    # Dagster's servers treat SIGTERM as SIGINT, which who starts them in a background may have had ignored
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Python and Dagster take modules and .env from the folder that one stands in, which may be anybody's
    os.chdir(CHECKOUT)
    os.execve(command[0], command, environment)
