"""From what a connector reads to rows in the warehouse, and the marks that say how far it got.

A connector yields chunks; a chunk's rows and the mark that stands for them are saved by the same dlt
load, so neither can be there without the other. Scopes (repositories, teams) are read concurrently
and loaded one batch at a time, in the caller's thread: the warehouse has one writer.
"""

from __future__ import annotations

import base64
import contextlib
import copy
import functools
import gc
import logging
import os
import queue
import re
import tempfile
import threading
import time
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa

from veelocity_pipeline.safety.files import WarehouseError
from veelocity_pipeline.safety.foreign import sentence
from veelocity_pipeline.safety.redaction import redacted_json
from veelocity_pipeline.sources.kit.http.client import Client, Usage, Wait
from veelocity_pipeline.sources.kit.http.errors import BadAnswerError, CancelledError, LoadError, SourceError
from veelocity_pipeline.sources.kit.tables import GONE_COLUMN, Row, Table
from veelocity_pipeline.warehouse.duckdb_file import connect, explained
from veelocity_pipeline.warehouse.home import Home

if TYPE_CHECKING:
    # Where it is used it is imported by then: half a second that a look can do without.
    import dlt
    import duckdb
    from dlt.destinations.sql_client import SqlClientBase
    from dlt.extract import DltSource

    from veelocity_pipeline.config.settings import Settings

_log = logging.getLogger(__name__)

BATCH_ROWS = 100_000
"""Rows that are enough for a load, which costs dlt about a second of work before the first of them.

Held meanwhile as Python rows: about 350 MB at most (of ten thousand pull requests with all their children)."""

COLLECTED_AFTER = (50_000, 20, 20)
"""Thresholds of Python's collector of cycles while loading: rows make none, and looking through them again and again
was a fifth of the CPU of ten thousand pull requests."""

PROGRESS_SECONDS = 15.0
"""How often a read that goes on says how far it has come."""

BATCH_SECONDS = 30.0
"""The longest that rows wait for more of them: what a killed run has to read again."""


@dataclass(frozen=True)
class RefreshRequest:
    """What one refresh is asked to read.

    Attributes:
        full: read everything again and find what is gone, instead of what is new.
        since: of a full read of what was read whole before, only what changed or ended on this day or later is read
            again; what is gone is found all the same.
        scopes: names of repositories or teams; empty means all that are configured.
        run: which run of several sources this is part of; what they need in common is asked for once.
    """

    full: bool = False
    scopes: tuple[str, ...] = ()
    run: str = ""
    since: date | None = None


@dataclass(frozen=True)
class Scope:
    """What is read, fails and has a mark by itself: a repository, a team, or ``*`` for a whole workspace.

    Attributes:
        id: the provider's immutable id.
        name: the present name: ``owner/name``, or a team's key.
        configured_as: the entry of the settings that brought it.
        info: what the connector learned when it resolved the scope.
        size: about how much there is of it, in things; larger ones are begun earlier.
    """

    id: str
    name: str
    configured_as: str = ""
    info: Mapping[str, Any] = field(default_factory=dict)
    size: int = 0


@dataclass(frozen=True)
class Change:
    """A scope that changed upstream after it was read.

    Attributes:
        scope: its name is empty where the provider was not asked for it.
        newest: the newest change that was seen, by the provider's clock.
    """

    scope: Scope
    newest: datetime


@dataclass(frozen=True)
class ScopeFailure:
    """A configured scope that cannot be read at all; ``error`` is a sentence."""

    name: str
    configured_as: str
    error: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "error", sentence(self.error))


@dataclass(frozen=True)
class Progress:
    """How far the read of a list of a scope has come.

    Attributes:
        what: is counted, in the plural.
        expected: how many there are, where the provider says.
        pages: that were read.
    """

    what: str
    done: int
    expected: int | None
    pages: int

    def __str__(self) -> str:
        """As people read it: ``1,200 of 3,400 pull requests (12 pages)``."""
        of = f" of {self.expected:,}" if self.expected is not None else ""
        return f"{self.done:,}{of} {self.what} ({self.pages:,} {'page' if self.pages == 1 else 'pages'})"


@dataclass(frozen=True)
class CheckResult:
    """One line of a connection check; what is foreign in it is made plain."""

    subject: str
    ok: bool
    detail: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "subject", sentence(self.subject, 300))
        object.__setattr__(self, "detail", sentence(self.detail))


