"""What the last attempt to read each table of each repository gave, and what was built from it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from veelocity_pipeline.safety.files import WarehouseError, replace_file
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.store import connect, write_tables

SYNC_STATUS = pa.schema(
    {
        "source": pa.string(),
        "connection": pa.string(),
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
        "skipped": pa.int64(),
        "skipped_example": pa.string(),
    }
)
"""Columns of ``operations.sync_status``: one row per source, table and repository, as of its last attempt."""


_ADDED = (
    ("waited_seconds", "double"),
    ("bytes_received", "bigint"),
    ("connection", "varchar"),
    ("skipped", "bigint"),
    ("skipped_example", "varchar"),
)
"""Columns that earlier versions did not have."""


def _now() -> datetime:
    return datetime.now(UTC)


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
        for name, kind in _ADDED:
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
               where (earlier.repository = '*' or earlier.repository like '%:*') and earlier.succeeded_at is null
               and exists (
                   from attempted
                   where attempted.source = earlier.source
                   and attempted.connection is not distinct from earlier.connection
                   and attempted.attempted_at > earlier.attempted_at)"""
        )
        connection.execute("commit")
        rows = connection.execute("from operations.sync_status order by source, repository, table_name")
        names = [column[0] for column in rows.description]
        _write_status(home, [dict(zip(names, row, strict=True)) for row in rows.fetchall()])


def forget_attempts(home: Home, configured: Iterable[str], connections: Iterable[str] = ()) -> None:
    """Take out of ``operations.sync_status`` and ``status.json`` the failures that nobody tries to make good any more.

    Those are: repositories that the settings do not name, or leave out (what was loaded of them stays); an entry of
    the settings that could not be found, whose repositories have been since; a team of Linear that does not exist; and
    connections that the settings no longer have.

    Args:
        configured: entries of the settings: names, ``owner/*``, or ``!owner/name`` for one that is left out; with
            their connection in front where it is not the vendor's own.
        connections: names of ``[[connections]]``.
    """
    wanted = [name.casefold() for name in configured]
    if not wanted:
        return
    with connect(home) as connection:
        connection.execute(
            """delete from operations.sync_status
               where repository like '%:%' and split_part(repository, ':', 1) not in (select unnest($connections))""",
            {"connections": list(connections)},
        )
        connection.execute(
            """delete from operations.sync_status as status
               where source in ('github', 'github_actions') and repository <> '*'
               and repository not like '%:*'
               and ('!' || lower(repository) in (select unnest($wanted))
                   or lower(repository) not in (select unnest($wanted))
                   and lower(split_part(repository, '/', 1)) || '/*' not in (select unnest($wanted))
                   and not exists (
                       from raw_github.repositories as known
                       where known.id = status.source_key
                       and coalesce(known.connection || ':', '') || lower(known.configured_as)
                           in (select unnest($wanted))))""",
            {"wanted": wanted},
        )
        connection.execute(
            """delete from operations.sync_status as status
               where source_key = repository and repository <> '*' and exists (
                   from operations.sync_status as later
                   inner join raw_github.repositories as known on known.id = later.source_key
                   where later.source = status.source and later.attempted_at > status.attempted_at
                   and lower(status.repository) in (
                       lower(later.repository), coalesce(known.connection || ':', '') || lower(known.configured_as)))"""
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
        raise WarehouseError(f"{home.status} cannot be read ({error}); the next refresh writes a new one") from None
