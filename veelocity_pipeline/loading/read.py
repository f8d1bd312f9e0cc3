"""From what a connector reads to rows in the warehouse, and the marks that say how far it got.

A connector yields chunks; a chunk's rows and the mark that stands for them are saved by the same dlt
load, so neither can be there without the other. Scopes (repositories, teams) are read concurrently
and loaded one batch at a time, in the caller's thread: the warehouse has one writer.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import gc
import logging
import queue
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from veelocity_pipeline.config.connections import qualified
from veelocity_pipeline.loading.dlt import go_on, loading, make_tables, scopes_of, source_of
from veelocity_pipeline.loading.known import Stored, Warehouse
from veelocity_pipeline.loading.pending import Pending, Reading
from veelocity_pipeline.safety.foreign import sentence
from veelocity_pipeline.safety.redaction import redacted_json
from veelocity_pipeline.sources.kit.connector import (
    Chunk,
    Connector,
    Outcome,
    Progress,
    RefreshRequest,
    Scope,
    ScopeFailure,
    SourceEntry,
)
from veelocity_pipeline.sources.kit.http.client import Client
from veelocity_pipeline.sources.kit.http.errors import BadAnswerError, CancelledError, SourceError
from veelocity_pipeline.sources.kit.http.usage import Usage, Wait
from veelocity_pipeline.sources.kit.skips import example

if TYPE_CHECKING:
    import dlt

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


class Pass(ABC):
    """One pass over all that there is to read.

    Attributes:
        connection: whose rows are read; empty for the vendor's own.
        remembered: what the last load saved of each scope.
        failure: why nothing of the source can be read.
    """

    failure: SourceError | None = None

    def __init__(
        self,
        entry: SourceEntry,
        connection: str,
        request: RefreshRequest,
        known: Stored,
        remembered: dict[str, dict[str, Any]],
        on_progress: Callable[[str], None] | None,
    ) -> None:
        self.entry = entry
        self.connection = connection
        self.request = request
        self.known = known
        self.remembered = remembered
        self.stopped = threading.Event()
        self._on_progress = on_progress
        self._saying = threading.Lock()
        self._under_way: dict[str, tuple[str, Progress]] = {}
        self._told_at = time.monotonic()
        self.queue: queue.Queue[tuple[Reading, Chunk | None]] = queue.Queue(maxsize=16)

    def say(self, text: str) -> None:
        if self._on_progress:
            with self._saying:
                of = f" ({self.connection})" if self.connection else ""
                self._on_progress(sentence(f"{self.entry.title}{of}: {text}"))

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

    def read(self, connector: Connector, reading: Reading) -> None:
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

    def _put(self, reading: Reading, chunk: Chunk | None) -> None:
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
    def flush(self, readings: Iterable[Reading], now: datetime) -> None:
        """Do with what is pending of these scopes what this pass is for."""

    def pending(
        self, readings: Iterable[Reading], now: datetime
    ) -> tuple[dict[str, list[pa.Table]], dict[str, dict[str, Any]]]:
        """What is to be loaded of these scopes: rows by table, and what to remember of each scope where it is new."""
        batches: dict[str, list[pa.Table]] = {}
        scopes: dict[str, dict[str, Any]] = {}
        for reading in readings:
            pending, reading.pending = reading.pending, Pending()
            if reading.is_spoilt:
                continue
            self._mark_gone(reading, pending, now)
            try:
                arrow = pending.arrow(self.entry.tables, self.connection)
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

    def _mark_gone(self, reading: Reading, pending: Pending, now: datetime) -> None:
        """Add the rows that a complete listing no longer has, with the time when that was seen."""
        for name, ids in pending.listed.items():
            table = self.entry.tables[name]
            for row in self.known.rows(name, table.columns, reading.scope.id, "deleted_at is null"):
                if row[table.primary_key[0]] not in ids:
                    key = tuple(row[column] for column in table.primary_key)
                    pending.rows.setdefault(name, {})[key] = {**row, "deleted_at": now}

    def outcomes(self, reading: Reading, read_at: datetime | None, client: Client | None = None) -> Iterator[Outcome]:
        watermarks = reading.mark.get("watermarks") or {}
        skipped = reading.mark.get("skipped") or {}
        nothing = Usage()
        for number, table in enumerate(self.entry.tables):
            lost = skipped.get(table) or {}
            text = watermarks.get(table)
            cost = reading.usage if number == 0 else nothing
            yield Outcome(
                source=self.entry.name,
                table=table,
                scope_id=qualified(self.connection, reading.scope.id),
                scope_name=qualified(self.connection, reading.scope.name),
                connection=self.connection or self.entry.vendor,
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
                skipped=len(lost),
                skipped_example=example(lost) if lost else None,
            )


class _Refresh(Pass):
    """One run of ``load``."""

    def __init__(
        self,
        entry: SourceEntry,
        connection: str,
        pipeline: dlt.Pipeline,
        request: RefreshRequest,
        on_progress: Callable[[str], None] | None,
        missing: dict[str, pa.Table],
    ) -> None:
        remembered = scopes_of(entry, pipeline.state)
        known = Warehouse(entry, connection, pipeline, missing)
        super().__init__(entry, connection, request, known, remembered, on_progress)
        self.pipeline = pipeline
        self.missing = missing

    def on_wait(self, client: Client, wait: Wait) -> None:
        del client
        self.say(wait.reason)

    def is_enough(self, size: int, seconds: float) -> bool:
        return size >= BATCH_ROWS or (size > 0 and seconds >= BATCH_SECONDS)

    def flush(self, readings: Iterable[Reading], now: datetime) -> None:
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
        with self.known.closed(), loading(self.pipeline):
            remembered = redacted_json(copy.deepcopy(scopes))  # ids are an API's words, too
            self.pipeline.run(source_of(self.entry, content, remembered), loader_file_format="parquet")
            self.missing.clear()


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
        settings: of one connection (``Settings.connected``).
        pipeline: of that connection. It goes on from the warehouse's state.
        on_progress: told, from any thread, what is going on; one short sentence each time.

    Yields:
        One outcome per table and scope, as scopes end.

    Raises:
        LoadError: the warehouse does not take the rows.
    """
    attempted_at = datetime.now(UTC)
    missing = go_on(entry, pipeline)
    if entry.name in pipeline.schemas or not entry.is_configured(settings):
        make_tables(entry, pipeline, missing)
        missing = {}
    if not entry.is_configured(settings):
        return
    refresh = _Refresh(entry, settings.connection, pipeline, request, on_progress, missing)
    yield from read(refresh, settings, attempted_at)