@dataclass
class Chunk:
    """Rows that may be loaded together, and the mark that stands for them.

    Attributes:
        rows: rows of tables with a primary key, by table.
        sets: whole sets of children of tables with a merge key: table → parent's id → all its rows. An
            empty list says that the parent has none (any more).
        mark: what replaces the scope's mark (JSON values only), saved in the same load; None leaves it.
            ``mark["watermarks"]`` may hold an ISO time by table, which is shown in ``sync_status``.
        listed: the complete set of ids of a table (its single primary key) in this scope, after a
            full read: what is stored for the scope and not in it gets ``deleted_at``.
    """

    rows: dict[str, list[Row]] = field(default_factory=dict)
    sets: dict[str, dict[str, list[Row]]] = field(default_factory=dict)
    mark: dict[str, Any] | None = None
    listed: dict[str, set[str]] = field(default_factory=dict)

    def add(self, table: str, rows: Iterable[Row]) -> None:
        """Add rows of a table that has a primary key."""
        self.rows.setdefault(table, []).extend(rows)

    def add_set(self, table: str, parent: str, rows: Iterable[Row]) -> None:
        """Give all children that ``parent`` has in a table with a merge key."""
        self.sets.setdefault(table, {})[parent] = list(rows)

    @property
    def size(self) -> int:
        """How many rows there are, in all tables."""
        return sum(map(len, self.rows.values())) + sum(
            max(1, len(rows)) for parents in self.sets.values() for rows in parents.values()
        )


@dataclass(frozen=True)
class Outcome:
    """How reading one table of one scope went; what ``operations.sync_status`` holds.

    Attributes:
        read_at: the server's time at the start of this read if it was complete, else None.
        rows: rows that were loaded, gone ones and emptied sets not counted.
        watermark: the newest change that was seen, where the connector keeps one.
        error: None if all went well.
        requests, points, waited, received: what the whole scope cost (``http.Usage``); on its first table only, so
            that sums are right.
        budget_left: what all tokens together had left when the scope was read, where the provider says.
        budget_share: the same as a share of what they have when full, from 0 to 1.
    """

    source: str
    table: str
    scope_id: str
    scope_name: str
    attempted_at: datetime
    succeeded_at: datetime | None
    read_at: datetime | None
    rows: int
    watermark: datetime | None
    error: str | None
    is_full: bool
    requests: int
    points: int
    waited: float = 0.0
    received: int = 0
    budget_left: int | None = None
    budget_share: float | None = None

    def __post_init__(self) -> None:
        """Its texts are foreign, and go to tables, files, the run history and alerts."""
        for name in ("scope_id", "scope_name"):
            object.__setattr__(self, name, sentence(getattr(self, name), 300))
        object.__setattr__(self, "error", self.error and sentence(self.error))

    def to_row(self) -> dict[str, str | int | float | bool | datetime | None]:
        """As ``operations.sync_status`` has it (``warehouse.SYNC_STATUS``)."""
        return {
            "source": self.source,
            "table_name": self.table,
            "repository": self.scope_name,
            "source_key": self.scope_id or None,
            "attempted_at": self.attempted_at,
            "succeeded_at": self.succeeded_at,
            "read_at": self.read_at,
            "rows": self.rows,
            "watermark": self.watermark,
            "error": self.error,
            "is_full": self.is_full,
            "requests": self.requests,
            "points": self.points,
            "waited_seconds": self.waited,
            "bytes_received": self.received,
            "budget_left": self.budget_left,
        }


class Known(ABC):
    """What is already loaded. Safe to use from any thread; empty where there is no table yet."""

    @abstractmethod
    def values(self, table: str, column: str, scope_id: str) -> set[Any]:
        """All values of one column of a scope's rows."""

    @abstractmethod
    def rows(self, table: str, columns: Iterable[str], scope_id: str, where: str = "") -> list[Row]:
        """Some columns of a scope's rows; ``where`` is SQL of our own, never of a user's making."""


