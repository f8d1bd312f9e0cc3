"""The warehouse as one DuckDB file: connections to it, what its errors mean, and how it is kept small."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from veelocity_pipeline.safety.files import WarehouseError, copy_file
from veelocity_pipeline.warehouse.home import Home, refuse_links
from veelocity_pipeline.warehouse.staged import in_memory, staged_beside, to_disk

if TYPE_CHECKING:
    from dlt.common.destination import Destination

DATABASE = "warehouse"
"""Name of the database in every view's text: a file that DuckDB opens has its own name, without the ending."""

SMALL = 64 * 1024 * 1024
"""Bytes. A smaller working file is rewritten in half a second (0.5 s of CPU at 25 MB, November 2026), and a fifth of
what it uses are blocks that are not full."""


@dataclass(frozen=True)
class Target:
    """Where dbt builds.

    Attributes:
        name: of the output in ``profiles.yml``.
        environment: the variables that this output reads.
    """

    name: str
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Compacted:
    """Bytes of the warehouse before and after unused space was given back."""

    before: int
    after: int


@dataclass(frozen=True)
class DuckDBFile:
    """The working file of a home (:class:`veelocity_pipeline.warehouse.store.Store`)."""

    home: Home

    @property
    def path(self) -> Path:
        """The file."""
        return self.home.working

    def exists(self) -> bool:
        """Return whether anything was ever loaded."""
        return self.path.exists()

    def size(self) -> int:
        """Return the bytes of the file and of its log."""
        return sum(file.stat().st_size for file in (self.path, self.home.working_log) if file.exists())

    @contextlib.contextmanager
    def connect(self, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        """Connect to the file, with the clock in UTC.

        Raises:
            WarehouseError: another process has the file open, the disk is full, or it is not a DuckDB file.
        """
        refuse_links(self.home)
        try:
            with duckdb.connect(self.path, read_only=read_only) as connection:
                connection.execute("set timezone = 'UTC'")
                yield connection
        except duckdb.Error as error:
            raise self.explained(error) from error
        finally:
            if not read_only:
                refuse_links(self.home)

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Attach the file to another connection, read-only, under the name that is part of every view's text."""
        connection.execute(f"attach {quoted(self.path)} as {DATABASE} (read_only)")

    def dlt_destination(self) -> Destination[Any, Any]:
        """Return where dlt loads to."""
        import dlt

        return dlt.destinations.duckdb(str(self.path))

    def dbt_target(self) -> Target:
        """Return where dbt builds."""
        return Target("file", {"VEELOCITY_WORKING_FILE": str(self.path)})

    def explained(self, error: BaseException) -> BaseException:
        """Return what an error of DuckDB means to a user, if that is known; else the error itself."""
        return explained(self.path, error)

    def maintain(self) -> Compacted | None:
        """Rewrite the file if that is worth it.

        Raises:
            WarehouseError: as for :meth:`compact`.
        """
        return self.compact() if self.is_worth_compacting() else None

    def is_worth_compacting(self) -> bool:
        """Return whether so much of the file is unused that it nears 1.5 times the room that it needs.

        Models are built side by side and rows are replaced, so some of it is always free: after a build mostly a
        quarter to a third.
        """
        unused = 1 / 5 if self.path.stat().st_size < SMALL else 1 / 3
        with duckdb.connect() as connection:
            self.attach(connection)
            [(total, free)] = connection.execute(
                "select total_blocks, free_blocks from pragma_database_size() where database_name = ?", [DATABASE]
            ).fetchall()
        return bool(free > unused * total)

    def compact(self) -> Compacted:
        """Rewrite the file without unused space, and replace the old one in one step.

        The caller holds the right to write (:func:`veelocity_pipeline.warehouse.lock.writing`). DuckDB fills the free
        blocks of a file again, but never gives them back. The disk needs room for both files meanwhile; whatever goes
        wrong, the old one stays as it was.

        Raises:
            WarehouseError: another process has the file open, the disk is full, or the copy is not complete.
        """
        log, before = self.home.working_log, self.size()
        self._checkpoint()  # what a killed run left in the log
        if log.exists():
            raise WarehouseError(f"{log} is still there, so another process has the warehouse open; close it there")
        with staged_beside(self.home) as folder:
            staged = folder / self.path.name
            try:
                with in_memory(folder) as connection:
                    self.attach(connection)
                    connection.execute(f"attach {quoted(staged)} as fresh")
                    connection.execute(f"copy from database {DATABASE} to fresh")
                    if _content(connection, "fresh") != _content(connection, DATABASE):
                        raise WarehouseError(f"{self.path} could not be rewritten completely; it stays as it was")
                    connection.execute("detach fresh")
            except duckdb.Error as error:
                raise self.explained(error) from error
            to_disk(staged)
            staged.chmod(0o600)
            staged.replace(self.path)
            to_disk(self.home.path)
        return Compacted(before, self.path.stat().st_size)

    def snapshot(self, folder: Path) -> Path:
        """Copy the file into a folder. The caller holds the right to write.

        Raises:
            WarehouseError: another process has the file open.
            OSError: the folder cannot be written.
        """
        self._checkpoint()
        target = folder / self.path.name
        copy_file(self.path, target, mode=0o600)
        return target

    def _checkpoint(self) -> None:
        with self.connect() as connection:
            connection.execute("checkpoint")


def _content(connection: duckdb.DuckDBPyConnection, database: str) -> list[tuple[Any, ...]]:
    """Return what a database holds: every table with its text and rows, every view with its text."""
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


def explained(path: Path, error: BaseException) -> BaseException:
    """Return what DuckDB's error on a file means to a user, if that is known; else the error itself."""
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


def quoted(path: Path) -> str:
    """Return a path as a literal of SQL."""
    return "'" + str(path).replace("'", "''") + "'"
