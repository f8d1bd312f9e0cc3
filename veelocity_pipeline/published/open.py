"""Open the published file: read-only, and sealed against everything else."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import duckdb

from veelocity_pipeline.safety.files import WarehouseError
from veelocity_pipeline.warehouse.duckdb_file import explained, quoted

_SEALED: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",  # a table's name never means a variable of ours
}


@contextlib.contextmanager
def read_published(path: Path, *, writes_to: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to a published file, which can reach no other file and load no extension.

    Args:
        writes_to: a folder that it can reach, too.

    Raises:
        WarehouseError: nothing was published yet.
    """
    if not path.exists():
        raise WarehouseError(f"nothing is published yet: {path} is not there; run `veelocity refresh` first")
    try:
        with duckdb.connect(path, read_only=True, config=_SEALED) as connection:
            if writes_to is not None:
                connection.execute(f"set allowed_directories = [{quoted(writes_to)}]")
            connection.execute("set enable_external_access = false")
            yield connection
    except duckdb.Error as error:
        raise explained(path, error) from error
