"""The floor of a publish: the same tables, created anew in a fresh file over one connection.

``python -m bench.publish`` publishes the home that the settings name, and before and after it writes such a file; also
reads every column of what it published. Prints seconds on the clock as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import duckdb

from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.published.open import read_published
from veelocity_pipeline.warehouse.duckdb_file import quoted
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.publish import PUBLIC_SCHEMA, READERS_FORMAT, publish


def _timed(action: Callable[[Home], object], home: Home) -> float:
    begun = time.perf_counter()
    action(home)
    return time.perf_counter() - begun


def _copy(home: Home) -> None:
    target = home.path / "floor.duckdb"
    target.unlink(missing_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"attach {quoted(home.working)} as working (read_only)")
        connection.execute(f"attach {quoted(target)} as floor (storage_version '{READERS_FORMAT}')")
        tables = connection.execute(
            "select table_name from duckdb_tables() where database_name = 'working' and schema_name = ?",
            [PUBLIC_SCHEMA],
        ).fetchall()
        for (table,) in tables:
            connection.execute(f"create table floor.{table} as from working.{PUBLIC_SCHEMA}.{table}")
    target.unlink()


def _read(home: Home) -> None:
    with read_published(home.published) as connection:
        tables = connection.execute(
            "select table_name from duckdb_tables() where schema_name = ?", [PUBLIC_SCHEMA]
        ).fetchall()
        for (table,) in tables:
            connection.execute(f"select max(columns(*)) from {PUBLIC_SCHEMA}.{table}").fetchall()


def main() -> None:
    """Publish, and print what it and the floors took."""
    home = Home(load_settings().home)
    first, published, second, read = (_timed(each, home) for each in (_copy, publish, _copy, _read))
    sys.stdout.write(json.dumps({"publish": published, "floor": min(first, second), "read": read}) + "\n")


if __name__ == "__main__":
    main()
