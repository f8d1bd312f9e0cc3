"""Dagster's storage of runs, events and schedules: reached, brought to this version's schema, kept small."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterator

import dagster as dg
import sqlalchemy as sa
from alembic.util import CommandError
from dagster_postgres.utils import DagsterPostgresException
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from veelocity_pipeline.settings import SettingsError
from veelocity_pipeline.warehouse import WarehouseError

log = logging.getLogger("veelocity")

CONNECT_SECONDS = 10
"""How long a start waits for PostgreSQL to answer."""

_MAKING = 0x7665656C
"""Key of PostgreSQL's advisory lock under which the tables are made: "veel"."""


class HistoryError(WarehouseError):
    """Dagster's history cannot be read or written; one sentence that names the cause and the cure."""


def reach_postgres(url: SecretStr) -> None:
    """Connect once, so that what is wrong with the address is said at the start and in one sentence.

    Raises:
        SettingsError: the server answers, and knows no such user, password or database.
        HistoryError: the server does not answer.
    """
    try:
        with _engine(url).connect():
            pass
    except SQLAlchemyError as error:
        said = _first_line(error)
        if any(part in said for part in ("authentication failed", "does not exist", "no password supplied")):
            raise SettingsError(f"DAGSTER_POSTGRES_URL: {said}") from None
        raise HistoryError(f"DAGSTER_POSTGRES_URL: {said}; is the server running, and can it be reached?") from None


def _engine(url: SecretStr) -> sa.Engine:
    return sa.create_engine(
        url.get_secret_value(),
        poolclass=sa.NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args={"connect_timeout": CONNECT_SECONDS},
    )


def _first_line(error: BaseException) -> str:
    """What the driver says, in one line; it names the server, the user and the database, never the password."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return lines[0] if lines else type(cause).__name__


@contextlib.contextmanager
def alone(url: SecretStr | None) -> Iterator[None]:
    """Hold PostgreSQL's own lock while the tables are made or changed, which several machines may begin at once."""
    if url is None:
        yield
        return
    with _engine(url).connect() as connection:
        connection.execute(sa.text("select pg_advisory_lock(:key)"), {"key": _MAKING})
        yield  # the lock ends with the connection


@contextlib.contextmanager
def explained_history() -> Iterator[None]:
    """Turn what PostgreSQL raises into one sentence.

    Raises:
        HistoryError: PostgreSQL went away, or refuses.
    """
    try:
        yield
    except (DBAPIError, DagsterPostgresException) as error:
        cause: BaseException = error
        while cause.__cause__ is not None and not isinstance(cause, DBAPIError):
            cause = cause.__cause__
        if isinstance(cause, DBAPIError) and isinstance(cause.orig, sqlite3.Error):
            raise
        raise HistoryError(
            f"Dagster's history cannot be written: {_first_line(cause)}; what was loaded and published is kept"
        ) from error


def bring_up_to_date(instance: dg.DagsterInstance) -> bool:
    """Make the tables, or change those of an earlier Dagster into this one's; False where there is nothing to do.

    Raises:
        HistoryError: they are of a later Dagster.
    """
    storages = (instance.run_storage, instance.event_log_storage, instance.schedule_storage)
    versions = [version for storage in storages if storage and (version := storage.alembic_version())]
    if all(current == newest for current, newest in versions):
        return False
    log.info("Bringing Dagster's history to the schema of this version")
    try:
        instance.upgrade()
    except CommandError as error:
        raise HistoryError(
            f"Dagster's history is of a later version than this program ({error}): go on with that version, or begin "
            "a new history (DAGSTER_POSTGRES_URL, or move the folder dagster/ away); the metrics do not need it"
        ) from None
    return True
