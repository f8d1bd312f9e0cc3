"""Dagster's run history: its own storage in SQLite files, with connections that stay open and larger transactions.

``dagster.yaml`` names :class:`SqliteHistory` (``storage: custom``), so every process that opens the history uses it.
Files and tables are those of Dagster's default storage: either goes on with what the other wrote.

Nothing else knows how Dagster stores: only this module imports that from ``dagster._core``. Dagster exports none of its
storage classes, and ``storage: custom`` is meant for subclasses of them. No name inside Dagster is replaced. See
docs/decisions/dagster-history.md.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS, EVENT_TYPE_TO_PIPELINE_RUN_STATUS
from dagster._core.instance import RUNLESS_RUN_ID
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log import SqlEventLogStorage, SqliteEventLogStorage
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    SqlEventLogStorageMetadata,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._core.storage.sql import AlembicVersion, get_alembic_config
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS, create_db_conn_string
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from watchdog.events import FileSystemEvent
from watchdog.observers import Observer

INDEX = "index"
"""The file that holds what is asked across runs."""

MOST_OPEN = 16
"""Files whose connection stays open. A run writes two; the UI and the sensors look at a few of the last runs."""

_BATCH = "1000"
"""Events that Dagster hands over at once, of those that a run announces; it announces about five hundred."""

_INDEXED = frozenset((*ASSET_EVENTS, *ASSET_CHECK_EVENTS, *EVENT_TYPE_TO_PIPELINE_RUN_STATUS))
"""What the index repeats of a run's own file."""

_THINNED = (
    "ASSET_MATERIALIZATION_PLANNED",
    "ASSET_CHECK_EVALUATION_PLANNED",
    "STEP_OUTPUT",  # beside it stands the event that tells which asset or check it was
)


_later = AssetCheckExecutionsTable.alias("later")
_OLD_EVALUATIONS = AssetCheckExecutionsTable.delete().where(
    AssetCheckExecutionsTable.c.run_id == sa.bindparam("run"),
    sa.exists().where(
        _later.c.asset_key == AssetCheckExecutionsTable.c.asset_key,
        _later.c.check_name == AssetCheckExecutionsTable.c.check_name,
        _later.c.id > AssetCheckExecutionsTable.c.id,
    ),
)
"""Deletes what a run found in checks that were made again since."""


@cache
def _revisions() -> ScriptDirectory:
    """Dagster's ninety schema revisions, which all of its storages share; read once, not for every file."""
    return ScriptDirectory.from_config(get_alembic_config(str(sqlite_event_log.__file__)))


def revisions(connection: sa.Connection) -> AlembicVersion:
    """Return the schema revision of a database, None where it has no tables, and the newest one."""
    return _revision(connection), _revisions().as_revision_number("head")


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


class EventHistory(SqlEventLogStorage):
    """What a storage of events does beside Dagster's own, in SQLite and in PostgreSQL.

    Attributes:
        REPEATED: kinds of events that are in the index and nowhere asked for there.
    """

    REPEATED: tuple[str, ...] = ()

    def __init__(self, *arguments: Any, **named: Any) -> None:
        # without it Dagster hands over one by one what a run announces
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", _BATCH)
        super().__init__(*arguments, **named)  # type: ignore[no-untyped-call]

    def delete_events(self, run_id: str) -> None:
        """Delete a run's events, and its evaluations of all checks that were made again since."""
        super().delete_events(run_id)
        self._delete_evaluations(run_id)

    def _delete_evaluations(self, run_id: str) -> None:
        with self.index_connection() as connection:
            connection.execute(_OLD_EVALUATIONS, {"run": run_id})

    def delete_runless_events(self, before: datetime) -> None:
        """Delete what happened outside runs (an asset became stale); the last of each asset and kind stays."""
        with self.index_connection() as connection:
            connection.execute(_old_runless_events(before))

    def runs_to_thin(self) -> list[str]:
        """Return the ids of runs that still have what :meth:`thin` deletes."""
        events = SqlEventLogStorageTable.c
        kinds = (*_THINNED, *self.REPEATED)
        with self.index_connection() as connection:
            found = connection.execute(sa.select(events.run_id).distinct().where(events.dagster_event_type.in_(kinds)))
            return [run_id for (run_id,) in found]

    def thin(self, run_id: str) -> None:
        """Delete what a run was going to do, its notes of outputs, and what the index repeats of its checks.

        A check that the run did not come to is then what it was found to be before.
        """
        checks, events = AssetCheckExecutionsTable.c, SqlEventLogStorageTable.c
        kinds = (*_THINNED, *self.REPEATED)
        with self.index_connection() as connection:
            connection.execute(
                SqlEventLogStorageTable.delete().where(events.run_id == run_id, events.dagster_event_type.in_(kinds))
            )
            connection.execute(
                AssetCheckExecutionsTable.delete().where(
                    checks.run_id == run_id, checks.execution_status == AssetCheckExecutionRecordStatus.PLANNED.value
                )
            )


