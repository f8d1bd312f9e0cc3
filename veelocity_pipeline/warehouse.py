"""The files under ``VEELOCITY_HOME``: who may write them, and how a build becomes what people read.

The only module that opens DuckDB from Python. One process at a time writes (:func:`writing`); readers open a
published copy, which is replaced in one step (:func:`publish`).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from .files import (
    HomeError,
    WarehouseError,
    check_folder,
    claim_folder,
    copy_file,
    create_text,
    keep_private,
    make_folder,
    open_text,
    refuse_link,
    replace_file,
    staging,
    user_name,
)

if TYPE_CHECKING:
    from .settings import Settings

DEMO = "VEELOCITY_DEMO"
"""Set by `veelocity demo` alone, for its own process: what it loads is simulated and stays apart from real data."""

PUBLIC_SCHEMA = "marts"
READERS_FORMAT = "v1.2.0"
"""Storage version of the published file: the oldest DuckDB that must be able to open it is 1.2."""

PUBLIC_TYPES = frozenset({"VARCHAR", "BIGINT", "INTEGER", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP"})

SYNC_STATUS = pa.schema(
    {
        "source": pa.string(),
        "table_name": pa.string(),
        "repository": pa.string(),
        "source_key": pa.string(),
        "attempted_at": pa.timestamp("us", tz="UTC"),
        "succeeded_at": pa.timestamp("us", tz="UTC"),
        "read_at": pa.timestamp("us", tz="UTC"),
        "rows": pa.int64(),
        "watermark": pa.timestamp("us", tz="UTC"),
        "error": pa.string(),
        "is_full": pa.bool_(),
        "requests": pa.int64(),
        "points": pa.int64(),
        "waited_seconds": pa.float64(),
        "bytes_received": pa.int64(),
        "budget_left": pa.int64(),
    }
)
"""Columns of ``operations.sync_status``: one row per source, table and repository, as of its last attempt."""


@dataclass(frozen=True)
class Home:
    """The folder for everything that the program writes, and the names in it.

    Attributes:
        is_shared: it is taken as it is, even where others may write it.
    """

    path: Path
    is_shared: bool = False

    @classmethod
    def of(cls, settings: Settings) -> Home:
        """Return the folder that the settings name."""
        return cls(settings.home, settings.allow_shared_folders)

    @property
    def published(self) -> Path:
        """The marts that people, BI tools and the report read."""
        return self.path / "veelocity.duckdb"

    @property
    def working(self) -> Path:
        """Raw, config, staging, intermediate and marts: the pipeline's own."""
        return self.path / "warehouse.duckdb"

    @property
    def working_log(self) -> Path:
        """What DuckDB has written and not yet put into the working file; there while it is open, or after a kill."""
        return self.path / "warehouse.duckdb.wal"

    @property
    def lock(self) -> Path:
        """Held by the one process that writes."""
        return self.path / "warehouse.lock"

    @property
    def status(self) -> Path:
        """Every source's, table's and repository's last attempt, as JSON."""
        return self.path / "status.json"

    @property
    def dagster(self) -> Path:
        """Dagster's home: runs, events, schedules."""
        return self.path / "dagster"

    @property
    def dlt(self) -> Path:
        """dlt's pipelines folder. Their state lives in the warehouse; this may be deleted."""
        return self.path / "dlt"

    @property
    def dbt(self) -> Path:
        """dbt's target and logs."""
        return self.path / "dbt"

    @property
    def report(self) -> Path:
        """The report: one HTML file."""
        return self.path / "report" / "index.html"

    @property
    def log(self) -> Path:
        """What the pipeline says while it runs: one JSON object a line."""
        return self.path / "logs" / "veelocity.jsonl"

    @property
    def _demo_mark(self) -> Path:
        return self.path / ".demo"

    @property
    def is_demo(self) -> bool:
        """Whether what is in here is simulated."""
        return self._demo_mark.exists()

    def claim_for_demo(self) -> None:
        """Say that what is written here is simulated.

        Raises:
            WarehouseError: the folder holds real data, which simulated ones must not mix with.
        """
        self.make()
        if self.working.exists() and not self._demo_mark.exists():
            raise WarehouseError(
                f"{self.path} holds your own data; give the demo another folder: VEELOCITY_HOME=data/demo make demo"
            )
        open_text(self._demo_mark, "a").close()

    def clear_demo(self) -> bool:
        """Take the demo's data away, so that real ones never mix with them; False where there are none."""
        if not self._demo_mark.exists():
            return False
        for path in (self.working, self.working_log, self.published, self.status):
            path.unlink(missing_ok=True)
        self._demo_mark.unlink()
        return True

    def make(self) -> None:
        """Create the folder, for its owner alone to write, and see that nothing in it leads elsewhere.

        Raises:
            FolderError: the folder cannot be made or written, others may write it, or something in it is a link.
        """
        check_folder(self.path, "VEELOCITY_HOME", shared=self.is_shared)
        try:
            # others reach the published file; everything else is closed by its own mode
            make_folder(self.path, 0o755)
            if not os.access(self.path, os.W_OK | os.X_OK):
                raise PermissionError("it is not writable")
            for folder in (self.dagster, self.dlt, self.dbt, self.log.parent, self.report.parent):
                claim_folder(folder)
            _close_to_others(self)
        except OSError as error:
            raise HomeError(
                f"VEELOCITY_HOME: {self.path} cannot be used ({error}); name a folder you may write"
            ) from None