class Connector(ABC):
    """One refresh of one source. Made anew for each; all network goes through its client.

    Attributes:
        say: told one short sentence about something out of the ordinary; from any thread.
        progress: told how far the read of a scope has come, page by page; from any thread.
    """

    client: Client
    say: Callable[[str], None] = staticmethod(lambda _text: None)
    progress: Callable[[Scope, Progress], None] = staticmethod(lambda _scope, _progress: None)

    @abstractmethod
    def __init__(self, settings: Settings, client: Client | None = None) -> None:
        """Read the settings; no request yet. Tests pass their own client."""

    @abstractmethod
    def scopes(self, request: RefreshRequest) -> list[Scope | ScopeFailure]:
        """What is to be read, in the order of the settings, and what of it cannot be.

        Raises:
            SourceError: nothing of this source can be read.
        """

    def vanished(self, remembered: Mapping[str, str], found: Iterable[Scope | ScopeFailure]) -> Iterable[ScopeFailure]:
        """Scopes that were read before and that nothing lists any more, which the settings still mean.

        Args:
            remembered: names by id.
            found: what ``scopes`` gave, asked for all.
        """
        return ()

    def begin(self, marks: Mapping[str, Mapping[str, Any]]) -> None:  # noqa: B027 - most need not know
        """Told the mark of each scope, by its id, before the first is read."""

    @abstractmethod
    def read(self, scope: Scope, mark: dict[str, Any], request: RefreshRequest, known: Known) -> Iterator[Chunk]:
        """Read one scope; each chunk is a checkpoint. Runs in a thread of its own.

        Args:
            mark: the scope's mark of the last load that was saved; empty at first. A copy: change it freely.

        Raises:
            SourceError: the rest of the scope cannot be read. What was yielded stays.
        """

    def changed_since(self, read_at: Mapping[str, datetime]) -> list[Change] | None:
        """Scopes that changed after they were read, or were never read, in a few requests; None: that takes more.

        What moves no time of its own upstream (something was deleted, say) is not noticed.

        Args:
            read_at: by scope's id, the provider's time at the start of its last complete read.

        Raises:
            SourceError: it cannot be asked.
        """
        del read_at
        return None

    @classmethod
    @abstractmethod
    def client_of(cls, settings: Settings, **options: Any) -> Client:
        """Make the client that these settings name.

        Args:
            options: as ``Client`` has them.

        Raises:
            AuthenticationError: the settings hold no credentials that could be sent.
        """

    @abstractmethod
    def reach(self) -> None:
        """Make one cheap request, which shows whether the API is there and accepts the credentials.

        Raises:
            SourceError: it is not, or does not, or cannot answer.
        """

    @abstractmethod
    def check(self) -> list[CheckResult]:
        """Whether the API can be reached and what the token may read. Raises nothing."""


@dataclass(frozen=True)
class SourceEntry:
    """A source, as the registry knows it.

    Attributes:
        name: of the source, of its dbt source, and the first part of its asset keys.
        title: for people.
        dataset: the schema of its raw tables.
        missing: what to say where the source is not configured; names the setting.
        scope_column: by table, the column that holds the scope's id; a table without belongs to no scope.
        along_with: the source whose scopes this one reads too, if it is another's.
    """

    name: str
    title: str
    dataset: str
    tables: Mapping[str, Table]
    connector: type[Connector]
    is_configured: Callable[[Settings], bool]
    missing: str
    scope_column: Mapping[str, str]
    along_with: str = ""

    def source(
        self, batch: Mapping[str, pa.Table] | None = None, scopes: Mapping[str, Mapping[str, Any]] | None = None
    ) -> DltSource:
        """A new dlt source, with one resource for each table of ``batch`` (all of them, and no row, without one).

        Args:
            batch: what to load, by table, in the tables' declared schemas.
            scopes: what to remember of each scope in the state that is saved with this load.
        """
        import dlt

        tables = {name: table.arrow([]) for name, table in self.tables.items()} if batch is None else batch

        def remember() -> Iterator[pa.Table]:
            dlt.current.source_state().setdefault(_SCOPES, {}).update(scopes or {})
            yield from ()

        @dlt.source(name=self.name, section=self.name, max_table_nesting=0)
        def build() -> Iterator[Any]:
            for number, (name, content) in enumerate(tables.items()):
                table = self.tables[name]

                def rows(content: pa.Table = content, is_first: bool = number == 0) -> Iterator[pa.Table]:
                    if is_first:
                        yield from remember()
                    yield content

                keys: dict[str, Any] = (
                    {"primary_key": table.primary_key}
                    if table.primary_key
                    else {
                        "merge_key": table.merge_key,
                        "columns": {GONE_COLUMN: {"data_type": "bool", "hard_delete": True}},
                    }
                )
                yield dlt.resource(
                    rows(),
                    name=name,
                    write_disposition="merge",
                    schema_contract={"tables": "evolve", "columns": "evolve", "data_type": "freeze"},
                    **keys,
                )

        return build()


_SCOPES = "scopes"
"""Key of the source's state in dlt: scope's id → its ``name`` and ``mark``."""


