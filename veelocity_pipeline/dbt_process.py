"""dbt, as the child of a run: it ends when the run's process does, however that ends.

A child outlives a parent that is killed, and would go on holding the warehouse's lock, which the next run then meets.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from importlib.metadata import version

PARENT = "VEELOCITY_RUN_PROCESS"
"""The variable that holds the id of the run's process; without it whoever starts dbt is the parent."""

_LOOKS_EVERY = 0.1
"""Seconds; the next run takes longer than that to open the warehouse."""


def end_with_parent() -> None:
    """End this process at once when its parent is gone, which may be the case already."""
    parent = int(os.environ.get(PARENT) or os.getppid())
    threading.Thread(target=_watch, args=(parent,), name="end-with-parent", daemon=True).start()


def _watch(parent: int) -> None:
    # (Linux could send a signal, but when the thread ends that started the child, not its process)
    while os.getppid() == parent:
        time.sleep(_LOOKS_EVERY)
    os._exit(1)


def main() -> None:
    """dbt's command line, watched; entry point of the console script."""
    end_with_parent()
    if sys.argv[1:] == ["--version"]:
        # asked by the orchestrator before each command; dbt itself takes seconds to say it
        sys.stdout.write(f"{version('dbt-core')}\n")
        return

    from dbt.cli.main import cli

    cli()
