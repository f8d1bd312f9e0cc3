"""The working file: connections to it, small tables in it, and what DuckDB's errors mean."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from veelocity_pipeline.safety.files import WarehouseError
from veelocity_pipeline.warehouse.home import Home, refuse_links


@contextlib.contextmanager
def connect(home: Home, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the working file, its clock in UTC.

    Raises:
        WarehouseError: another process has the file open, the disk is full, or it is not a DuckDB file.
    """
    refuse_links(home)
    try:
        with duckdb.connect(home.working, read_only=read_only) as connection:
            connection.execute("set timezone = 'UTC'")
            yield connection
    except duckdb.Error as error:
        raise explained(home.working, error) from error
    finally:
        if not read_only:
            refuse_links(home)


def explained(path: Path, error: BaseException) -> BaseException:
    """What DuckDB's error means for the one who runs the program, where that is known; else the error itself."""
    text = str(error)
    if "Could not set lock" in text:
        holder = re.search(r"held in (.+?) \(PID (\d+)\)", text)
        who = f"{Path(holder[1]).name} (process {holder[2]})" if holder else "another program"
        return WarehouseError(
            f"{path} is open in {who}; close it there, and read {path.parent / 'veelocity.duckdb'} instead, "
            "which is never locked"
        )
    if "No space left" in text or "not enough space" in text.lower():
        return WarehouseError(f"{path}: the disk is full; make room and run again, nothing published was touched")
    if "CHECKPOINT during DETACH failed" in text:
        return WarehouseError(f"{path.parent}: the marts could not be copied for readers; is the disk full?")
    if "not a valid DuckDB database file" in text:
        return WarehouseError(f"{path} is not a DuckDB file; move it away and run again")
    return error


def write_tables(home: Home, schema: str, tables: Mapping[str, pa.Table]) -> dict[str, bool]:
    """Put small tables in the place of the earlier ones of a schema, in one transaction.

    Returns:
        for each table, whether it is other than it was.
    """
    changed = {}
    with connect(home) as connection:
        connection.execute("begin")
        connection.execute(f"create schema if not exists {schema}")
        for name, content in tables.items():
            changed[name] = _is_other(connection, schema, name, content)
            if changed[name]:
                connection.register("incoming", content)
                connection.execute(f"create or replace table {schema}.{name} as from incoming")
                connection.unregister("incoming")
        connection.execute("commit")
    return changed


def holds(home: Home, schema: str, tables: Mapping[str, pa.Table]) -> bool:
    """Whether these tables of a schema are there, with just these rows."""
    with connect(home) as connection:
        return not any(_is_other(connection, schema, name, content) for name, content in tables.items())


def _is_other(connection: duckdb.DuckDBPyConnection, schema: str, name: str, content: pa.Table) -> bool:
    """Whether a table is not there, or has other columns or rows."""
    [(columns,)] = connection.execute(
        "select count(*) from information_schema.columns where table_schema = ? and table_name = ?", [schema, name]
    ).fetchall()
    if columns != len(content.schema):
        return True
    connection.register("incoming", content)
    [(differs,)] = connection.execute(
        f"""select exists((from {schema}.{name} except all from incoming)
            union all (from incoming except all from {schema}.{name}))"""
    ).fetchall()
    connection.unregister("incoming")
    return bool(differs)


def quoted(path: Path) -> str:
    """The path as a literal of SQL."""
    return "'" + str(path).replace("'", "''") + "'"
