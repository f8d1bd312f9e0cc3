"""The published marts as files that other tools read: Parquet or CSV, one of each table."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from veelocity_pipeline.published.open import read_published
from veelocity_pipeline.published.spreadsheet import guarded
from veelocity_pipeline.safety.files import WarehouseError, check_folder, make_folder, staging
from veelocity_pipeline.warehouse.duckdb_file import quoted
from veelocity_pipeline.warehouse.publish import PUBLIC_SCHEMA

Format = Literal["parquet", "csv"]

_OPTIONS = {"parquet": "format parquet, compression zstd", "csv": "format csv, header"}


def export(
    published: Path,
    folder: Path,
    kind: Format,
    *,
    verbatim: bool = False,
    shared: bool = False,
    setting: str = "--to",
) -> dict[str, int]:
    """Write every published table to ``<folder>/<table>.<kind>``.

    A file is replaced in one step, so that its readers see the earlier table or this one. Other files stay. Like the
    published file, each can be read by everyone who reaches the folder, once it is whole.

    Args:
        verbatim: leave text in CSV as it is, also what a spreadsheet would run as a formula (see ``spreadsheet``).
        shared: take the folder even where others may write it.
        setting: what names the folder, for messages.

    Returns:
        rows by table.

    Raises:
        WarehouseError: nothing was published yet, the folder cannot be written, or the disk is full.
        FolderError: others may write the folder.
    """
    check_folder(folder, setting, shared=shared, sticky=True)
    rows = {}
    with read_published(published, writes_to=folder) as connection:
        columns = connection.execute(
            """select table_name, column_name, data_type from duckdb_columns()
               where schema_name = ? order by table_name, column_index""",
            [PUBLIC_SCHEMA],
        ).fetchall()
        try:
            make_folder(folder, 0o755)
            with staging(folder) as fresh:
                for table in dict.fromkeys(table for table, _, _ in columns):
                    kinds = {name: data_type for owner, name, data_type in columns if owner == table}
                    is_guarded = kind == "csv" and not verbatim
                    staged, target = fresh / f"{table}.{kind}", folder / f"{table}.{kind}"
                    [(rows[table],)] = connection.execute(
                        f"copy ({_query(table, kinds, is_guarded)}) to {quoted(staged)} ({_OPTIONS[kind]})"
                    ).fetchall()
                    staged.chmod(0o644)  # it holds what the published file does
                    staged.replace(target)
        except OSError as error:
            raise WarehouseError(f"{folder} cannot be written ({error.strerror}); name another folder") from None
    return rows


def _query(table: str, kinds: dict[str, str], is_guarded: bool) -> str:
    selected = ", ".join(
        f"{guarded(f'{_name(name)}')} as {_name(name)}" if is_guarded and kind == "VARCHAR" else _name(name)
        for name, kind in kinds.items()
    )
    return f"select {selected} from {PUBLIC_SCHEMA}.{_name(table)}"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
