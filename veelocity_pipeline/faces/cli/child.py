"""A module's command line that ends with its parent: ``python -m veelocity_pipeline.faces.cli.child PARENT MODULE …``.

It leads a process group, so that all that it starts ends, too.

A server that outlives a killed parent would go on answering, and nobody would know of it.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

_LOOKS_EVERY = 1.0
_ENDED_WITHIN = 30.0
"""Seconds."""


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOKS_EVERY)
    # with all that it started, which is in its group
    os.killpg(os.getpid(), signal.SIGTERM)
    time.sleep(_ENDED_WITHIN)
    os.killpg(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Watch the parent, and be the module from now on."""
    parent, module, *arguments = sys.argv[1:]
    threading.Thread(target=_end_with, args=(int(parent),), name="end-with-parent", daemon=True).start()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