def empty_source(entry: SourceEntry) -> DltSource:
    """The source with all its tables and no row: what assets are made from. Needs no setting."""
    return entry.source()


@functools.cache
def _scratch() -> tempfile.TemporaryDirectory[str]:
    """A folder for pipelines that never run; gone when the process ends."""
    return tempfile.TemporaryDirectory(prefix="veelocity-dlt-")


def _pipeline_name(entry: SourceEntry) -> str:
    return f"veelocity_{entry.name}"


def make_pipeline(entry: SourceEntry, home: Home | None) -> dlt.Pipeline:
    """The source's dlt pipeline into the working file; without a home one that only describes itself."""
    import dlt

    # Whoever runs the load decides what a signal means; dlt would make a failed load of it, and the run would go on.
    os.environ["RUNTIME__INTERCEPT_SIGNALS"] = "false"
    # Neither files nor rows of a load that ended well stay beside the tables that it went into.
    os.environ["LOAD__DELETE_COMPLETED_JOBS"] = "true"
    os.environ["LOAD__TRUNCATE_STAGING_DATASET"] = "true"
    folder = str(home.dlt) if home else _scratch().name
    file = str(home.working) if home else ":memory:"
    return dlt.pipeline(
        _pipeline_name(entry),
        pipelines_dir=folder,
        destination=dlt.destinations.duckdb(file),
        dataset_name=entry.dataset,
    )


def prepare(entry: SourceEntry, pipeline: dlt.Pipeline) -> None:
    """Make the pipeline go on from what the warehouse holds, and every raw table exist.

    Whatever a killed run left in dlt's own folder is thrown away: rows that were not loaded will be
    read again, since their mark was not saved either.

    Raises:
        LoadError: the warehouse cannot be used.
    """
    _make(entry, pipeline, _go_on(entry, pipeline))


def _go_on(entry: SourceEntry, pipeline: dlt.Pipeline) -> dict[str, pa.Table]:
    """The first half of ``prepare``. Returns what is still to be made: tables that are not there, or lack a column."""
    with _loading(pipeline):
        pipeline.drop()
        pipeline.sync_destination()
    there = pipeline.schemas[entry.name].tables if entry.name in pipeline.schemas else {}
    return {
        name: table.arrow([])
        for name, table in entry.tables.items()
        if not set(table.schema.names) <= set(there.get(name, {}).get("columns", {}))
    }


def _make(entry: SourceEntry, pipeline: dlt.Pipeline, missing: Mapping[str, pa.Table]) -> None:
    if missing:
        with _loading(pipeline):
            pipeline.run(entry.source(missing), loader_file_format="parquet")


@contextlib.contextmanager
def _loading(pipeline: dlt.Pipeline) -> Iterator[None]:
    """Keep the working file open, and turn what dlt raises into one sentence.

    For each of its jobs, two or three a table, dlt opens the file and closes it again, with a checkpoint: a third of
    the CPU of a small load (3.1 against 2.0 s, November 2026). While another connection of this process is open, both
    cost nothing.
    """
    from dlt.common.destination.exceptions import DestinationException
    from dlt.pipeline.exceptions import PipelineStepFailed

    home = Home(Path(pipeline.pipelines_dir).parent)
    try:
        with connect(home):
            yield
    except WarehouseError as error:
        raise LoadError(str(error)) from error
    except (PipelineStepFailed, DestinationException, OSError) as error:
        cause = error.exception if isinstance(error, PipelineStepFailed) and error.exception else error
        if locked := re.search(r'lock on file "([^"]+)"', str(cause)):
            raise LoadError(str(explained(Path(locked[1]), cause))) from error
        lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
        raise LoadError(
            f"The warehouse could not be written: {lines[-1] if lines else type(cause).__name__}"
        ) from error


class _Stored(Known):
    """What is loaded, asked for by one thread at a time."""

    def __init__(self, entry: SourceEntry) -> None:
        self._entry = entry
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
        conditions = [f"{scope_column} = %s"] if scope_column else []
        if where:
            conditions.append(f"({where})")
        sql = f" where {' and '.join(conditions)}" if conditions else ""
        with self._lock:
            found = self._ask(table, ", ".join(names), sql, [scope_id] if scope_column else [])
        return [dict(zip(names, values, strict=True)) for values in found]

    @abstractmethod
    def _ask(self, table: str, columns: str, where: str, values: list[str]) -> Iterable[Sequence[Any]]: ...


