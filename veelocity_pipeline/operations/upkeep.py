"""What keeps ``VEELOCITY_HOME`` small: how large each part is, and what of it may go."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from veelocity_pipeline.warehouse.home import Home

LOG_BYTES = 5_000_000
"""A log of our own that is larger is put aside when the next refresh begins; one earlier one is kept."""


def sizes(home: Home) -> dict[str, int]:
    """Bytes on disk, by part of the folder."""
    of_dbt = sum(map(_bytes, home.dbt.rglob("*.log*")))
    of_runs = sum(map(_bytes, home.path.glob("refresh.log*"))) + _tree_bytes(home.path / "logs")
    return {
        "warehouse": sum(map(_bytes, home.path.glob("*warehouse.duckdb*"))),
        "published": sum(map(_bytes, home.path.glob("*veelocity.duckdb*"))),
        "dagster": _tree_bytes(home.dagster),
        "dlt": _tree_bytes(home.dlt),
        "dbt": _tree_bytes(home.dbt) - of_dbt,
        "logs": of_runs + of_dbt,
        "report": _tree_bytes(home.report.parent),
    }


def _bytes(path: Path) -> int:
    """What a file takes; nothing where it went meanwhile."""
    try:
        return path.stat().st_blocks * 512
    except OSError:
        return 0


def _tree_bytes(folder: Path) -> int:
    return sum(_bytes(Path(root) / name) for root, _, names in os.walk(folder) for name in names)


def put_aside(log: Path) -> None:
    """Begin a log anew where it grew large; the one before stays as ``<name>.1``."""
    with contextlib.suppress(FileNotFoundError):
        if log.lstat().st_size > LOG_BYTES:
            log.replace(log.with_name(log.name + ".1"))


def shrink_history(home: Home) -> None:
    """Give back what deleted runs left empty in Dagster's SQLite files; one that is in use just now stays as it is."""
    for file in (*home.dagster.rglob("*.db"), *home.dagster.rglob(".db")):
        with (
            contextlib.suppress(sqlite3.OperationalError),
            contextlib.closing(sqlite3.connect(file, timeout=5)) as each,
        ):
            each.execute("vacuum")
            each.execute("pragma wal_checkpoint(truncate)")