def _old_runless_events(before: datetime) -> sa.Delete:
    events = SqlEventLogStorageTable.c
    newest = (
        sa.select(sa.func.max(events.id))
        .where(events.run_id == RUNLESS_RUN_ID)
        .group_by(events.asset_key, events.dagster_event_type)
    )
    return SqlEventLogStorageTable.delete().where(
        events.run_id == RUNLESS_RUN_ID,
        events.timestamp < before.replace(tzinfo=None),
        events.id.not_in(newest.scalar_subquery()),
    )


# --------------------------------------------------------------------------------------------------- SQLite


def _engine(url: str) -> sa.Engine:
    """Return an engine of one file, which keeps its connections, and compiled statements, from use to use."""
    engine = sa.create_engine(url, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}, max_overflow=-1)
    sa.event.listen(engine, "connect", _spare_the_disk)
    return engine


def _spare_the_disk(connection: sqlite3.Connection, _record: Any) -> None:
    """Have a commit wait for the disk at checkpoints alone.

    SQLite's documentation of WAL: the crash of a program then loses nothing; a power cut may take the last events, and
    harms nothing.
    """
    [(mode,)] = connection.execute("pragma journal_mode").fetchall()
    if mode == "wal":
        connection.execute("pragma synchronous = normal")


class SqliteEvents(EventHistory, SqliteEventLogStorage):
    """Events in a file per run and an index of all runs.

    Dagster's own makes an engine and a connection for each event, which takes longer than to write it; closing the last
    connection of a file is a checkpoint.
    """

    REPEATED = ("ASSET_CHECK_EVALUATION",)  # read from the run's own file and from the table of checks

    _obs: Any
    _watchers: Any

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        self._lock = threading.RLock()
        self._open: dict[str, sa.Connection] = {}
        self._entered: set[str] = set()
        self._present: set[tuple[str, str]] = set()
        super().__init__(base_dir, inst_data)

    # ------------------------------------------------------------------------------------------ connections

    def run_connection(self, run_id: str | None = None) -> Any:
        """Give the connection of a run's file; inside another use of it, join its transaction."""
        return self._connection(run_id or RUNLESS_RUN_ID)

    def index_connection(self) -> Any:
        """Give the connection of the index; inside another use of it, join its transaction."""
        return self._connection(INDEX)

    @contextlib.contextmanager
    def _connection(self, shard: str) -> Iterator[sa.Connection]:
        with self._lock:
            connection = self._kept(shard)
            if shard in self._entered:  # by this thread: it alone has the lock
                yield connection
                return
            self._entered.add(shard)
            try:
                with connection.begin():
                    yield connection
            finally:
                self._entered.remove(shard)

    def _kept(self, shard: str) -> sa.Connection:
        connection = self._open.pop(shard, None)
        if connection is None:
            for other in [name for name in self._open if name not in self._entered][: 1 - MOST_OPEN]:
                self._let_go(other)
            connection = _engine(self.conn_string_for_shard(shard)).connect()
            _make(connection)
        self._open[shard] = connection  # the last is the one used last
        return connection

    def _let_go(self, shard: str) -> None:
        with self._lock:
            connection = self._open.pop(shard, None)
            if connection is not None:
                connection.close()
                connection.engine.dispose()

    # ---------------------------------------------------------------------------------------------- storing

    def store_event(self, event: dg.EventLogEntry) -> None:
        """Store an event, as one transaction in each of the two files that it concerns."""
        self.store_event_batch([event])

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        """Store events, all of them or none, in the rows that Dagster's own storage makes of them.

        That one makes up to three transactions of each, and has SQLAlchemy build each statement from the start.
        """
        rows = [self._event_to_row(event) for event in events]
        insert = SqlEventLogStorageTable.insert()
        indexed = [
            (event, row) for event, row in zip(events, rows, strict=True) if event.dagster_event_type in _INDEXED
        ]
        with contextlib.ExitStack() as stack:
            index: Any = stack.enter_context(self.index_connection()) if indexed else None  # committed last
            for run_id in dict.fromkeys(event.run_id for event in events):
                connection = stack.enter_context(self.run_connection(run_id))
                connection.execute(insert, [row for row in rows if row["run_id"] == run_id])
            for event, row in indexed:
                [event_id] = index.execute(insert, row).inserted_primary_key
                if event.dagster_event_type in ASSET_EVENTS:
                    self._store_asset_event_tags(index, [event], [event_id])
                    self._store_asset_event(index, event, event_id)
                elif event.dagster_event_type in ASSET_CHECK_EVENTS:
                    self.store_asset_check_event(event, event_id)

    # ----------------------------------------------------------------------------------------------------

    def dispose(self) -> None:
        """Close every file, which leaves no write-ahead log behind."""
        super().dispose()
        for shard in list(self._open):
            self._let_go(shard)

    # ------------------------------------------------------------------------------------------- the schema

    def alembic_version(self) -> AlembicVersion:
        """Return the schema revision of the index, and the newest one."""
        with self.index_connection() as connection:
            return revisions(connection)

    def has_table(self, table_name: str) -> bool:
        """Tell whether the index has a table."""
        return self._is_there("table", table_name, lambda connection: sa.inspect(connection).has_table(table_name))

    def has_secondary_index(self, name: str) -> bool:
        """Tell whether a migration of data was done."""
        known = super().has_secondary_index
        return self._is_there("migration", name, lambda _connection: known(name))

    def _has_asset_key_col_on_connection(self, _connection: sa.Connection, column_name: str) -> bool:
        known = super()._has_asset_key_col_on_connection
        return self._is_there("column", column_name, lambda connection: known(connection, column_name))

    def _is_there(self, kind: str, name: str, look: Callable[[sa.Connection], bool]) -> bool:
        """Look once: Dagster asks at each event, and what is there stays."""
        if (kind, name) not in self._present:
            with self.index_connection() as connection:
                if not look(connection):
                    return False
            self._present.add((kind, name))
        return True

    # --------------------------------------------------------------------------------------------- watching

    def watch(self, run_id: str, cursor: str | None, callback: Any) -> None:
        """Call back with each new event of a run, for the page that shows it."""
        if self._obs is None:
            self._obs = Observer()
            self._obs.start()
        watchdog = _Watchdog(self, run_id, callback, cursor)
        self._watchers[run_id][callback] = watchdog, self._obs.schedule(watchdog, self._base_dir, recursive=True)

    # --------------------------------------------------------------------------------------------- deletion

    def wipe(self) -> None:
        """Delete everything."""
        for shard in list(self._open):
            self._let_go(shard)
        super().wipe()

    def delete_events(self, run_id: str) -> None:
        """Delete a run's events, its file as a whole, and its evaluations of all checks that were made again since."""
        with self.index_connection() as connection:  # which the others join
            self.delete_events_for_run(connection, run_id)
            self._delete_evaluations(run_id)
            if self.supports_global_concurrency_limits:
                self.free_concurrency_slots_for_run(run_id)
        self._let_go(run_id)
        file = Path(self.path_for_shard(run_id))
        for part in (file, file.with_name(file.name + "-wal"), file.with_name(file.name + "-shm")):
            part.unlink(missing_ok=True)

    def delete_runless_events(self, before: datetime) -> None:
        """Delete what happened outside runs (an asset became stale); the last of each asset and kind stays."""
        super().delete_runless_events(before)
        if Path(self.path_for_shard(RUNLESS_RUN_ID)).exists():
            with self.run_connection(RUNLESS_RUN_ID) as connection:
                connection.execute(_old_runless_events(before))

    def thin(self, run_id: str) -> None:
        """Delete what a run was going to do, its notes of outputs, and what the index repeats of its checks."""
        self._let_go(run_id)
        file = Path(self.path_for_shard(run_id))
        if file.exists():
            marks = ", ".join("?" * len(_THINNED))
            with contextlib.closing(sqlite3.connect(file)) as connection:
                connection.execute(f"delete from event_logs where dagster_event_type in ({marks})", _THINNED)
                connection.commit()
                # somebody may be reading it: the room is then used by nothing, and no harm is done
                with contextlib.suppress(sqlite3.OperationalError):
                    connection.execute("vacuum")
                    connection.execute("pragma wal_checkpoint(truncate)")
        super().thin(run_id)

    def runs_not_written_since(self, moment: datetime) -> list[str]:
        """Return the ids of the runs whose file is older than that, whether Dagster still knows them or not."""
        files = Path(self.path_for_shard(INDEX)).parent.glob("?*.db")
        return [file.stem for file in files if file.stem != INDEX and file.stat().st_mtime < moment.timestamp()]

    def runs_with_logs(self) -> list[str]:
        """Return the ids of runs whose write-ahead log is still there: they go on, or their process was killed."""
        names = [path.name.removesuffix(".db-wal") for path in Path(self.path_for_shard(INDEX)).parent.glob("*.db-wal")]
        return [name for name in names if name not in (INDEX, RUNLESS_RUN_ID)]

    def empty_log(self, run_id: str) -> None:
        """Empty a run's write-ahead log, which may be as large as its file."""
        with (
            contextlib.suppress(sqlite3.OperationalError),
            contextlib.closing(sqlite3.connect(self.path_for_shard(run_id))) as connection,
        ):
            connection.execute("pragma wal_checkpoint(truncate)")