class _Warehouse(_Stored):
    """What is loaded, read through dlt. One at a time with loading: DuckDB has one configuration per file.

    The file stays open from one question to the next (opening it takes thirty times as long as an answer), and is
    closed before rows are loaded.
    """

    def __init__(self, entry: SourceEntry, pipeline: dlt.Pipeline, missing: Mapping[str, pa.Table]) -> None:
        super().__init__(entry)
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


class _OpenFile(_Stored):
    """What is loaded, read from the open working file."""

    def __init__(self, entry: SourceEntry, connection: duckdb.DuckDBPyConnection) -> None:
        super().__init__(entry)
        self._connection = connection

    def _ask(self, table: str, columns: str, where: str, values: list[str]) -> Iterable[Sequence[Any]]:
        sql = f"select {columns} from {self._entry.dataset}.{table}{where.replace('%s', '?')}"
        found: list[tuple[Any, ...]] = self._connection.execute(sql, values).fetchall()
        return found


@dataclass
class _Pending:
    """What is read of a scope and not loaded yet; of twins the later one."""

    rows: dict[str, dict[tuple[Any, ...], Row]] = field(default_factory=dict)
    sets: dict[str, dict[str, list[Row]]] = field(default_factory=dict)
    mark: dict[str, Any] | None = None
    listed: dict[str, set[str]] = field(default_factory=dict)

    def add(self, chunk: Chunk, tables: Mapping[str, Table]) -> None:
        for name, rows in chunk.rows.items():
            key = tables[name].primary_key
            self.rows.setdefault(name, {}).update({tuple(row[column] for column in key): row for row in rows})
        for name, parents in chunk.sets.items():
            self.sets.setdefault(name, {}).update(parents)
        if chunk.mark is not None:
            self.mark = chunk.mark
        self.listed.update(chunk.listed)

    def counts(self) -> dict[str, int]:
        counted = {name: len(rows) for name, rows in self.rows.items()}
        return counted | {name: sum(map(len, parents.values())) for name, parents in self.sets.items()}

    def arrow(self, tables: Mapping[str, Table]) -> dict[str, pa.Table]:
        """What to load, by table. Raises pyarrow's errors where a value is not of its column's type."""
        rows = {name: list(rows.values()) for name, rows in self.rows.items() if rows}
        for name, parents in self.sets.items():
            rows[name] = [
                row for parent, children in parents.items() for row in children or [tables[name].empty_set(parent)]
            ]
        return {name: tables[name].arrow(found) for name, found in rows.items() if found}


@dataclass
class _Reading:
    """One scope on its way through a refresh."""

    scope: Scope
    mark: dict[str, Any]
    saved: dict[str, Any] | None
    attempted_at: datetime
    pending: _Pending = field(default_factory=_Pending)
    rows: dict[str, int] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    error: str | None = None
    is_spoilt: bool = False


