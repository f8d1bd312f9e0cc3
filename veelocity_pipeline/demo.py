"""The demo's surroundings: a simulated GitHub and Linear in a process of their own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator

from veelocity_pipeline.warehouse import WarehouseError


@contextlib.contextmanager
def simulated_environment() -> Iterator[dict[str, str]]:
    """Run the simulator on a free port of this machine while the block runs.

    Yields:
        the variables that point the pipeline at it.

    Raises:
        WarehouseError: it did not start.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "veelocity_pipeline.simulator", "--port", "0", "--size", "demo"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        environment: dict[str, str] = {}
        assert process.stdout is not None
        for line in process.stdout:
            if not line.strip():
                break
            name, _, value = line.strip().partition("=")
            environment[name] = value
        if process.poll() is not None or not environment:
            raise WarehouseError("the simulated GitHub and Linear did not start; what they said stands above")
        yield environment
    finally:
        process.terminate()
        process.wait(timeout=10)
