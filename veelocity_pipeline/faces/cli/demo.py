"""The demo's surroundings: a simulated GitHub and Linear in a process of their own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from veelocity_pipeline.safety.files import WarehouseError


@contextlib.contextmanager
def simulated_environment() -> Iterator[dict[str, str]]:
    """Run the simulator on a free port of this machine while the block runs.

    Yields:
        the variables that point the pipeline at it.

    Raises:
        WarehouseError: it did not start.
    """
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "veelocity.toml"
        yield from _serve(config)


def _serve(config: Path) -> Iterator[dict[str, str]]:
    # -P: nothing is imported from the folder that one stands in
    simulator = [sys.executable, "-P", "-m", "veelocity_pipeline.simulator", "--port", "0", "--size", "demo"]
    process = subprocess.Popen([*simulator, "--config", str(config)], stdout=subprocess.PIPE, text=True)
    try:
        # nothing of the user's own settings: the demo is the same everywhere
        environment = {"VEELOCITY_CONFIG": str(config), "VEELOCITY_ENV_FILE": os.devnull}
        assert process.stdout is not None
        for line in process.stdout:
            if not line.strip():
                break
            name, _, value = line.strip().partition("=")
            environment[name] = value
        if "GITHUB_TOKEN" not in environment:
            raise WarehouseError("the simulated GitHub and Linear did not start; what they said stands above")
        yield environment
    finally:
        process.terminate()
        process.wait(timeout=10)