class _Pass(ABC):
    """One pass over all that there is to read.

    Attributes:
        remembered: what the last load saved of each scope.
        failure: why nothing of the source can be read.
    """

    failure: SourceError | None = None

    def __init__(
        self,
        entry: SourceEntry,
        request: RefreshRequest,
        known: _Stored,
        remembered: dict[str, dict[str, Any]],
        on_progress: Callable[[str], None] | None,
    ) -> None:
        self.entry = entry
        self.request = request
        self.known = known
        self.remembered = remembered
        self.stopped = threading.Event()
        self._on_progress = on_progress
        self._saying = threading.Lock()
        self._under_way: dict[str, tuple[str, Progress]] = {}
        self._told_at = time.monotonic()
        self.queue: queue.Queue[tuple[_Reading, Chunk | None]] = queue.Queue(maxsize=16)

    def say(self, text: str) -> None:
        if self._on_progress:
            with self._saying:
                self._on_progress(sentence(f"{self.entry.title}: {text}"))

    def progress(self, scope: Scope, progress: Progress) -> None:
        """Note how far the read of a scope has come."""
        with self._saying:
            self._under_way[scope.id] = (scope.name, progress)

    def tell_progress(self) -> None:
        """Say what was noted, where it is time to."""
        if time.monotonic() - self._told_at < PROGRESS_SECONDS:
            return
        with self._saying:
            under_way, self._under_way = self._under_way, {}
        self._told_at = time.monotonic()
        for name, progress in sorted(under_way.values(), key=lambda each: each[0]):
            self.say(f"{name}: {progress}")

    @abstractmethod
    def on_wait(self, client: Client, wait: Wait) -> None:
        """Told, from any thread, that a limit is to be waited for."""

    def read(self, connector: Connector, reading: _Reading) -> None:
        """Read a scope to its end and hand over its chunks. In a thread of the pool."""
        try:
            with connector.client.metered() as usage:
                reading.usage = usage
                for chunk in connector.read(reading.scope, copy.deepcopy(reading.mark), self.request, self.known):
                    self._put(reading, chunk)
        except SourceError as error:
            reading.error = str(error)
        except Exception as error:  # a mistake of ours in one repository must not stop the others
            _log.exception("reading %s failed", sentence(reading.scope.name, 300))
            reading.error = f"Unexpected {type(error).__name__} while reading {reading.scope.name}; see the log."
        with contextlib.suppress(CancelledError):
            self._put(reading, None)

    def _put(self, reading: _Reading, chunk: Chunk | None) -> None:
        while not self.stopped.is_set():
            try:
                self.queue.put((reading, chunk), timeout=0.2)
                return
            except queue.Full:
                continue
        raise CancelledError("Interrupted.")

    @abstractmethod
    def is_enough(self, size: int, seconds: float) -> bool:
        """Whether so many rows, the first of them so long ago, are to be flushed."""

    @abstractmethod
    def flush(self, readings: Iterable[_Reading], now: datetime) -> None:
        """Do with what is pending of these scopes what this pass is for."""

    def pending(
        self, readings: Iterable[_Reading], now: datetime
    ) -> tuple[dict[str, list[pa.Table]], dict[str, dict[str, Any]]]:
        """What is to be loaded of these scopes: rows by table, and what to remember of each scope where it is new."""
        batches: dict[str, list[pa.Table]] = {}
        scopes: dict[str, dict[str, Any]] = {}
        for reading in readings:
            pending, reading.pending = reading.pending, _Pending()
            if reading.is_spoilt:
                continue
            self._mark_gone(reading, pending, now)
            try:
                arrow = pending.arrow(self.entry.tables)
            except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError) as error:
                # Nothing that comes after may move this scope's mark past the rows that are lost here.
                reading.is_spoilt = True
                reading.error = str(BadAnswerError(f"{reading.scope.name} has a value of an unexpected kind: {error}"))
                continue
            for name, table in arrow.items():
                batches.setdefault(name, []).append(table)
            for name, count in pending.counts().items():
                reading.rows[name] = reading.rows.get(name, 0) + count
            if pending.mark is not None:
                reading.mark = pending.mark  # what an answer said is in it: names, cursors, ETags
            saved = redacted_json({"name": reading.scope.name, "mark": reading.mark})
            if saved != reading.saved:
                scopes[reading.scope.id] = reading.saved = saved
        return batches, scopes

    def _mark_gone(self, reading: _Reading, pending: _Pending, now: datetime) -> None:
        """Add the rows that a complete listing no longer has, with the time when that was seen."""
        for name, ids in pending.listed.items():
            table = self.entry.tables[name]
            (key,) = table.primary_key
            for row in self.known.rows(name, table.columns, reading.scope.id, "deleted_at is null"):
                if row[key] not in ids:
                    pending.rows.setdefault(name, {})[(row[key],)] = {**row, "deleted_at": now}

    def outcomes(self, reading: _Reading, read_at: datetime | None, client: Client | None = None) -> Iterator[Outcome]:
        watermarks = reading.mark.get("watermarks") or {}
        nothing = Usage()
        for number, table in enumerate(self.entry.tables):
            text = watermarks.get(table)
            cost = reading.usage if number == 0 else nothing
            yield Outcome(
                source=self.entry.name,
                table=table,
                scope_id=reading.scope.id,
                scope_name=reading.scope.name,
                attempted_at=reading.attempted_at,
                succeeded_at=None if reading.error else datetime.now(UTC),
                read_at=None if reading.error else read_at,
                rows=reading.rows.get(table, 0),
                watermark=datetime.fromisoformat(text) if text else None,
                error=reading.error,
                is_full=self.request.full,
                requests=cost.requests,
                points=cost.points,
                waited=cost.waited,
                received=cost.received,
                budget_left=client.remaining if client else None,
                budget_share=client.share_left if client else None,
            )


