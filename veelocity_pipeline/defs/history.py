"""Dagster's run history, without a wait at each of a run's thousands of events: for the disk, or for a connection."""

import sqlite3
import threading
from typing import Any, ClassVar

import dagster as dg
from alembic.config import Config
from alembic.script import ScriptDirectory
from dagster._core.storage import sql
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import QueuePool

_kept_open: dict[str, sqlite3.Connection] = {}

_engines: dict[tuple[str, str], Engine] = {}
_making = threading.Lock()
_MOST_ENGINES = 16
"""A run knows three; the sensors look at a few of the last ones."""


def spare_the_disk() -> None:
    """Make every SQLite database that this process opens in WAL mode wait for the disk at checkpoints alone.

    Dagster opens and closes a connection for each event. Closing the last one of a file is a checkpoint, so one is
    kept open here; and with ``synchronous = normal`` a commit waits for nothing (SQLite's documentation of WAL: no
    crash of a program loses anything then, a power cut may take the last events of the history, and harms nothing).
    """
    if not event.contains(Engine, "connect", _on_connect):
        event.listen(Engine, "connect", _on_connect)
    # It makes an engine for each, too, which takes longer than to write the event; and for each new file it reads the
    # ninety revisions of its schema again.
    for storage in (sqlite_event_log, sqlite_run_storage):
        storage.create_engine = _engine  # type: ignore[attr-defined]
    sql.ScriptDirectory = _Revisions  # type: ignore[misc]


class _Revisions(ScriptDirectory):
    """Alembic's, read once from each place."""

    _read: ClassVar[dict[str | None, ScriptDirectory]] = {}

    @classmethod
    def from_config(cls, config: Config) -> ScriptDirectory:
        place = config.get_main_option("script_location")
        if place not in cls._read:
            cls._read[place] = ScriptDirectory.from_config(config)
        return cls._read[place]


def _engine(url: str, **arguments: Any) -> Engine:
    """As SQLAlchemy's ``create_engine``, one for each of the files that were opened lately."""
    key = (url, repr(sorted(arguments.items())))
    with _making:
        if key not in _engines:
            while len(_engines) >= _MOST_ENGINES:
                del _engines[next(iter(_engines))]
            _engines[key] = create_engine(url, **arguments)
        return _engines[key]


def _on_connect(connection: Any, _record: Any) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    [(mode,)] = connection.execute("pragma journal_mode").fetchall()
    if mode != "wal":
        return
    connection.execute("pragma synchronous = normal")
    file = str(connection.execute("pragma database_list").fetchall()[0][2])
    if file not in _kept_open:
        # of each file one, for as long as the process runs: a run knows three
        _kept_open[file] = sqlite3.connect(file, check_same_thread=False)
        _kept_open[file].execute("select count(*) from sqlite_master").fetchall()


def spare_the_server(instance: dg.DagsterInstance) -> None:
    """Keep the connection to PostgreSQL, where the history is there, from one event to the next.

    Dagster opens a new one for each, as the webserver does not: 7 ms instead of 0.4, half a minute of a run that builds
    all the models (measured on loopback in November 2026).
    """
    instance.optimize_for_webserver(statement_timeout=0, pool_recycle=3600, max_overflow=20)
    if not event.contains(QueuePool, "checkout", _on_checkout):
        event.listen(QueuePool, "checkout", _on_checkout)


def _on_checkout(connection: Any, _record: Any, _proxy: Any) -> None:
    """A server that was restarted since costs no event: the pool answers this error with a new connection."""
    if isinstance(connection, sqlite3.Connection):
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
    except connection.Error as error:
        raise DisconnectionError from error
