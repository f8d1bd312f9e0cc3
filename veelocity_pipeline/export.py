"""The published marts as files that other tools read: Parquet or CSV, one of each table."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from veelocity_pipeline.warehouse import PUBLIC_SCHEMA, WarehouseError, quoted, read_published

Format = Literal["parquet", "csv"]

_OPTIONS = {"parquet": "format parquet, compression zstd", "csv": "format csv, header"}


def export(published: Path, folder: Path, kind: Format) -> dict[str, int]:
    """Write every published table to ``<folder>/<table>.<kind>``.

    A file is replaced in one step, so that its readers see the earlier table or this one. Other files stay.

    Returns:
        rows by table.

    Raises:
        WarehouseError: nothing was published yet, the folder cannot be written, or the disk is full.
    """
    rows = {}
    with read_published(published) as connection:
        tables = connection.execute(
            "select table_name from duckdb_tables() where schema_name = ? order by table_name", [PUBLIC_SCHEMA]
        ).fetchall()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for (table,) in tables:
                staged = folder / f".{table}.{kind}.staged"
                source = f'{PUBLIC_SCHEMA}."{table}"'
                try:
                    [(rows[table],)] = connection.execute(
                        f"copy {source} to {quoted(staged)} ({_OPTIONS[kind]})"
                    ).fetchall()
                    staged.chmod(0o644)
                    staged.replace(folder / f"{table}.{kind}")
                finally:
                    staged.unlink(missing_ok=True)
        except OSError as error:
            raise WarehouseError(f"{folder} cannot be written ({error.strerror}); name another folder") from None
    return rows
