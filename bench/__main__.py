"""Loads the simulated organisation, then loads it again with nothing new, and prints what each cost."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from veelocity_pipeline.demo import simulated_environment
from veelocity_pipeline.settings import load_settings
from veelocity_pipeline.sources import SOURCES, RefreshRequest, load
from veelocity_pipeline.sources.loading import make_pipeline
from veelocity_pipeline.warehouse import Home


def main() -> None:
    """Print one row per source and load: requests, points, rows, seconds, rows per second."""
    table = Table("source", "load", "requests", "points", "rows", "seconds", "rows/s", box=None)
    os.environ["VEELOCITY_ENV_FILE"] = os.devnull
    with tempfile.TemporaryDirectory() as folder, simulated_environment() as environment:
        os.environ.update(environment, VEELOCITY_HOME=folder)
        settings = load_settings()
        home = Home(Path(folder))
        home.make()
        for kind in ("first", "nothing new"):
            for entry in SOURCES.values():
                started = time.perf_counter()
                outcomes = list(load(entry, settings, make_pipeline(entry, home), RefreshRequest()))
                seconds = time.perf_counter() - started
                rows = sum(outcome.rows for outcome in outcomes)
                table.add_row(
                    entry.name,
                    kind,
                    f"{sum(outcome.requests for outcome in outcomes):,}",
                    f"{sum(outcome.points for outcome in outcomes):,}",
                    f"{rows:,}",
                    f"{seconds:.1f}",
                    f"{rows / seconds:,.0f}",
                )
    Console().print(table)


if __name__ == "__main__":
    main()