class _Refresh(_Pass):
    """One run of ``load``."""

    def __init__(
        self,
        entry: SourceEntry,
        pipeline: dlt.Pipeline,
        request: RefreshRequest,
        on_progress: Callable[[str], None] | None,
        missing: dict[str, pa.Table],
    ) -> None:
        remembered = _scopes_of(entry, pipeline.state)
        super().__init__(entry, request, _Warehouse(entry, pipeline, missing), remembered, on_progress)
        self.pipeline = pipeline
        self.missing = missing

    def on_wait(self, client: Client, wait: Wait) -> None:
        del client
        self.say(wait.reason)

    def is_enough(self, size: int, seconds: float) -> bool:
        return size >= BATCH_ROWS or (size > 0 and seconds >= BATCH_SECONDS)

    def flush(self, readings: Iterable[_Reading], now: datetime) -> None:
        """Load what is pending of these scopes, in one load with their marks."""
        batches, scopes = self.pending(readings, now)
        if not batches and not scopes and not self.missing:
            return
        # The first load makes all tables: one of its own for that would take as long again.
        content = {**self.missing, **{name: pa.concat_tables(parts) for name, parts in batches.items()}}
        # State is saved by a resource: where only a mark moved, by one without rows.
        if not content:
            name, table = next(iter(self.entry.tables.items()))
            content = {name: table.arrow([])}
        with self.known.closed(), _loading(self.pipeline):
            remembered = redacted_json(copy.deepcopy(scopes))  # ids are an API's words, too
            self.pipeline.run(self.entry.source(content, remembered), loader_file_format="parquet")
            self.missing.clear()


class _SomethingNewError(Exception):
    """A look has found something to load."""


class _Look(_Pass):
    """One run of ``look``."""

    def on_wait(self, client: Client, wait: Wait) -> None:
        del wait
        client.cancel()

    def is_enough(self, size: int, seconds: float) -> bool:
        del size, seconds  # each chunk by itself, so that the first news end it
        return True

    def flush(self, readings: Iterable[_Reading], now: datetime) -> None:
        if any(self.pending(readings, now)):
            raise _SomethingNewError