def read(refresh: Pass, settings: Settings, attempted_at: datetime) -> Generator[Outcome, None, None]:
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
        nothing = Reading(Scope("*", "*"), {}, None, attempted_at, usage=shared, error=said)
        yield from refresh.outcomes(nothing, None)
        return

    ids = {saved.get("name", "").casefold(): scope_id for scope_id, saved in remembered.items()}
    readings: list[Reading] = []
    for item in found:
        if isinstance(item, ScopeFailure):
            scope = Scope(ids.get(item.name.casefold(), item.name), item.name, item.configured_as)
            failed = Reading(scope, {}, None, attempted_at, usage=shared, error=item.error)
            shared = Usage()  # what finding the scopes cost is told once, with the first of them
            yield from refresh.outcomes(failed, None)
        else:
            saved = remembered.get(item.id)
            readings.append(Reading(item, copy.deepcopy((saved or {}).get("mark") or {}), saved, attempted_at))

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
                for table, lost in (reading.mark.get("skipped") or {}).items():
                    named = table.replace("_", " ")
                    refresh.say(f"{reading.scope.name}: {len(lost):,} of the {named} skipped, e.g. {example(lost)}")
                yield from refresh.outcomes(reading, client.server_date, client)
        for notice in client.accounts.notices:
            refresh.say(notice)
    finally:
        gc.set_threshold(*thresholds)
        refresh.stopped.set()
        client.cancel()
        pool.shutdown(wait=True, cancel_futures=True)
        with refresh.known.closed():
            client.close()


def _batches(refresh: Pass, count: int, client: Client) -> Iterator[list[Reading]]:
    """Take chunks off the queue and load them; yields the scopes that are at their end and loaded."""
    ended: list[Reading] = []
    waiting: dict[str, Reading] = {}
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
