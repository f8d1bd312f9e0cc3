"""What a command costs, its children included."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Spent:
    """What a process took.

    Attributes:
        seconds: on the clock.
        cpu: seconds of it and of the children that it waited for.
        megabytes: the most memory that it, or one of these, held.
        output: what it printed.
    """

    seconds: float
    cpu: float
    megabytes: float
    output: str


def run(command: list[str], environment: Mapping[str, str] | None = None, folder: Path | None = None) -> Spent:
    """Run a command to its end.

    Raises:
        RuntimeError: it failed; with what it said.
    """
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {output[-2000:]}")
    return Spent(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output)
