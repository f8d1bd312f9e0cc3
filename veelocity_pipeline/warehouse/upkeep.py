"""Keep the warehouse small and whole: compact it, drop old loads, copy it for a backup."""

from __future__ import annotations

from pathlib import Path

from veelocity_pipeline.safety.files import WarehouseError, check_folder, copy_file, make_folder, staging
from veelocity_pipeline.warehouse.duckdb_file import Compacted
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.staged import to_disk
from veelocity_pipeline.warehouse.store import connect, store_of


def tidy(home: Home) -> Compacted | None:
    """Keep the warehouse small: drop what dlt never reads again, and give back unused space if that is worth it.

    Raises:
        WarehouseError: as for :func:`compact`.
    """
    forget_old_loads(home)
    return store_of(home).maintain()


def compact(home: Home) -> Compacted:
    """Give back all unused space. The caller holds the right to write (:func:`writing`).

    Raises:
        WarehouseError: another process uses the warehouse, or the disk is full.
    """
    return store_of(home).compact()


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
    store = store_of(home)
    if not store.exists():
        raise WarehouseError("there is nothing to back up yet: run `veelocity refresh` first")
    check_folder(folder, "the backup's folder", shared=home.is_shared, sticky=True)
    try:
        make_folder(folder)
        if folder.resolve() == home.path.resolve():
            raise WarehouseError(f"{folder} is VEELOCITY_HOME itself; name another folder")
        with staging(folder) as fresh:
            staged = [store.snapshot(fresh)]
            for source, mode in ((home.published, 0o644), (home.status, 0o600)):
                if source.exists():
                    copy_file(source, fresh / source.name, mode=mode)
                    staged.append(fresh / source.name)
            copies = [file.replace(folder / file.name) for file in staged]
        to_disk(folder)
    except OSError as error:
        raise WarehouseError(f"{folder}: the backup could not be written: {error.strerror or error}") from None
    return copies
