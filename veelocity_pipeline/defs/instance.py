"""Dagster's storage of runs, events and schedules: reached, brought to this version's schema, kept small."""

from __future__ import annotations

import contextlib
import logging
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import sqlalchemy as sa
from alembic.util import CommandError
from pydantic import SecretStr
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from veelocity_pipeline.config.settings import SettingsError
from veelocity_pipeline.defs.history import EventHistory, SqliteEvents
from veelocity_pipeline.safety.files import WarehouseError

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
    except Exception as error:
        if not isinstance(error, DBAPIError) and type(error).__name__ != "DagsterPostgresException":
            raise
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


KEPT_RUNS = 100
"""The newest runs stay, however old they are."""

_FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


THINNED_AFTER = timedelta(days=1)
"""When a run that succeeded has been read by whoever wants to know what it was going to do."""


def prune_history(instance: dg.DagsterInstance, days: int, *, most: int | None = 50) -> int:
    """Delete runs that ended more than some days ago, with their events and captured output; thin those of a day ago.

    The newest hundred stay, and each run that an asset's last materialization is of: what the asset's page shows, and
    what its freshness is measured from.

    Args:
        days: how long a run is kept.
        most: how many are deleted at once, the oldest first; None for all.

    Returns:
        how many were deleted.
    """
    before = datetime.now(UTC) - timedelta(days=days)
    newest = instance.get_run_records(limit=KEPT_RUNS)
    gone: list[str] = []
    if len(newest) == KEPT_RUNS:
        spared = _runs_of_last_materializations(instance)
        old = instance.get_run_records(
            dg.RunsFilter(statuses=_FINISHED, created_before=min(before, newest[-1].create_timestamp)),
            limit=None if most is None else most + len(spared),
            ascending=True,
        )
        gone = [run_id for record in old if (run_id := record.dagster_run.run_id) not in spared][:most]
        for run_id in gone:
            instance.delete_run(run_id)
    _delete_output(instance, set(gone), before)
    storage = instance.event_log_storage
    if isinstance(storage, EventHistory):  # not where another dagster.yaml than ours is in force
        storage.delete_runless_events(before)
        _thin_runs(instance, storage, most)
    if isinstance(storage, SqliteEvents):
        for run_id in _of(instance, storage.runs_with_logs(), _FINISHED):
            storage.empty_log(run_id)
        old_files = storage.runs_not_written_since(before)
        for run_id in set(old_files) - set(_of(instance, old_files)):  # a deletion was cut off
            storage.delete_events(run_id)
    return len(gone)


def _runs_of_last_materializations(instance: dg.DagsterInstance) -> set[str]:
    entries = (record.asset_entry for record in instance.get_asset_records())
    return {last.run_id for entry in entries if (last := entry.last_materialization_record) is not None}


def _delete_output(instance: dg.DagsterInstance, deleted: set[str], before: datetime) -> None:
    """Delete captured output of runs that are deleted or old."""
    for folder in Path(instance.storage_directory()).glob("*"):
        if folder.is_dir() and (folder.name in deleted or folder.stat().st_mtime < before.timestamp()):
            shutil.rmtree(folder, ignore_errors=True)


def _thin_runs(instance: dg.DagsterInstance, storage: EventHistory, most: int | None) -> None:
    """Take from runs that succeeded a day ago what tells nothing more: what they were going to do, and every output.

    Failed runs keep all.
    """
    until = datetime.now(UTC) - THINNED_AFTER
    for run_id in _of(instance, storage.runs_to_thin(), [dg.DagsterRunStatus.SUCCESS], until)[:most]:
        storage.thin(run_id)


def _of(
    instance: dg.DagsterInstance,
    run_ids: list[str],
    statuses: list[dg.DagsterRunStatus] | None = None,
    before: datetime | None = None,
) -> list[str]:
    """Return those of the runs that are there and ended so, the oldest first."""
    if not run_ids:
        return []
    filters = dg.RunsFilter(run_ids=run_ids, statuses=statuses, created_before=before)
    return [record.dagster_run.run_id for record in instance.get_run_records(filters, ascending=True)]
