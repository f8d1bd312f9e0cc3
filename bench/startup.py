"""How long commands take to begin, and a refresh that finds nothing to end, beside Python with Dagster imported.

Each is the best of a few, in a process of its own; the simulator runs in another.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from .client import measured
from .home import ALL
from .process import Spent, run
from .row import Row
from .server import serving

VEELOCITY = str(Path(sys.executable).with_name("veelocity"))

BEST_OF = 3

COMMAND_SECONDS = 0.5
"""The most that a command which only reads may take."""

FIRST_SECONDS = 14
"""The most that a first refresh may take beside loading."""

TIMES_DAGSTER = 3
"""A refresh with nothing new takes at most so many times what Python takes to import Dagster."""


def rows(size: str = "small") -> Iterator[Row]:
    """Measure.

    Args:
        size: of the organisation that is refreshed.

    Raises:
        RuntimeError: a command failed, or a refresh was to find nothing and found something.
    """
    floor = _best([sys.executable, "-c", "import dagster"], os.environ)
    yield _row("python -c 'import dagster'", floor)
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
        loading = measured({**environment, "VEELOCITY_HOME": str(Path(folder) / "loaded")}, *ALL)
        first = run([VEELOCITY, "refresh"], environment)
        note = f"{first.seconds:.1f} s in all, of which loading by itself takes {loading.seconds:.1f} s"
        beside = first.seconds - loading.seconds
        yield Row("veelocity refresh, the first: all but loading", "s", beside, FIRST_SECONDS, note)
        for command in ("--help", "status"):
            yield _row(f"veelocity {command}", _best([VEELOCITY, command], environment), COMMAND_SECONDS)
        idle = _best([VEELOCITY, "refresh"], environment, says="Nothing new")
        yield _row("veelocity refresh, nothing new", idle, TIMES_DAGSTER * floor.seconds)


def _row(what: str, spent: Spent, limit: float | None = None) -> Row:
    return Row(what, "s", spent.seconds, limit, f"{spent.cpu:.2f} s of CPU, {spent.megabytes:.0f} MB")


def _best(command: list[str], environment: Mapping[str, str], says: str = "") -> Spent:
    found = [run(command, environment) for _ in range(BEST_OF)]
    if any(says not in each.output for each in found):
        raise RuntimeError(f"{' '.join(command)} does not say {says!r} but {found[-1].output[-2000:]}")
    return min(found, key=lambda each: each.seconds)
