"""How long commands take to begin, and a refresh that finds nothing to end, beside Python with Dagster imported.

``rows()`` gives the measurements; ``python -m bench.startup`` prints them. Each is the best of a few, in a process of
its own; the simulator runs in another.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .server import serving

VEELOCITY = str(Path(sys.executable).with_name("veelocity"))

BEST_OF = 3

COMMAND_SECONDS = 0.5
"""The most that a command which only reads may take."""

TIMES_DAGSTER = 3
"""A refresh with nothing new takes at most so many times what Python takes to import Dagster."""


@dataclass(frozen=True)
class Row:
    """One measurement, in seconds.

    Attributes:
        seconds: on the clock.
        cpu: of the process and of the children that it waited for.
        limit: the most that ``seconds`` may be on a machine that does nothing else; None where there is no target.
    """

    what: str
    seconds: float
    cpu: float
    limit: float | None = None


def rows(size: str = "small") -> Iterator[Row]:
    """Measure.

    Args:
        size: of the organisation that is refreshed.

    Raises:
        RuntimeError: a command failed, or a refresh was to find nothing and found something.
    """
    floor = _best("python -c 'import dagster'", [sys.executable, "-c", "import dagster"], os.environ)
    yield floor
    with tempfile.TemporaryDirectory() as folder, serving(size) as server:
        config = Path(folder) / "veelocity.toml"
        config.write_text(server.configuration, encoding="utf-8")
        environment = {
            **os.environ,
            **server.environment,
            "VEELOCITY_CONFIG": str(config),
            "VEELOCITY_ENV_FILE": os.devnull,
            "VEELOCITY_HOME": str(Path(folder) / "home"),
        }
        server.settle()
        _run([VEELOCITY, "refresh"], environment)
        yield _best("veelocity --help", [VEELOCITY, "--help"], environment, COMMAND_SECONDS)
        yield _best("veelocity status", [VEELOCITY, "status"], environment, COMMAND_SECONDS)
        idle = [VEELOCITY, "refresh"]
        yield _best("veelocity refresh, nothing new", idle, environment, TIMES_DAGSTER * floor.seconds, "Nothing new")


def _best(
    what: str, command: list[str], environment: Mapping[str, str], limit: float | None = None, says: str = ""
) -> Row:
    found = []
    for _ in range(BEST_OF):
        seconds, cpu, said = _run(command, environment)
        if says not in said:
            raise RuntimeError(f"{what}: it does not say {says!r} but {said[-2000:]}")
        found.append((seconds, cpu))
    return Row(what, min(seconds for seconds, _ in found), min(cpu for _, cpu in found), limit)


def _run(command: list[str], environment: Mapping[str, str]) -> tuple[float, float, str]:
    """Seconds on the clock, seconds of CPU, and what it printed."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {said[-2000:]}")
    return seconds, usage.ru_utime + usage.ru_stime, said


def main() -> None:
    """Print the measurements."""
    for row in rows():
        limit = f", at most {row.limit:.2f}" if row.limit is not None else ""
        sys.stdout.write(f"{row.what}: {row.seconds:.2f} s on the clock{limit}; {row.cpu:.2f} s of CPU\n")


if __name__ == "__main__":
    main()
