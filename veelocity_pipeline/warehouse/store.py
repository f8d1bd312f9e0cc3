"""The warehouse as the pipeline sees it: a place that dlt loads into, dbt builds in and SQL reads.

Only a store knows where that place is. Its first kind is the DuckDB file under ``VEELOCITY_HOME``; whatever DuckDB can
attach, dlt can load and dbt-duckdb can build in can be another.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import duckdb
import pyarrow as pa

from veelocity_pipeline.warehouse.duckdb_file import Compacted, DuckDBFile, Target
from veelocity_pipeline.warehouse.home import Home

if TYPE_CHECKING:
    from dlt.common.destination import Destination


class Store(Protocol):
    """Raw, config, staging, intermediate and marts."""

    def exists(self) -> bool:
        """Return whether anything was ever loaded."""

    def size(self) -> int:
        """Return the bytes that it takes."""

    def connect(self, *, read_only: bool = False) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """Connect to it, with the clock in UTC.

        Raises:
            WarehouseError: it cannot be used, and why.
        """

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Attach it to another connection, read-only, under the name that is part of every view's text."""

    def dlt_destination(self) -> Destination[Any, Any]:
        """Return where dlt loads to."""

    def dbt_target(self) -> Target:
        """Return where dbt builds."""

    def explained(self, error: BaseException) -> BaseException:
        """Return what an error of DuckDB means to a user, if that is known; else the error itself."""

    def maintain(self) -> Compacted | None:
        """Give back unused space if that is worth the work."""

    def compact(self) -> Compacted:
        """Give back all unused space."""

    def snapshot(self, folder: Path) -> Path:
        """Copy all of it into a file in a folder, for a backup. The caller holds the right to write."""


def store_of(home: Home) -> Store:
    """Return the store of a home."""
    return DuckDBFile(home)


def connect(home: Home, *, read_only: bool = False) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    """Connect to a home's store; see :meth:`Store.connect`."""
    return store_of(home).connect(read_only=read_only)


def write_tables(home: Home, schema: str, tables: Mapping[str, pa.Table]) -> dict[str, bool]:
    """Replace small tables of a schema in one transaction.

    Returns:
        for each table, whether it differs from the earlier one.
    """
    changed = {}
    with connect(home) as connection:
        connection.execute("begin")
        connection.execute(f"create schema if not exists {schema}")
        for name, content in tables.items():
            changed[name] = _differs(connection, schema, name, content)
            if changed[name]:
                with _registered(connection, content) as incoming:
                    connection.execute(f"create or replace table {schema}.{name} as from {incoming}")
        connection.execute("commit")
    return changed


def holds(home: Home, schema: str, tables: Mapping[str, pa.Table]) -> bool:
    """Return whether these tables of a schema exist, with exactly these rows."""
    with connect(home) as connection:
        return not any(_differs(connection, schema, name, content) for name, content in tables.items())


def _differs(connection: duckdb.DuckDBPyConnection, schema: str, name: str, content: pa.Table) -> bool:
    """Return whether a table does not exist, or has other columns or rows."""
    [(columns,)] = connection.execute(
        "select count(*) from information_schema.columns where table_schema = ? and table_name = ?", [schema, name]
    ).fetchall()
    if columns != len(content.schema):
        return True
    with _registered(connection, content) as incoming:
        [(differs,)] = connection.execute(
            f"""select exists((from {schema}.{name} except all from {incoming})
                union all (from {incoming} except all from {schema}.{name}))"""
        ).fetchall()
    return bool(differs)


@contextlib.contextmanager
def _registered(connection: duckdb.DuckDBPyConnection, content: pa.Table) -> Iterator[str]:
    """Give a connection a table of this process under a name, for as long as the block runs."""
    connection.register("incoming", content)
    try:
        yield "incoming"
    finally:
        connection.unregister("incoming")
