"""Publish: copy the marts into the file that people read, in one step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from veelocity_pipeline.safety.files import WarehouseError
from veelocity_pipeline.warehouse.duckdb_file import DATABASE, quoted
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.staged import in_memory, staged_beside, to_disk
from veelocity_pipeline.warehouse.store import store_of

PUBLIC_SCHEMA = "marts"
READERS_FORMAT = "v1.2.0"
"""Storage version of the published file: the oldest DuckDB that must be able to open it is 1.2."""
PUBLIC_TYPES = frozenset({"VARCHAR", "BIGINT", "INTEGER", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP"})


@dataclass(frozen=True)
class Published:
    """What a publish wrote: rows by table, and the file's size in bytes."""

    path: Path
    rows: Mapping[str, int]
    size: int


def publish(home: Home) -> Published:
    """Copy the marts into a fresh file and put it in the published one's place in a single step.

    The connection is to no file: one to the warehouse may still be open in this process, which an attach (read-only)
    can live beside and a second connection cannot.

    Raises:
        WarehouseError: there are no marts, a column is of another type than BI tools are promised, the disk is full.
    """
    store = store_of(home)
    with staged_beside(home) as folder:
        staged = folder / home.published.name
        try:
            with in_memory(folder) as connection:
                store.attach(connection)
                connection.execute(f"attach {quoted(staged)} as serving (storage_version '{READERS_FORMAT}')")
                rows = _copy_marts(connection)
                connection.execute("detach serving")
        except duckdb.Error as error:
            raise store.explained(error) from error
        to_disk(staged)
        staged.chmod(0o644)
        size = staged.stat().st_size
        staged.replace(home.published)
    return Published(home.published, rows, size)


def _copy_marts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    columns = connection.execute(
        """select table_name, column_name, data_type from duckdb_columns()
           where database_name = ? and schema_name = ? order by table_name, column_index""",
        [DATABASE, PUBLIC_SCHEMA],
    ).fetchall()
    if not columns:
        raise WarehouseError("there are no marts to publish: the models have not been built yet")
    for table, column, data_type in columns:
        if data_type not in PUBLIC_TYPES:
            raise WarehouseError(f"{PUBLIC_SCHEMA}.{table}.{column} is {data_type}: a published column may not be")
    connection.execute(f"create schema serving.{PUBLIC_SCHEMA}")
    rows = {}
    for table in dict.fromkeys(table for table, _, _ in columns):
        source = f'{DATABASE}.{PUBLIC_SCHEMA}."{table}"'
        connection.execute(f'create table serving.{PUBLIC_SCHEMA}."{table}" as from {source}')
        for statement in _comments(connection, table):
            connection.execute(statement)
        rows[table] = connection.execute(f'select count(*) from serving.{PUBLIC_SCHEMA}."{table}"').fetchall()[0][0]
    return rows


def _comments(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """The statements that give a published table and its columns the descriptions of the working one."""
    target = f'serving.{PUBLIC_SCHEMA}."{table}"'
    found = connection.execute(
        """select null as name, comment from duckdb_tables()
           where database_name = $database and schema_name = $schema and table_name = $table and comment is not null
           union all
           select column_name, comment from duckdb_columns()
           where database_name = $database and schema_name = $schema and table_name = $table and comment is not null""",
        {"database": DATABASE, "schema": PUBLIC_SCHEMA, "table": table},
    ).fetchall()
    return [
        (f"comment on table {target}" if name is None else f'comment on column {target}."{name}"')
        + " is '" + comment.replace("'", "''") + "'"
        for name, comment in found
    ]  # fmt: skip