def _scopes_of(entry: SourceEntry, state: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What the state of the source's pipeline remembers of each scope."""
    scopes: dict[str, dict[str, Any]] = (state.get("sources") or {}).get(entry.name, {}).get(_SCOPES, {})
    return scopes


def load(
    entry: SourceEntry,
    settings: Settings,
    pipeline: dlt.Pipeline,
    request: RefreshRequest,
    on_progress: Callable[[str], None] | None = None,
) -> Iterator[Outcome]:
    """Refresh one source: read its scopes concurrently, load them batch by batch.

    A scope that fails does not stop the others; a source that cannot be read at all gives its outcomes
    for scope ``*``; one that is not configured gets its empty tables and has no outcome. Closing the
    iterator early ends the threads; what was loaded stays.

    Args:
        pipeline: named ``veelocity_<source>``, into ``entry.dataset``. It goes on from the warehouse's state.
        on_progress: told, from any thread, what is going on; one short sentence each time.

    Yields:
        One outcome per table and scope, as scopes end.

    Raises:
        LoadError: the warehouse does not take the rows.
    """
    attempted_at = datetime.now(UTC)
    missing = _go_on(entry, pipeline)
    if missing.keys() != entry.tables.keys() or not entry.is_configured(settings):
        _make(entry, pipeline, missing)
        missing = {}
    if not entry.is_configured(settings):
        return
    yield from _read(_Refresh(entry, pipeline, request, on_progress, missing), settings, attempted_at)


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
    with connect(home) as connection:
        remembered = _remembered(entry, connection)
        if remembered is None:
            return None
        if not entry.is_configured(settings):
            return []
        outcomes: list[Outcome] = []
        seen = _Look(entry, request, _OpenFile(entry, connection), remembered, on_progress)
        with (
            contextlib.closing(_read(seen, settings, attempted_at)) as reading,
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


def _remembered(entry: SourceEntry, connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, Any]] | None:
    """What the last load saved of each scope, without dlt; None where a table is to be made, or only dlt can tell.

    The newest state whose load ended well is the one that dlt goes on from.
    """
    columns: dict[str, set[str]] = {}
    for table, column in connection.execute(
        "select table_name, column_name from duckdb_columns() where schema_name = ?", [entry.dataset]
    ).fetchall():
        columns.setdefault(table, set()).add(column)
    if not all(set(table.schema.names) <= columns.get(name, set()) for name, table in entry.tables.items()):
        return None
    found = connection.execute(
        f"""select engine_version, state from {entry.dataset}._dlt_pipeline_state as saved
            inner join {entry.dataset}._dlt_loads as loads on loads.load_id = saved._dlt_load_id
            where pipeline_name = ? and loads.status = 0 order by loads.load_id desc limit 1""",
        [_pipeline_name(entry)],
    ).fetchall()
    if not found or found[0][0] != _STATE_VERSION:
        return None
    return _scopes_of(entry, orjson.loads(zlib.decompress(base64.b64decode(found[0][1]))))


def _read(refresh: _Pass, settings: Settings, attempted_at: datetime) -> Generator[Outcome, None, None]:
    """Read a source's scopes concurrently, and flush what they give batch by batch."""
    entry, request = refresh.entry, refresh.request
    remembered = refresh.remembered
    connector: Connector | None = None
    shared = Usage()
    try:
        connector = entry.connector(settings)
        connector.say, connector.progress = refresh.say, refresh.progress
        client = connector.client
        client.on_wait = functools.partial(refresh.on_wait, client)
        with client.metered() as shared:
            found = connector.scopes(request)
            if not request.scopes:
                names = {scope_id: str(saved.get("name", "")) for scope_id, saved in remembered.items()}
                found = [*found, *connector.vanished(names, found)]
    except Exception as error:
        if connector is not None:
            connector.client.close()
        said = str(error)
        if isinstance(error, SourceError):
            refresh.failure = error
        else:  # an answer in which something is missing, or is of another kind
            _log.exception("finding out what to read of %s failed", entry.title)
            said = f"Unexpected {type(error).__name__} while finding out what to read of {entry.title}; see the log."
        refresh.flush((), attempted_at)  # the tables are there all the same, so that the others' models are built
        nothing = _Reading(Scope("*", "*"), {}, None, attempted_at, usage=shared, error=said)
        yield from refresh.outcomes(nothing, None)
        return

    ids = {saved.get("name", "").casefold(): scope_id for scope_id, saved in remembered.items()}
    readings: list[_Reading] = []
    for item in found:
        if isinstance(item, ScopeFailure):
            scope = Scope(ids.get(item.name.casefold(), item.name), item.name, item.configured_as)
            failed = _Reading(scope, {}, None, attempted_at, usage=shared, error=item.error)
            shared = Usage()  # what finding the scopes cost is told once, with the first of them
            yield from refresh.outcomes(failed, None)
        else:
            saved = remembered.get(item.id)
            readings.append(_Reading(item, copy.deepcopy((saved or {}).get("mark") or {}), saved, attempted_at))

    connector.begin({reading.scope.id: reading.mark for reading in readings})
    if not readings:
        refresh.flush((), attempted_at)
    thresholds = gc.get_threshold()
    gc.set_threshold(*COLLECTED_AFTER)
    pool = ThreadPoolExecutor(max_workers=settings.concurrency, thread_name_prefix=f"read-{entry.name}")
    try:
        # the largest first, so that none of them is left alone at the end
        for reading in sorted(readings, key=lambda each: -each.scope.size):
            pool.submit(refresh.read, connector, reading)
        for ended in _batches(refresh, len(readings), client):
            for reading in ended:
                reading.usage.add(shared)
                shared = Usage()
                count = sum(reading.rows.values())
                refresh.say(f"{reading.scope.name}: {reading.error or (f'{count:,} rows' if count else 'nothing new')}")
                yield from refresh.outcomes(reading, client.server_date, client)
    finally:
        gc.set_threshold(*thresholds)
        refresh.stopped.set()
        client.cancel()
        pool.shutdown(wait=True, cancel_futures=True)
        with refresh.known.closed():
            client.close()


def _batches(refresh: _Pass, count: int, client: Client) -> Iterator[list[_Reading]]:
    """Take chunks off the queue and load them; yields the scopes that are at their end and loaded."""
    ended: list[_Reading] = []
    waiting: dict[str, _Reading] = {}
    size, since, left = 0, time.monotonic(), count
    while left:
        try:
            reading, chunk = refresh.queue.get(timeout=1.0)
        except queue.Empty:
            chunk, reading = None, None
        refresh.tell_progress()
        if reading is not None:
            waiting[reading.scope.id] = reading
            if chunk is None:
                ended.append(reading)
                left -= 1
            else:
                reading.pending.add(chunk, refresh.entry.tables)
                size += chunk.size
        if left == 0 or refresh.is_enough(size, time.monotonic() - since):
            refresh.flush(waiting.values(), client.server_date or datetime.now(UTC))
            yield ended
            waiting, ended, size, since = {}, [], 0, time.monotonic()
