"""The Evidence project as text: its source queries, its pages' queries, and what Evidence makes of the first.

Evidence runs the source queries in its connector, keeps the results as tables `veelocity.<file>` of four types, and
runs the pages' queries over these with DuckDB. Numbers of any kind become DOUBLE; so do dates and booleans of which
none is known (its `build-parquet.js`); a query without rows makes no table at all.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import duckdb

from veelocity_pipeline.config.settings import CHECKOUT

PROJECT = CHECKOUT / "dashboards" / "evidence"
SOURCE = PROJECT / "sources" / "veelocity"

INITIALIZE = (SOURCE / "initialize.sql").read_text(encoding="utf-8")
SOURCES = {
    path.stem: path.read_text(encoding="utf-8") for path in sorted(SOURCE.glob("*.sql")) if path.stem != "initialize"
}
PAGES = {path.stem: path for path in sorted((PROJECT / "pages").glob("*.md"))}

#: What a page's inputs may be; the first is its default.
INPUTS = {"scope.value": ["all all"], "window": ["90", "30", "180", "365"], "period": ["week", "month", "quarter"]}


class Query(NamedTuple):
    page: str
    name: str
    sql: str


def page_text(page: str) -> str:
    """A page with its partials in their places."""
    return re.sub(
        r'\{@partial "([^"]+)"\}',
        lambda match: (PROJECT / "partials" / match[1]).read_text(encoding="utf-8"),
        PAGES[page].read_text(encoding="utf-8"),
    )


def page_queries() -> list[Query]:
    """Every query of every page, its inputs not yet filled in."""
    return [
        Query(page, name, sql.strip())
        for page in PAGES
        for name, sql in re.findall(r"```sql (\w+)\n(.*?)```", page_text(page), flags=re.DOTALL)
    ]


def filled(sql: str, **inputs: str) -> str:
    """A page's query as it is when these inputs are chosen, the others as they are first."""
    values = {name: first[0] for name, first in INPUTS.items()} | {k.replace("_", "."): v for k, v in inputs.items()}
    return re.sub(r"\$\{inputs\.([\w.]+)\}", lambda match: values[match[1]], sql)


def published(path: Path) -> duckdb.DuckDBPyConnection:
    """The published file as the connector has it: read-only, with what `initialize.sql` brings."""
    connection = duckdb.connect(str(path), read_only=True)
    connection.execute(INITIALIZE)
    return connection


def evidence_tables(path: Path) -> duckdb.DuckDBPyConnection:
    """A database with the tables that the pages' queries find."""
    connection = duckdb.connect()
    connection.execute("create schema veelocity")
    with published(path) as marts:
        for name, sql in SOURCES.items():
            result = marts.execute(sql)
            types = [(column[0], str(column[1])) for column in result.description]
            rows = result.fetchall()
            assert rows, f"{name} has no row, so the pages would have no table"
            columns = ", ".join(
                f'"{column}" {evidence_type(type_name, [row[place] for row in rows])}'
                for place, (column, type_name) in enumerate(types)
            )
            connection.execute(f"create table veelocity.{name} ({columns})")
            connection.executemany(f"insert into veelocity.{name} values ({', '.join('?' * len(types))})", rows)
    return connection


def evidence_type(duckdb_type: str, values: list[object]) -> str:
    """The type of a column of a table that Evidence makes of a source query's result."""
    if duckdb_type == "VARCHAR":
        return "varchar"
    if duckdb_type in {"DATE", "TIMESTAMP", "BOOLEAN"} and any(value is not None for value in values):
        return "boolean" if duckdb_type == "BOOLEAN" else "timestamp"
    return "double"


def empty_copy(path: Path, target: Path) -> Path:
    """A published file with the same tables and no row, as before the first load."""
    with duckdb.connect(str(target)) as connection:
        connection.execute(f"attach '{path}' as full_file (read_only)")
        connection.execute("create schema marts")
        for (table,) in connection.execute(
            "select table_name from duckdb_tables() where database_name = 'full_file' and schema_name = 'marts'"
        ).fetchall():
            connection.execute(f"create table marts.{table} as from full_file.marts.{table} limit 0")
    return target
