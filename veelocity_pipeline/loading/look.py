"""Ask a source all that a load would ask, and load nothing."""

from __future__ import annotations

import base64
import contextlib
import zlib
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from veelocity_pipeline.loading.dlt import pipeline_name, scopes_of
from veelocity_pipeline.loading.known import Stored
from veelocity_pipeline.loading.pending import Reading
from veelocity_pipeline.loading.read import Pass, read
from veelocity_pipeline.sources.kit.connector import Outcome, RefreshRequest, SourceEntry
from veelocity_pipeline.sources.kit.http.client import Client
from veelocity_pipeline.sources.kit.http.errors import SourceError
from veelocity_pipeline.sources.kit.http.usage import Wait
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.store import connect

if TYPE_CHECKING:
    import duckdb

    from veelocity_pipeline.config.settings import Settings


class OpenFile(Stored):
    """What is loaded, read from the open working file."""

    def __init__(self, entry: SourceEntry, connection: str, file: duckdb.DuckDBPyConnection) -> None:
        super().__init__(entry, connection)
        self._file = file

    def _ask(self, table: str, columns: str, where: str, values: list[str]) -> Iterable[Sequence[Any]]:
        sql = f"select {columns} from {self._entry.dataset}.{table}{where.replace('%s', '?')}"
        found: list[tuple[Any, ...]] = self._file.execute(sql, values).fetchall()
        return found


class _SomethingNewError(Exception):
    """A look has found something to load."""


class _Look(Pass):
    """One run of ``look``."""

    def on_wait(self, client: Client, wait: Wait) -> None:
        del wait
        client.cancel()

    def is_enough(self, size: int, seconds: float) -> bool:
        del size, seconds  # each chunk by itself, so that the first news end it
        return True

    def flush(self, readings: Iterable[Reading], now: datetime) -> None:
        if any(self.pending(readings, now)):
            raise _SomethingNewError


def look(
    entry: SourceEntry,
    settings: Settings,
    home: Home,
    request: RefreshRequest,
    on_progress: Callable[[str], None] | None = None,
    on_failure: Callable[[SourceError], None] = lambda _error: None,
) -> list[Outcome] | None:
    """Ask a source all that ``load`` would ask, and load nothing.

    Args:
        on_failure: told why nothing of the source can be read, where that is so.

    Returns:
        the outcomes that ``load`` would have had if that finds nothing to load. None as soon as there is anything: a
        row, a mark that moved, a table to make; a failure; a limit that is to be waited for.

    Raises:
        WarehouseError: another process has the file open, or it is not a DuckDB file.
    """
    attempted_at = datetime.now(UTC)
    with connect(home) as file:
        remembered = _remembered(entry, settings.connection, file)
        if remembered is None:
            return None
        if not entry.is_configured(settings):
            return []
        outcomes: list[Outcome] = []
        known = OpenFile(entry, settings.connection, file)
        seen = _Look(entry, settings.connection, request, known, remembered, on_progress)
        with (
            contextlib.closing(read(seen, settings, attempted_at)) as reading,
            contextlib.suppress(_SomethingNewError),
        ):
            for outcome in reading:
                if outcome.error:
                    if seen.failure is not None:
                        on_failure(seen.failure)
                    return None
                outcomes.append(outcome)
            return outcomes
    return None


_STATE_VERSION = 4
"""Of dlt's state in the warehouse, as it is read here: base64 of the compressed JSON text of it."""


def _remembered(
    entry: SourceEntry, connection: str, file: duckdb.DuckDBPyConnection
) -> dict[str, dict[str, Any]] | None:
    """What the last load saved of each scope, without dlt; None where a table is to be made, or only dlt can tell.

    The newest state whose load ended well is the one that dlt goes on from.
    """
    columns: dict[str, set[str]] = {}
    for table, column in file.execute(
        "select table_name, column_name from duckdb_columns() where schema_name = ?", [entry.dataset]
    ).fetchall():
        columns.setdefault(table, set()).add(column)
    if not all(set(table.schema.names) <= columns.get(name, set()) for name, table in entry.tables.items()):
        return None
    found = file.execute(
        f"""select engine_version, state from {entry.dataset}._dlt_pipeline_state as saved
            inner join {entry.dataset}._dlt_loads as loads on loads.load_id = saved._dlt_load_id
            where pipeline_name = ? and loads.status = 0 order by loads.load_id desc limit 1""",
        [pipeline_name(entry, connection)],
    ).fetchall()
    if not found or found[0][0] != _STATE_VERSION:
        return None
    return scopes_of(entry, orjson.loads(zlib.decompress(base64.b64decode(found[0][1]))))
