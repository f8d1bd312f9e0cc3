"""Dagster's storage of runs, events and schedules: reached, brought to this version's schema, kept small."""

from __future__ import annotations

import contextlib
import logging
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import sqlalchemy as sa
from alembic.util import CommandError
from dagster._core.instance import RUNLESS_RUN_ID
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log import SqlEventLogStorage, SqliteEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable
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

_PLANS = ("ASSET_MATERIALIZATION_PLANNED", "ASSET_CHECK_EVALUATION_PLANNED")
_SAID_BESIDE = ("STEP_OUTPUT",)
"""That a step yielded an output, beside the event that tells which asset or check it was."""
_SAID_TWICE = ("ASSET_CHECK_EVALUATION",)
"""In SQLite also in the run's own file and in the table of checks, which are what the UI asks."""


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
        _delete_runs(instance, gone)
    _prune_events(instance, gone, before)
    _prune_files(instance, set(gone), before)
    _thin_runs(instance, most)
    return len(gone)


def _thin_runs(instance: dg.DagsterInstance, most: int | None) -> None:
    """Take from runs that succeeded a day ago what tells nothing more: what they were going to do, and every output.

    Of a run that found nothing new that is most of its events. A check that it did not come to is then again what it
    was found to be before. Failed runs keep all.
    """
    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        return
    checks, events = AssetCheckExecutionsTable.c, SqlEventLogStorageTable.c
    with storage.index_connection() as connection:
        planned = sa.select(events.run_id).distinct().where(events.dagster_event_type.in_(_PLANS))
        with_plans = [run_id for (run_id,) in connection.execute(planned)]
    if not with_plans:
        return
    of_success = dg.RunsFilter(
        run_ids=with_plans,
        statuses=[dg.DagsterRunStatus.SUCCESS],
        created_before=datetime.now(UTC) - THINNED_AFTER,
    )
    runs = [record.dagster_run.run_id for record in instance.get_run_records(of_success, limit=most, ascending=True)]
    for run_id in runs:
        kinds = [*_PLANS, *_SAID_BESIDE]
        if isinstance(storage, SqliteEventLogStorage):
            _thin_file(Path(storage.path_for_shard(run_id)))
            kinds += _SAID_TWICE
        with storage.index_connection() as connection:
            connection.execute(
                SqlEventLogStorageTable.delete().where(events.run_id == run_id, events.dagster_event_type.in_(kinds))
            )
            connection.execute(
                AssetCheckExecutionsTable.delete().where(
                    checks.run_id == run_id, checks.execution_status == AssetCheckExecutionRecordStatus.PLANNED.value
                )
            )


def _thin_file(file: Path) -> None:
    if not file.exists():
        return
    kinds = (*_PLANS, *_SAID_BESIDE)
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute(f"delete from event_logs where dagster_event_type in ({', '.join('?' * len(kinds))})", kinds)
        connection.commit()
        # somebody may be reading it: the room is then used by nothing, and no harm is done
        with contextlib.suppress(sqlite3.OperationalError):
            connection.execute("vacuum")
            connection.execute("pragma wal_checkpoint(truncate)")


def _delete_runs(instance: dg.DagsterInstance, gone: Sequence[str]) -> None:
    storage = instance.event_log_storage
    if not isinstance(storage, SqliteEventLogStorage):
        for run_id in gone:
            instance.delete_run(run_id)
        return
    # the library would empty each run's own file row by row; those go as a whole, with the other files
    for start in range(0, len(gone), 50):
        with storage.index_connection() as connection:
            for run_id in gone[start : start + 50]:
                storage.delete_events_for_run(connection, run_id)
    for run_id in gone:
        instance.run_storage.delete_run(run_id)


def _runs_of_last_materializations(instance: dg.DagsterInstance) -> set[str]:
    entries = (record.asset_entry for record in instance.get_asset_records())
    return {last.run_id for entry in entries if (last := entry.last_materialization_record) is not None}


def _prune_events(instance: dg.DagsterInstance, gone: Sequence[str], before: datetime) -> None:
    """What ``delete_run`` leaves: evaluations of asset checks, and events that are of no run (an asset became stale).

    The last of each asset, check and kind stays.
    """
    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        return
    checks, events = AssetCheckExecutionsTable.c, SqlEventLogStorageTable.c
    newest_checks = sa.select(sa.func.max(checks.id)).group_by(checks.asset_key, checks.check_name)
    newest_events = (
        sa.select(sa.func.max(events.id))
        .where(events.run_id == RUNLESS_RUN_ID)
        .group_by(events.asset_key, events.dagster_event_type)
    )
    of_no_run = sa.and_(
        events.run_id == RUNLESS_RUN_ID,
        events.timestamp < before.replace(tzinfo=None),
        events.id.not_in(newest_events.scalar_subquery()),
    )
    with storage.index_connection() as connection:
        for start in range(0, len(gone), 500):
            connection.execute(
                AssetCheckExecutionsTable.delete().where(
                    checks.run_id.in_(gone[start : start + 500]), checks.id.not_in(newest_checks.scalar_subquery())
                )
            )
        connection.execute(SqlEventLogStorageTable.delete().where(of_no_run))
    if isinstance(storage, SqliteEventLogStorage) and Path(storage.path_for_shard(RUNLESS_RUN_ID)).exists():
        with storage.run_connection(RUNLESS_RUN_ID) as connection:
            connection.execute(SqlEventLogStorageTable.delete().where(of_no_run))


def _prune_files(instance: dg.DagsterInstance, gone: set[str], before: datetime) -> None:
    """Captured output of runs that are deleted or old; in SQLite also each run's own file, and finished runs' logs."""
    for folder in Path(instance.storage_directory()).glob("*"):
        if folder.is_dir() and (folder.name in gone or folder.stat().st_mtime < before.timestamp()):
            shutil.rmtree(folder, ignore_errors=True)
    storage = instance.event_log_storage
    if not isinstance(storage, SqliteEventLogStorage):
        return
    for run_id in gone:
        file = Path(storage.path_for_shard(run_id))
        for part in (file, file.with_name(file.name + "-wal"), file.with_name(file.name + "-shm")):
            part.unlink(missing_ok=True)
    # a process that ends leaves its write-ahead log, as large as the file itself
    logs = {
        path.name.removesuffix(".db-wal"): path for path in Path(storage.path_for_shard("")).parent.glob("*.db-wal")
    }
    finished = instance.get_run_records(dg.RunsFilter(run_ids=list(logs), statuses=_FINISHED)) if logs else []
    for record in finished:
        with (
            contextlib.suppress(sqlite3.OperationalError),
            contextlib.closing(sqlite3.connect(storage.path_for_shard(record.dagster_run.run_id))) as connection,
        ):
            connection.execute("pragma wal_checkpoint(truncate)")
