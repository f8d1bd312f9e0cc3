"""Write a database beside the one it will replace."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import duckdb

from veelocity_pipeline.safety.files import staging
from veelocity_pipeline.warehouse.home import Home, refuse_links


@contextlib.contextmanager
def staged_beside(home: Home) -> Iterator[Path]:
    """A fresh folder for a database that is written before it is put in its place."""
    refuse_links(home)
    for left in (".veelocity.duckdb.staged", ".warehouse.duckdb.compacted"):  # by an earlier version that was killed
        for file in (home.path / left, home.path / f"{left}.wal"):
            file.unlink(missing_ok=True)
    with staging(home.path) as folder:
        yield folder


def in_memory(folder: Path) -> duckdb.DuckDBPyConnection:
    """Connect to no file; what does not fit into memory goes to a folder."""
    return duckdb.connect(config={"temp_directory": str(folder / "spilled")})


def to_disk(path: Path) -> None:
    """Wait until what was written to a file, or the names in a folder, would outlive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
