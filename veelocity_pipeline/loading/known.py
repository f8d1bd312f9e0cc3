"""What is already loaded, for connectors that ask."""

from __future__ import annotations

import contextlib
import threading
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from veelocity_pipeline.config.connections import qualified, unqualified
from veelocity_pipeline.sources.kit.connector import Known, SourceEntry
from veelocity_pipeline.sources.kit.tables import Row

if TYPE_CHECKING:
    import dlt
    from dlt.destinations.sql_client import SqlClientBase


class Stored(Known):
    """What is loaded, asked for by one thread at a time."""

    def __init__(self, entry: SourceEntry, connection: str) -> None:
        self._entry = entry
        self._connection = connection
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def closed(self) -> Iterator[None]:
        """Keep questions waiting while the block runs."""
        with self._lock:
            yield

    def values(self, table: str, column: str, scope_id: str) -> set[Any]:
        return {row[column] for row in self.rows(table, (column,), scope_id)}

    def rows(self, table: str, columns: Iterable[str], scope_id: str, where: str = "") -> list[Row]:
        names = list(columns)
        scope_column = self._entry.scope_column.get(table)
        conditions = [f"{scope_column} = %s"] if scope_column else [self._is_mine]
        if where:
            conditions.append(f"({where})")
        sql = f" where {' and '.join(conditions)}" if conditions else ""
        with self._lock:
            wanted = [qualified(self._connection, scope_id)] if scope_column else []
            found = self._ask(table, ", ".join(names), sql, wanted)
        rows = [dict(zip(names, values, strict=True)) for values in found]
        if self._connection:
            keys = set(self._entry.tables[table].keys) & set(names)
            for row in rows:
                row.update({key: row[key] and unqualified(self._connection, row[key]) for key in keys})
        return rows

    @property
    def _is_mine(self) -> str:
        return f"connection = '{self._connection}'" if self._connection else "connection is null"

    @abstractmethod
    def _ask(self, table: str, columns: str, where: str, values: list[str]) -> Iterable[Sequence[Any]]: ...


class Warehouse(Stored):
    """What is loaded, read through dlt. One at a time with loading: DuckDB has one configuration per file.

    The file stays open from one question to the next (opening it takes thirty times as long as an answer), and is
    closed before rows are loaded.
    """

    def __init__(
        self, entry: SourceEntry, connection: str, pipeline: dlt.Pipeline, missing: Mapping[str, pa.Table]
    ) -> None:
        super().__init__(entry, connection)
        self._pipeline = pipeline
        self._missing = missing
        self._client: SqlClientBase[Any] | None = None

    @contextlib.contextmanager
    def closed(self) -> Iterator[None]:
        """Keep the file closed, and questions waiting, while the block runs."""
        with super().closed():
            if self._client is not None:
                self._client.close_connection()
                self._client = None
            yield

    def _ask(self, table: str, columns: str, where: str, values: list[str]) -> Iterable[Sequence[Any]]:
        if table in self._missing:
            return []
        if self._client is None:
            self._client = self._pipeline.sql_client()
            self._client.open_connection()
        sql = f"select {columns} from {self._client.make_qualified_table_name(table)}{where}"
        return self._client.execute_sql(sql, *values) or ()