class _Watchdog(sqlite_event_log.SqliteEventLogStorageWatchdog):
    """Sees a run's write-ahead log change; the file itself does at a checkpoint, every four megabytes."""

    @property
    def patterns(self) -> list[str]:
        """Which files."""
        return [self._log_path, f"{self._log_path}-wal"]

    def on_modified(self, _event: FileSystemEvent) -> None:
        """Read what is new."""
        self._process_log()


def _make(connection: sa.Connection) -> None:
    """Make a file's tables where it has none: as Dagster does, but at once, for another process may be about to."""
    if _revision(connection) is None:
        connection.rollback()
        connection.exec_driver_sql("pragma journal_mode = wal")
        connection.exec_driver_sql("pragma synchronous = normal")
        connection.exec_driver_sql("begin immediate")
        if _revision(connection) is None:
            SqlEventLogStorageMetadata.create_all(connection)
            MigrationContext.configure(connection).stamp(_revisions(), "head")
    connection.commit()


def _has_tables(connection: sa.Connection) -> bool:
    return revisions(connection)[0] is not None


class _OneFile:
    """A storage that is one file, whose engine is made once."""

    FILE: str
    TABLES: frozenset[str]

    def __init__(self, conn_string: str, inst_data: Any = None) -> None:
        self._engine = _engine(conn_string)
        super().__init__(conn_string, inst_data)  # type: ignore[call-arg]

    @classmethod
    def from_local(cls, base_dir: str, inst_data: Any = None) -> Any:
        """Open the file in a folder; only where something is missing, have Dagster look at all its revisions."""
        if Path(base_dir, f"{cls.FILE}.db").exists():
            storage = cls(create_db_conn_string(base_dir, cls.FILE), inst_data)
            with storage.connect() as connection:
                if _revision(connection) and cls.TABLES.issubset(sa.inspect(connection).get_table_names()):
                    return storage
        return super().from_local(base_dir, inst_data)  # type: ignore[misc]

    @contextlib.contextmanager
    def connect(self) -> Iterator[sa.Connection]:
        """Give a connection in a transaction."""
        with self._engine.begin() as connection:
            yield connection

    def alembic_version(self) -> AlembicVersion:
        """Return the schema revision of the file, and the newest one."""
        with self.connect() as connection:
            return revisions(connection)

    def dispose(self) -> None:
        """Close the file."""
        self._engine.dispose()
        super().dispose()  # type: ignore[misc]


class SqliteRuns(_OneFile, SqliteRunStorage):
    """Runs and their tags."""

    FILE = "runs"
    TABLES = frozenset({"runs", "instance_info"})


class SqliteSchedules(_OneFile, SqliteScheduleStorage):
    """Schedules, sensors and their ticks."""

    FILE = "schedules"
    TABLES = frozenset({"job_ticks"})


class SqliteHistory(DagsterSqliteStorage):
    """The history in SQLite files below a folder, where Dagster has them by default.

    Args:
        base_dir: Dagster's home.
    """

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        # not its own, which would open Dagster's three storages
        super(DagsterSqliteStorage, self).__init__()  # type: ignore[no-untyped-call]
        self.base_dir = base_dir
        self._inst_data = inst_data
        history = Path(base_dir) / "history"
        self._run_storage = SqliteRuns.from_local(str(history))
        self._event_log_storage = SqliteEvents(str(history / "runs"))
        self._schedule_storage = SqliteSchedules.from_local(str(Path(base_dir) / "schedules"))

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> SqliteHistory:
        """Open the history that ``dagster.yaml`` names."""
        return cls.from_local(inst_data=inst_data, **config_value)
