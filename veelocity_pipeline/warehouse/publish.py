"""Publish: copy the marts into the file that people read, in one step."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from veelocity_pipeline.safety.files import WarehouseError
from veelocity_pipeline.safety.foreign import sentence
from veelocity_pipeline.warehouse.duckdb_file import DATABASE, quoted
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.staged import in_memory, staged_beside, to_disk
from veelocity_pipeline.warehouse.store import store_of

PUBLIC_SCHEMA = "marts"
READERS_FORMAT = "v1.2.0"
"""Storage version of the published file: the oldest DuckDB that must be able to open it is 1.2."""
PUBLIC_TYPES = frozenset({"VARCHAR", "BIGINT", "INTEGER", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP"})


_READABLE_AS = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "UTINYINT", "USMALLINT"), "INTEGER"),
    **dict.fromkeys(("HUGEINT", "UHUGEINT", "UBIGINT", "UINTEGER"), "BIGINT"),
    **dict.fromkeys(("FLOAT", "DECIMAL"), "DOUBLE"),
    **dict.fromkeys(("TIMESTAMP WITH TIME ZONE", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), "TIMESTAMP"),
    **dict.fromkeys(("ENUM", "INTERVAL", "JSON", "TIME", "UUID"), "VARCHAR"),
}
"""What columns of a user's own models are cast to, by their types without parameters."""


@dataclass(frozen=True)
class Published:
    """What a publish wrote: rows by table, and the file's size in bytes.

    Attributes:
        refused: by file, why a user's own model could not be published.
    """

    path: Path
    rows: Mapping[str, int]
    size: int
    refused: Mapping[str, str] = field(default_factory=dict)


def publish(home: Home, own: Mapping[str, str] | None = None, stale: Collection[str] = ()) -> Published:
    """Copy the marts into a fresh file and put it in the published one's place in a single step.

    The connection is to no file: one to the warehouse may still be open in this process, which an attach (read-only)
    can live beside and a second connection cannot.

    Args:
        own: the files of a user's own models by their tables. Their columns are cast to types that are published.
        stale: tables that are not as they should be; each keeps the rows that are published now, if there are any.

    Raises:
        WarehouseError: there are no marts, a column is of another type than BI tools are promised, the disk is full.
    """
    store = store_of(home)
    with staged_beside(home) as folder:
        staged = folder / home.published.name
        try:
            with in_memory(folder) as connection:
                connection.execute("set timezone = 'UTC'")
                store.attach(connection)
                connection.execute(f"attach {quoted(staged)} as serving (storage_version '{READERS_FORMAT}')")
                rows, refused = _copy_marts(connection, own or {}, stale)
                if stale or refused:
                    rows |= _copy_earlier(connection, home.published, {*stale, *refused})
                connection.execute("detach serving")
        except duckdb.Error as error:
            raise store.explained(error) from error
        to_disk(staged)
        staged.chmod(0o644)
        size = staged.stat().st_size
        staged.replace(home.published)
    return Published(home.published, rows, size, {(own or {})[table]: why for table, why in refused.items()})


def _copy_marts(
    connection: duckdb.DuckDBPyConnection, own: Mapping[str, str], stale: Collection[str]
) -> tuple[dict[str, int], dict[str, str]]:
    """Copy the tables that are as they should be; returns the rows of each, and why one of ``own`` is not copied."""
    columns = connection.execute(
        """select table_name, column_name, data_type from duckdb_columns()
           where database_name = ? and schema_name = ? order by table_name, column_index""",
        [DATABASE, PUBLIC_SCHEMA],
    ).fetchall()
    if not columns:
        raise WarehouseError("there are no marts to publish: the models have not been built yet")
    connection.execute(f"create schema serving.{PUBLIC_SCHEMA}")
    rows, refused = {}, {}
    for table in dict.fromkeys(table for table, _, _ in columns):
        if table in stale:
            continue
        casts = []
        try:
            for column, data_type in ((column, kind) for owner, column, kind in columns if owner == table):
                if data_type in PUBLIC_TYPES:
                    continue
                known = _READABLE_AS.get(data_type.partition("(")[0])
                if table not in own or known is None:
                    of, cure = f"{PUBLIC_SCHEMA}.{table}.{column}", "; cast it to varchar, say" if table in own else ""
                    raise WarehouseError(f"{of} is {data_type}: a published column may not be{cure}")
                casts.append(f'"{column}"::{known} as "{column}"')
            _copy(connection, DATABASE, table, casts)
        except (WarehouseError, duckdb.ConversionException) as error:
            if table not in own:
                raise
            refused[table] = sentence(error, 400)
            continue
        rows[table] = _count(connection, table)
    return rows, refused


def _copy(connection: duckdb.DuckDBPyConnection, database: str, table: str, casts: Sequence[str] = ()) -> None:
    shown = f"* replace ({', '.join(casts)})" if casts else "*"
    connection.execute(
        f'create table serving.{PUBLIC_SCHEMA}."{table}" as select {shown} from {database}.{PUBLIC_SCHEMA}."{table}"'
    )
    for statement in _comments(connection, database, table):
        connection.execute(statement)


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    [(count,)] = connection.execute(f'select count(*) from serving.{PUBLIC_SCHEMA}."{table}"').fetchall()
    return int(count)


def _copy_earlier(connection: duckdb.DuckDBPyConnection, published: Path, tables: Collection[str]) -> dict[str, int]:
    """Copy tables from what is published now; those that are not there are passed over."""
    if not published.exists():
        return {}
    connection.execute(f"attach {quoted(published)} as earlier (read_only)")
    there = connection.execute(
        "select table_name from duckdb_tables() where database_name = 'earlier' and schema_name = ?", [PUBLIC_SCHEMA]
    ).fetchall()
    rows = {}
    for (table,) in there:
        if table in tables:
            _copy(connection, "earlier", table)
            rows[table] = _count(connection, table)
    connection.execute("detach earlier")
    return rows


def _comments(connection: duckdb.DuckDBPyConnection, database: str, table: str) -> list[str]:
    """The statements that give a published table and its columns the descriptions of another."""
    target = f'serving.{PUBLIC_SCHEMA}."{table}"'
    found = connection.execute(
        """select null as name, comment from duckdb_tables()
           where database_name = $database and schema_name = $schema and table_name = $table and comment is not null
           union all
           select column_name, comment from duckdb_columns()
           where database_name = $database and schema_name = $schema and table_name = $table and comment is not null""",
        {"database": database, "schema": PUBLIC_SCHEMA, "table": table},
    ).fetchall()
    return [
        (f"comment on table {target}" if name is None else f'comment on column {target}."{name}"')
        + " is '" + comment.replace("'", "''") + "'"
        for name, comment in found
    ]  # fmt: skip
