"""Keep the working file small and whole: compact it, drop old loads, copy it for a backup."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from veelocity_pipeline.safety.files import WarehouseError, check_folder, copy_file, make_folder, staging
from veelocity_pipeline.warehouse.duckdb_file import connect, explained, quoted
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.staged import in_memory, staged_beside, to_disk


@dataclass(frozen=True)
class Compacted:
    """Bytes of the working file before and after it was rewritten."""

    before: int
    after: int


SMALL = 64 * 1024 * 1024
"""Bytes. A smaller working file is rewritten in half a second (0.5 s of CPU at 25 MB, November 2026), and a fifth of
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
    """Keep the working file small: drop what dlt never reads again, and rewrite it where that is worth it.

    Raises:
        WarehouseError: as for :func:`compact`.
    """
    forget_old_loads(home)
    return compact(home) if is_worth_compacting(home) else None


def compact(home: Home) -> Compacted:
    """Rewrite the working file without unused space, and replace the old one in one step.

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
    with staged_beside(home) as folder:
        staged = folder / home.working.name
        try:
            with in_memory(folder) as connection:
                # under the name that it has when it is opened, which is a part of every view's text
                connection.execute(f"attach {quoted(home.working)} as warehouse (read_only)")
                connection.execute(f"attach {quoted(staged)} as fresh")
                connection.execute("copy from database warehouse to fresh")
                if _content(connection, "fresh") != _content(connection, "warehouse"):
                    raise WarehouseError(f"{home.working} could not be rewritten completely; it stays as it was")
                connection.execute("detach fresh")
        except duckdb.Error as error:
            raise explained(home.working, error) from error
        to_disk(staged)
        staged.chmod(0o600)
        staged.replace(home.working)
        to_disk(home.path)
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
        to_disk(folder)
    except OSError as error:
        raise WarehouseError(f"{folder}: the backup could not be written: {error.strerror or error}") from None
    return copies
