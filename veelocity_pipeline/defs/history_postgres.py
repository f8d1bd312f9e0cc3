"""Dagster's run history in PostgreSQL: its own storage, with connections that stay open and larger transactions."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg
from dagster_postgres import (
    DagsterPostgresStorage,
    PostgresEventLogStorage,
    PostgresRunStorage,
    PostgresScheduleStorage,
)
from dagster_postgres.utils import create_pg_engine, pg_url_from_config

from veelocity_pipeline.defs.history import EventHistory, revisions


class _Kept:
    """A storage that keeps its connection, and asks before each use whether the server still knows it.

    Dagster opens a new one for each event, as its webserver does not: 7 ms instead of 0.4, half a minute of a run that
    builds all the models (measured on loopback in November 2026).
    """

    postgres_url: str

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._engine = create_pg_engine(
            self.postgres_url,
            isolation_level="AUTOCOMMIT",
            pool_size=1,
            max_overflow=20,
            pool_recycle=3600,
            pool_pre_ping=True,
        )

    def alembic_version(self) -> Any:
        """Return the schema revision of the database, and the newest one."""
        with self._engine.connect() as connection:
            return revisions(connection)

    def dispose(self) -> None:
        """Close the connections."""
        super().dispose()  # type: ignore[misc]
        self._engine.dispose()


class PostgresEvents(_Kept, EventHistory, PostgresEventLogStorage):
    """Events of all runs in one table."""

    def __init__(self, postgres_url: str) -> None:
        self._entered = threading.local()
        super().__init__(postgres_url)

    def _connect(self) -> Any:
        joined = getattr(self._entered, "connection", None)
        return super()._connect() if joined is None else contextlib.nullcontext(joined)

    def store_event(self, event: dg.EventLogEntry) -> None:
        """Store an event as one transaction, of up to four statements; Dagster's own makes one of each."""
        with self._transaction():
            super().store_event(event)

    def store_event_batch(self, events: Sequence[dg.EventLogEntry]) -> None:
        """Store events, all of them or none."""
        with self._transaction():
            for event in events:
                super().store_event(event)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """Make one transaction of all that this thread writes meanwhile."""
        with self.index_transaction() as connection:
            self._entered.connection = connection
            try:
                yield
            finally:
                del self._entered.connection


class PostgresRuns(_Kept, PostgresRunStorage):
    """Runs and their tags."""


class PostgresSchedules(_Kept, PostgresScheduleStorage):
    """Schedules, sensors and their ticks."""


class PostgresHistory(DagsterPostgresStorage):
    """The history in a PostgreSQL database.

    Args:
        postgres_url: where it is, as libpq has it.
    """

    def __init__(self, postgres_url: str, inst_data: Any = None) -> None:
        # not its own, which would open Dagster's three storages
        super(DagsterPostgresStorage, self).__init__()  # type: ignore[no-untyped-call]
        self.postgres_url = postgres_url
        self.should_autocreate_tables = True
        self._inst_data = inst_data
        self._run_storage = PostgresRuns(postgres_url)
        self._event_log_storage = PostgresEvents(postgres_url)
        self._schedule_storage = PostgresSchedules(postgres_url)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> PostgresHistory:
        """Open the history that ``dagster.yaml`` names."""
        return cls(pg_url_from_config(config_value), inst_data)