@contextlib.contextmanager
def writing(home: Home, purpose: str, waiting: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold the one right to write the warehouse; wait for it where another process has it.

    Args:
        home: whose warehouse.
        purpose: what for, to be told to whoever must wait.
        waiting: is told who holds it, once at the start and then every half minute.

    The lock is the system's (flock): it is free as soon as its holder ends, however it ends.
    """
    keep_private()
    home.make()
    with open_text(home.lock, "a+") as file:
        _acquire(file, waiting)
        try:
            file.truncate(0)
            file.write(
                json.dumps({"pid": os.getpid(), "user": user_name(), "purpose": purpose, "since": _now().isoformat()})
            )
            file.flush()
            yield
        finally:
            with contextlib.suppress(OSError):
                file.truncate(0)
            fcntl.flock(file, fcntl.LOCK_UN)


def _acquire(file: IO[str], waiting: Callable[[str], None] | None) -> None:
    told = 0.0
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting is not None and time.monotonic() - told > 30:
                told = time.monotonic()
                waiting(f"Waiting for the warehouse: {_holder(file)}.")
            time.sleep(0.2)
        else:
            return


def _holder(file: IO[str]) -> str:
    file.seek(0)
    try:
        holder = json.loads(file.read())
        who, since = f"process {holder['pid']} of {holder['user']}", holder["since"][:19]
        return f"{holder['purpose']} has it ({who}, since {since}Z)"
    except (ValueError, KeyError):
        return "another process has it"


@contextlib.contextmanager
def exclusively(lock: Path) -> Iterator[None]:
    """Hold a lock file for a short step that two processes must not do at once, such as making a folder's content."""
    make_folder(lock.parent)
    with open_text(lock, "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def alive(home: Home, run: str) -> Iterator[None]:
    """Show, for as long as the block runs, that a run's process lives; however it ends, that is over then.

    A run that waits for :func:`writing` lives too, which the lock on the warehouse cannot tell.
    """
    path = _life(home, run)
    claim_folder(path.parent)
    made = path.with_name(f".{run}")
    with create_text(made) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        made.replace(path)  # nobody sees it unlocked while the run lives
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def is_alive(home: Home, run: str) -> bool | None:
    """Whether a run's process lives; None where it has not shown itself yet, or has ended as it should."""
    try:
        with open_text(_life(home, run), "r") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return True
    return False


def forget_life(home: Home, run: str) -> None:
    """Clear away what a run left that was killed."""
    _life(home, run).unlink(missing_ok=True)


def _life(home: Home, run: str) -> Path:
    return home.dagster / "alive" / run


def _now() -> datetime:
    return datetime.now(UTC)


@contextlib.contextmanager
def connect(home: Home, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the working file, its clock in UTC.

    Raises:
        WarehouseError: another process has the file open, the disk is full, or it is not a DuckDB file.
    """
    _close_to_others(home)
    try:
        with duckdb.connect(home.working, read_only=read_only) as connection:
            connection.execute("set timezone = 'UTC'")
            yield connection
    except duckdb.Error as error:
        raise explained(home.working, error) from error
    finally:
        if not read_only:
            _close_to_others(home)


def _close_to_others(home: Home) -> None:
    """See that DuckDB, which opens the working file and its log by their names, follows no link there."""
    for file in (home.working, home.working_log):
        refuse_link(file)


def explained(path: Path, error: BaseException) -> BaseException:
    """What DuckDB's error means for the one who runs the program, where that is known; else the error itself."""
    text = str(error)
    if "Could not set lock" in text:
        holder = re.search(r"held in (.+?) \(PID (\d+)\)", text)
        who = f"{Path(holder[1]).name} (process {holder[2]})" if holder else "another program"
        return WarehouseError(
            f"{path} is open in {who}; close it there, and read {path.parent / 'veelocity.duckdb'} instead, "
            "which is never locked"
        )
    if "No space left" in text or "not enough space" in text.lower():
        return WarehouseError(f"{path}: the disk is full; make room and run again, nothing published was touched")
    if "CHECKPOINT during DETACH failed" in text:
        return WarehouseError(f"{path.parent}: the marts could not be copied for readers; is the disk full?")
    if "not a valid DuckDB database file" in text:
        return WarehouseError(f"{path} is not a DuckDB file; move it away and run again")
    return error


def write_tables(home: Home, schema: str, tables: Mapping[str, pa.Table]) -> dict[str, bool]:
    """Put small tables in the place of the earlier ones of a schema, in one transaction.

    Returns:
        for each table, whether it is other than it was.
    """
    changed = {}
    with connect(home) as connection:
        connection.execute("begin")
        connection.execute(f"create schema if not exists {schema}")
        for name, content in tables.items():
            changed[name] = _is_other(connection, schema, name, content)
            if changed[name]:
                connection.register("incoming", content)
                connection.execute(f"create or replace table {schema}.{name} as from incoming")
                connection.unregister("incoming")
        connection.execute("commit")
    return changed


def holds(home: Home, schema: str, tables: Mapping[str, pa.Table]) -> bool:
    """Whether these tables of a schema are there, with just these rows."""
    with connect(home) as connection:
        return not any(_is_other(connection, schema, name, content) for name, content in tables.items())


def _is_other(connection: duckdb.DuckDBPyConnection, schema: str, name: str, content: pa.Table) -> bool:
    """Whether a table is not there, or has other columns or rows."""
    [(columns,)] = connection.execute(
        "select count(*) from information_schema.columns where table_schema = ? and table_name = ?", [schema, name]
    ).fetchall()
    if columns != len(content.schema):
        return True
    connection.register("incoming", content)
    [(differs,)] = connection.execute(
        f"""select exists((from {schema}.{name} except all from incoming)
            union all (from incoming except all from {schema}.{name}))"""
    ).fetchall()
    connection.unregister("incoming")
    return bool(differs)


def was_ever_read(home: Home) -> bool:
    """Whether any repository or team was read completely, in this refresh or an earlier one."""
    with connect(home) as connection:
        [(count,)] = connection.execute(
            "select count(*) from operations.sync_status where read_at is not null"
        ).fetchall()
    return bool(count)


def last_build(home: Home) -> str | None:
    """The inputs of the build that is published now; None where nothing is, or its inputs are not known."""
    if not home.published.exists():
        return None
    with connect(home) as connection:
        connection.execute("create schema if not exists operations")
        connection.execute("create table if not exists operations.published (inputs varchar)")
        rows = connection.execute("select inputs from operations.published").fetchall()
    return rows[0][0] if rows else None


def remember_build(home: Home, inputs: str) -> None:
    """Say that what is published now was built from these inputs."""
    write_tables(home, "operations", {"published": pa.table({"inputs": [inputs]})})


def record_attempts(home: Home, attempts: Iterable[Mapping[str, Any]]) -> None:
    """Write what became of each table of each repository to ``operations.sync_status`` and ``status.json``.

    A failed attempt keeps what is known of the last success.
    """
    incoming = pa.Table.from_pylist([dict(attempt) for attempt in attempts], schema=SYNC_STATUS)
    keep = ("succeeded_at", "read_at", "watermark", "rows")
    with connect(home) as connection:
        connection.execute("begin")
        connection.execute("create schema if not exists operations")
        connection.register("incoming", incoming)
        connection.execute("create table if not exists operations.sync_status as from incoming limit 0")
        for name, kind in (("waited_seconds", "double"), ("bytes_received", "bigint")):  # an earlier version had none
            connection.execute(f"alter table operations.sync_status add column if not exists {name} {kind}")
        merged = ", ".join(
            f"case when incoming.error is null then incoming.{name} else earlier.{name} end as {name}"
            if name in keep
            else "coalesce(incoming.source_key, earlier.source_key) as source_key"
            if name == "source_key"
            else f"incoming.{name}"
            for name in SYNC_STATUS.names
        )
        same = (
            "earlier.source = incoming.source and earlier.table_name = incoming.table_name"
            " and (earlier.source_key = incoming.source_key"
            "      or (incoming.source_key is null and earlier.repository = incoming.repository))"
        )
        connection.execute(
            f"""create or replace temporary table attempted as
                select {merged} from incoming left join operations.sync_status as earlier on {same}
                qualify row_number() over (
                    partition by incoming.source, incoming.table_name, incoming.repository
                    order by earlier.succeeded_at desc nulls last) = 1"""
        )
        connection.execute(
            f"""delete from operations.sync_status as earlier
                where exists (from attempted as incoming where {same}
                    or (earlier.source = incoming.source and earlier.table_name = incoming.table_name
                        and earlier.source_key is null and earlier.repository = incoming.repository))"""
        )
        connection.execute("insert into operations.sync_status by name from attempted")
        # a source that could not be read at all has one such row; it is over once any of it was tried again
        connection.execute(
            """delete from operations.sync_status as earlier
               where earlier.repository = '*' and earlier.succeeded_at is null and exists (
                   from attempted
                   where attempted.source = earlier.source and attempted.attempted_at > earlier.attempted_at)"""
        )
        connection.execute("commit")
        rows = connection.execute("from operations.sync_status order by source, repository, table_name")
        names = [column[0] for column in rows.description]
        _write_status(home, [dict(zip(names, row, strict=True)) for row in rows.fetchall()])


def forget_attempts(home: Home, configured: Iterable[str]) -> None:
    """Take out of ``operations.sync_status`` and ``status.json`` the failures that nobody tries to make good any more.

    Those are: repositories that the settings do not name, or leave out (what was loaded of them stays); an entry of
    the settings that could not be found, whose repositories have been since; and a team of Linear that there is not.

    Args:
        configured: entries of the settings: names, ``owner/*``, or ``!owner/name`` for one that is left out.
    """
    wanted = [name.casefold() for name in configured]
    if not wanted:
        return
    with connect(home) as connection:
        connection.execute(
            """delete from operations.sync_status as status
               where source in ('github', 'github_actions') and repository <> '*'
               and ('!' || lower(repository) in (select unnest($wanted))
                   or lower(repository) not in (select unnest($wanted))
                   and lower(split_part(repository, '/', 1)) || '/*' not in (select unnest($wanted))
                   and not exists (
                       from raw_github.repositories as known
                       where known.id = status.source_key
                       and lower(known.configured_as) in (select unnest($wanted))))""",
            {"wanted": wanted},
        )
        connection.execute(
            """delete from operations.sync_status as status
               where source_key = repository and repository <> '*' and exists (
                   from operations.sync_status as later
                   inner join raw_github.repositories as known on known.id = later.source_key
                   where later.source = status.source and later.attempted_at > status.attempted_at
                   and lower(status.repository) in (lower(later.repository), lower(known.configured_as)))"""
        )
        # a team that was asked for by a key that there is not; all that there are have ids
        connection.execute(
            """delete from operations.sync_status as status
               where source = 'linear' and source_key = repository and repository <> '*' and exists (
                   from operations.sync_status as later
                   where later.source = status.source and later.attempted_at > status.attempted_at)"""
        )
    record_attempts(home, [])


def count_rows(home: Home, source: str, rows: Mapping[str, int]) -> dict[str, int]:
    """Write down how many rows each of a source's tables has after a load.

    Returns:
        what was written down after the load before; empty before the first.
    """
    incoming = pa.table({"source": [source] * len(rows), "table_name": list(rows), "rows": list(rows.values())})
    with connect(home) as connection:
        connection.execute("begin")
        connection.execute("create schema if not exists operations")
        connection.register("incoming", incoming)
        connection.execute("create table if not exists operations.row_counts as from incoming limit 0")
        before = connection.execute(
            "select table_name, rows from operations.row_counts where source = ?", [source]
        ).fetchall()
        connection.execute("delete from operations.row_counts where source = ?", [source])
        connection.execute("insert into operations.row_counts by name from incoming")
        connection.execute("commit")
    return dict(before)


def _write_status(home: Home, rows: list[dict[str, Any]]) -> None:
    def plain(value: object) -> object:
        return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value

    content = {
        "written_at": _now().isoformat(timespec="seconds"),
        "tables": [{name: plain(value) for name, value in row.items()} for row in rows],
    }
    replace_file(home.status, json.dumps(content, indent=1) + "\n")


def read_status(home: Home) -> list[dict[str, Any]]:
    """The last attempts as ``status.json`` has them; empty before the first refresh.

    Raises:
        WarehouseError: the file is not what this program wrote.
    """
    try:
        return list(json.loads(home.status.read_text(encoding="utf-8"))["tables"])
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, OSError) as error:
        raise WarehouseError(f"{home.status} cannot be read ({error}); the next refresh writes it anew") from None


@dataclass(frozen=True)
class Published:
    """What a publish wrote: rows by table, and the file's size in bytes."""

    path: Path
    rows: Mapping[str, int]
    size: int


def publish(home: Home) -> Published:
    """Copy the marts into a fresh file and put it in the published one's place in a single step.

    The connection is to no file: one to the working file may still be open in this process, which an attach
    (read-only) can live beside and a second connection cannot.

    Raises:
        WarehouseError: there are no marts, a column is of another type than BI tools are promised, the disk is full.
    """
    with _staging(home) as folder:
        staged = folder / home.published.name
        try:
            with _in_memory(folder) as connection:
                connection.execute(f"attach {quoted(home.working)} as working (read_only)")
                connection.execute(f"attach {quoted(staged)} as serving (storage_version '{READERS_FORMAT}')")
                rows = _copy_marts(connection)
                connection.execute("detach serving")
        except duckdb.Error as error:
            raise explained(home.working, error) from error
        _to_disk(staged)
        staged.chmod(0o644)
        size = staged.stat().st_size
        staged.replace(home.published)
    return Published(home.published, rows, size)


@contextlib.contextmanager
def _staging(home: Home) -> Iterator[Path]:
    """A fresh folder for a database that is written before it is put in its place."""
    _close_to_others(home)
    for left in (".veelocity.duckdb.staged", ".warehouse.duckdb.compacted"):  # by an earlier version that was killed
        for file in (home.path / left, home.path / f"{left}.wal"):
            file.unlink(missing_ok=True)
    with staging(home.path) as folder:
        yield folder


def _in_memory(folder: Path) -> duckdb.DuckDBPyConnection:
    """Connect to no file; what does not fit into memory goes to a folder."""
    return duckdb.connect(config={"temp_directory": str(folder / "spilled")})


def _copy_marts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    columns = connection.execute(
        """select table_name, column_name, data_type from duckdb_columns()
           where database_name = 'working' and schema_name = ? order by table_name, column_index""",
        [PUBLIC_SCHEMA],
    ).fetchall()
    if not columns:
        raise WarehouseError("there are no marts to publish: the models have not been built yet")
    for table, column, data_type in columns:
        if data_type not in PUBLIC_TYPES:
            raise WarehouseError(f"{PUBLIC_SCHEMA}.{table}.{column} is {data_type}: a published column may not be")
    connection.execute(f"create schema serving.{PUBLIC_SCHEMA}")
    rows = {}
    for table in dict.fromkeys(table for table, _, _ in columns):
        source = f'working.{PUBLIC_SCHEMA}."{table}"'
        connection.execute(f'create table serving.{PUBLIC_SCHEMA}."{table}" as from {source}')
        rows[table] = connection.execute(f'select count(*) from serving.{PUBLIC_SCHEMA}."{table}"').fetchall()[0][0]
    return rows


@dataclass(frozen=True)
class Compacted:
    """Bytes of the working file before and after it was written anew."""

    before: int
    after: int


SMALL = 64 * 1024 * 1024
"""Bytes. A smaller working file is written anew in half a second (0.5 s of CPU at 25 MB, November 2026), and a fifth of
what it uses are blocks that are not full."""


def is_worth_compacting(home: Home) -> bool:
    """Whether so much of the working file holds nothing that it nears 1.5 times the room that it needs.

    Models are built side by side and rows are replaced, so that some of it is always free: after a build mostly a
    quarter to a third.
    """
    unused = 1 / 5 if home.working.stat().st_size < SMALL else 1 / 3
    with duckdb.connect() as connection:
        connection.execute(f"attach {quoted(home.working)} as working (read_only)")
        [(total, free)] = connection.execute(
            "select total_blocks, free_blocks from pragma_database_size() where database_name = 'working'"
        ).fetchall()
    return bool(free > unused * total)


def tidy(home: Home) -> Compacted | None:
    """Keep the working file small: drop what dlt never reads again, and write it anew where that is worth it.

    Raises:
        WarehouseError: as for :func:`compact`.
    """
    forget_old_loads(home)
    return compact(home) if is_worth_compacting(home) else None


def compact(home: Home) -> Compacted:
    """Write the working file anew without the room that nothing uses, and put it in the old one's place in one step.

    The caller holds the right to write (:func:`writing`). DuckDB fills the free blocks of a file again, but never
    gives them back. The disk needs room for both files meanwhile; whatever goes wrong, the old one stays as it was.

    Raises:
        WarehouseError: another process has the file open, the disk is full, or the new file is not the old one's equal.
    """
    log = home.working_log
    before = home.working.stat().st_size + (log.stat().st_size if log.exists() else 0)
    with connect(home) as connection:
        connection.execute("checkpoint")  # what a killed run left in the log
    if log.exists():
        raise WarehouseError(f"{log} is still there, so another process has the warehouse open; close it there")
    with _staging(home) as folder:
        staged = folder / home.working.name
        try:
            with _in_memory(folder) as connection:
                # under the name that it has when it is opened, which is a part of every view's text
                connection.execute(f"attach {quoted(home.working)} as warehouse (read_only)")
                connection.execute(f"attach {quoted(staged)} as fresh")
                connection.execute("copy from database warehouse to fresh")
                if _content(connection, "fresh") != _content(connection, "warehouse"):
                    raise WarehouseError(f"{home.working} could not be rewritten completely; it stays as it was")
                connection.execute("detach fresh")
        except duckdb.Error as error:
            raise explained(home.working, error) from error
        _to_disk(staged)
        staged.chmod(0o600)
        staged.replace(home.working)
        _to_disk(home.path)
    return Compacted(before, home.working.stat().st_size)


def _content(connection: duckdb.DuckDBPyConnection, database: str) -> list[tuple[Any, ...]]:
    """What there is in a database: every table with its text and rows, every view with its text."""
    tables = connection.execute(
        "select schema_name, table_name, sql from duckdb_tables() where database_name = ? order by all", [database]
    ).fetchall()
    views = connection.execute(
        """select schema_name, view_name, sql from duckdb_views()
           where database_name = ? and not internal order by all""",
        [database],
    ).fetchall()
    counts = [
        connection.execute(f'select count(*) from {database}."{schema}"."{table}"').fetchall()[0]
        for schema, table, _ in tables
    ]
    return [*tables, *views, *counts]


def forget_old_loads(home: Home) -> int:
    """Drop what dlt keeps of every earlier load and never reads again: its state, and that it took place.

    dlt goes on from the newest state whose load ended well. The hundred loads before it stay, for people.

    Returns:
        how many rows went.
    """
    gone = 0
    with connect(home) as connection:
        schemas = connection.execute(
            """select schema_name from duckdb_tables() where table_name = '_dlt_pipeline_state'
               intersect select schema_name from duckdb_tables() where table_name = '_dlt_loads' order by all"""
        ).fetchall()
        for (schema,) in schemas:
            state, loads = f"{schema}._dlt_pipeline_state", f"{schema}._dlt_loads"
            for statement in (
                f"""delete from {state} where _dlt_load_id < (
                    select max(load_id) from {loads} as l join {state} as s on s._dlt_load_id = l.load_id
                    where l.status = 0)""",
                f"""delete from {loads} where load_id < (
                    select min(load_id) from (select load_id from {loads} order by load_id desc limit 100))
                    and load_id not in (select _dlt_load_id from {state})""",
            ):
                [(count,)] = connection.execute(statement).fetchall()
                gone += count
    return gone


def back_up(home: Home, folder: Path) -> list[Path]:
    """Copy what cannot be made again, and what is published, into a folder; each file appears there whole.

    The caller holds the right to write (:func:`writing`). Put into an empty ``VEELOCITY_HOME``, the copies go on where
    these files are now: the marks of how far each repository was read are in the working file.

    Returns:
        the copies.

    Raises:
        WarehouseError: there is nothing yet, another process has the file open, or the folder cannot be written.
        FolderError: others may write the folder.
    """
    if not home.working.exists():
        raise WarehouseError("there is nothing to back up yet: run `veelocity refresh` first")
    with connect(home) as connection:
        connection.execute("checkpoint")
    check_folder(folder, "the backup's folder", shared=home.is_shared, sticky=True)
    copies = []
    try:
        make_folder(folder)
        if folder.resolve() == home.path.resolve():
            raise WarehouseError(f"{folder} is VEELOCITY_HOME itself; name another folder")
        with staging(folder) as fresh:
            for source in (home.working, home.published, home.status):
                if not source.exists():
                    continue
                copy_file(source, fresh / source.name, mode=0o644 if source == home.published else 0o600)
                copies.append((fresh / source.name).replace(folder / source.name))
        _to_disk(folder)
    except OSError as error:
        raise WarehouseError(f"{folder}: the backup could not be written: {error.strerror or error}") from None
    return copies


def _to_disk(path: Path) -> None:
    """Wait until what was written to a file, or the names in a folder, would outlive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def quoted(path: Path) -> str:
    """The path as a literal of SQL."""
    return "'" + str(path).replace("'", "''") + "'"


_SEALED: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",  # a table's name never means a variable of ours
}


@contextlib.contextmanager
def read_published(path: Path, *, writes_to: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to a published file, which can reach no other file and load no extension.

    Args:
        writes_to: a folder that it can reach, too.

    Raises:
        WarehouseError: nothing was published yet.
    """
    if not path.exists():
        raise WarehouseError(f"nothing is published yet: {path} is not there; run `veelocity refresh` first")
    try:
        with duckdb.connect(path, read_only=True, config=_SEALED) as connection:
            if writes_to is not None:
                connection.execute(f"set allowed_directories = [{quoted(writes_to)}]")
            connection.execute("set enable_external_access = false")
            yield connection
    except duckdb.Error as error:
        raise explained(path, error) from error
