"""Dagster's run history in SQLite, without a wait for the disk at each of a run's thousands of events."""

import sqlite3
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

_kept_open: dict[str, sqlite3.Connection] = {}


def spare_the_disk() -> None:
    """Make every SQLite database that this process opens in WAL mode wait for the disk at checkpoints alone.

    Dagster opens and closes a connection for each event. Closing the last one of a file is a checkpoint, so one is
    kept open here; and with ``synchronous = normal`` a commit waits for nothing (SQLite's documentation of WAL: no
    crash of a program loses anything then, a power cut may take the last events of the history, and harms nothing).
    """
    if not event.contains(Engine, "connect", _on_connect):
        event.listen(Engine, "connect", _on_connect)


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
