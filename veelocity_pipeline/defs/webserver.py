"""Dagster's UI behind :class:`~veelocity_pipeline.defs.guard.Guard`: ``python -m veelocity_pipeline.defs.webserver``.

``dagster-webserver`` has no place to put a guard, so its application is made and served here, as its own command does.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import signal
from collections.abc import Sequence
from importlib.metadata import version

import dagster as dg
import uvicorn

# private, and what every server of Dagster's is made of: there is no public way to a workspace
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster_webserver.app import create_app_from_workspace_process_context

from veelocity_pipeline.config.addresses import OwnAddresses
from veelocity_pipeline.defs.guard import Guard

_STATEMENT_MILLISECONDS = 15_000
_POOL_RECYCLED_AFTER = 3_600
_POOL_OVERFLOW = 20
_POLLED_EVERY = 2_000
"""As ``dagster-webserver`` has them."""

_LAST_ANSWERS = 3
"""Seconds that open requests get when the server is stopped; the UI's WebSockets stay open for as long as it does."""

log = logging.getLogger("veelocity")


def serve(workspace: str, host: str, port: int, own: OwnAddresses) -> None:
    """Serve the UI until the process is asked to end (SIGTERM, SIGINT).

    Args:
        workspace: the file that says where the code is.
        own: what the UI is called.
    """
    with contextlib.ExitStack() as stack:
        instance = stack.enter_context(dg.DagsterInstance.get())
        instance.optimize_for_webserver(_STATEMENT_MILLISECONDS, _POOL_RECYCLED_AFTER, _POOL_OVERFLOW)
        context = stack.enter_context(
            WorkspaceProcessContext(
                instance,
                version=version("dagster-webserver"),
                workspace_load_target=WorkspaceFileTarget([workspace]),
            )
        )
        app = create_app_from_workspace_process_context(context, live_data_poll_rate=_POLLED_EVERY)
        log.info("Serving the UI on http://%s:%d", f"[{host}]" if ":" in host else host, port)
        uvicorn.run(
            Guard(app, own),
            host=host,
            port=port,
            log_level="warning",
            timeout_graceful_shutdown=_LAST_ANSWERS,
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve the UI as the command line says."""
    parser = argparse.ArgumentParser(prog="veelocity serve webserver")
    parser.add_argument("--workspace", required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ui-url", required=True)
    parser.add_argument("--ui-host", action="append", default=[])
    given = parser.parse_args(arguments)

    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s")
    for name in ("dagster", "veelocity"):
        logging.getLogger(name).setLevel(logging.INFO)
    # uvicorn restores the signal handlers that were there before it
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        serve(given.workspace, given.host, given.port, OwnAddresses.of(given.ui_url, given.ui_host, given.host))


if __name__ == "__main__":
    main()
