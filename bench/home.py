"""A simulated organisation, and a folder that is loaded from it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from .client import Cost, measured
from .server import Server, serving

GITHUB, ACTIONS, LINEAR = "github", "github_actions", "linear"
ALL = (GITHUB, ACTIONS, LINEAR)

TOKENS = 4
"""Ten thousand pull requests cost more points than one token has in an hour, which no bench waits for."""


class Home:
    """A simulated organisation and a folder that is loaded from it."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.folder = folder
        config = folder / "veelocity.toml"
        config.write_text(server.configuration, encoding="utf-8")
        token = server.environment["GITHUB_TOKEN"]
        self.environment = {
            **os.environ,
            **server.environment,
            "GITHUB_TOKEN": ",".join(f"{token[:-1]}{number}" for number in range(TOKENS)),
            "VEELOCITY_CONFIG": str(config),
            "VEELOCITY_ENV_FILE": os.devnull,
            "VEELOCITY_HOME": str(folder / "home"),
        }

    def load(self, *sources: str) -> Cost:
        """Load these sources in a process of their own."""
        cost = measured(self.environment, *sources)
        if cost.errors:
            raise RuntimeError("; ".join(cost.errors))
        return cost

    def empty(self) -> None:
        """Forget what was loaded."""
        shutil.rmtree(self.folder / "home", ignore_errors=True)

    @property
    def warehouse(self) -> Path:
        """The working file."""
        return self.folder / "home" / "warehouse.duckdb"

    def count(self, sql: str) -> int:
        """One number out of the warehouse."""
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            (found,) = connection.execute(sql).fetchall()
        return int(found[0])


@contextmanager
def organisation(size: str) -> Iterator[Home]:
    """A simulated organisation of this size, not loaded yet."""
    with serving(size) as server, tempfile.TemporaryDirectory(prefix="veelocity-bench-") as folder:
        yield Home(server, Path(folder))
