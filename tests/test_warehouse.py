"""The working file, its lock, and publishing."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from tests.conftest import reader_of
from veelocity_pipeline.published.open import read_published
from veelocity_pipeline.safety.files import WarehouseError
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.lock import writing
from veelocity_pipeline.warehouse.publish import publish
from veelocity_pipeline.warehouse.status import forget_attempts, read_status, record_attempts
from veelocity_pipeline.warehouse.store import connect, write_tables

T1 = datetime(2026, 3, 1, 10, tzinfo=UTC)
T2 = datetime(2026, 3, 1, 11, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.make()
    return home


def build(home: Home, *statements: str) -> None:
    with connect(home) as connection:
        connection.execute("create schema if not exists marts")
        for statement in statements:
            connection.execute(statement)


def attempt(table: str = "pull_requests", **values: object) -> dict[str, object]:
    return {
        "source": "github",
        "table_name": table,
        "repository": "acme/web",
        "source_key": "R_1",
        "attempted_at": T1,
        "succeeded_at": T1,
        "read_at": T1,
        "rows": 5,
        "watermark": T1,
        "error": None,
        "is_full": False,
        "requests": 3,
        "points": 7,
        **values,
    }


def test_a_warehouse_of_an_earlier_version_gets_the_columns_that_it_lacks(home: Home) -> None:
    record_attempts(home, [attempt()])
    build(
        home,
        "alter table operations.sync_status drop waited_seconds",
        "alter table operations.sync_status drop bytes_received",
    )
    record_attempts(home, [attempt("issues", waited_seconds=1.5, bytes_received=9)])
    spent = {row["table_name"]: (row["waited_seconds"], row["bytes_received"]) for row in read_status(home)}
    assert spent == {"pull_requests": (None, None), "issues": (1.5, 9)}


# publish


def test_what_is_published_is_the_marts_alone_and_readable_by_duckdb_1_2(home: Home) -> None:
    build(
        home,
        "create table marts.b as select 1::bigint as x union all select 2",
        "create table marts.a as select 'q' as t",
        "create schema raw_github",
        "create table raw_github.secret as select 1 as x",
    )
    published = publish(home)
    assert dict(published.rows) == {"a": 1, "b": 2}
    with read_published(home.published) as connection:
        tables = connection.execute("select table_schema, table_name from information_schema.tables").fetchall()
        version = connection.execute("select tags['storage_version'] from duckdb_databases() where not internal")
        assert sorted(tables) == [("marts", "a"), ("marts", "b")]
        assert version.fetchall()[0][0] == "v1.2.0+"
    assert stat.S_IMODE(home.published.stat().st_mode) == 0o644
    assert stat.S_IMODE(home.working.stat().st_mode) == 0o600


def test_a_reader_keeps_what_it_opened_and_the_next_one_sees_the_new(home: Home) -> None:
    build(home, "create table marts.a as select 1 as x")
    publish(home)
    code = "import duckdb,sys; c=duckdb.connect(sys.argv[1], read_only=True); print(c.sql('select x from marts.a')" + (
        ".fetchone()[0], flush=True); input(); print(c.sql('select x from marts.a').fetchone()[0])"
    )
    reader = subprocess.Popen(
        [sys.executable, "-c", code, str(home.published)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == "1\n"
    build(home, "create or replace table marts.a as select 2 as x")
    publish(home)
    rest, _ = reader.communicate("\n")
    assert rest == "1\n"
    with read_published(home.published) as connection:
        assert connection.execute("select x from marts.a").fetchall() == [(2,)]


def test_a_type_that_bi_tools_were_not_promised_stops_the_publish_and_keeps_the_old_file(home: Home) -> None:
    build(home, "create table marts.a as select 1 as x")
    publish(home)
    before = home.published.read_bytes()
    build(home, "create or replace table marts.a as select [1, 2] as x")
    with pytest.raises(WarehouseError, match=r"marts\.a\.x is INTEGER\[\]"):
        publish(home)
    assert home.published.read_bytes() == before
    assert not [path for path in home.path.iterdir() if "staged" in path.name]


def test_nothing_to_publish_is_said(home: Home) -> None:
    build(home)
    with pytest.raises(WarehouseError, match="no marts to publish"):
        publish(home)
    with (
        pytest.raises(WarehouseError, match="nothing is published yet"),
        read_published(home.published),
    ):
        pass


# the working file


def test_a_reader_on_the_working_file_is_named(home: Home) -> None:
    build(home)
    with (
        reader_of(home.working) as pid,
        pytest.raises(WarehouseError, match=rf"is open in .*\(process {pid}\)"),
        connect(home),
    ):
        pass


def test_a_file_that_is_no_database_is_said(home: Home) -> None:
    home.working.write_bytes(b"x" * 5000)
    with pytest.raises(WarehouseError, match="is not a DuckDB file"), connect(home):
        pass


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WarehouseError, match=r"VEELOCITY_HOME: .* cannot be used"):
        Home(tmp_path / "file" / "home").make()


# the lock


def _hold(path: Path, entered: object, leave: object) -> None:
    with writing(Home(path), "a long refresh"):
        entered.set()  # type: ignore[attr-defined]
        leave.wait()  # type: ignore[attr-defined]


def test_the_second_writer_waits_and_hears_for_whom(home: Home) -> None:
    context = multiprocessing.get_context("spawn")
    entered, leave = context.Event(), context.Event()
    holder = context.Process(target=_hold, args=(home.path, entered, leave))
    holder.start()
    entered.wait(60)
    heard = []

    def waiting(message: str) -> None:
        heard.append(message)
        leave.set()

    with writing(home, "mine", waiting):
        assert str(holder.pid) in heard[0]
        assert "a long refresh" in heard[0]
    holder.join(60)


def test_a_killed_writer_frees_the_lock(home: Home) -> None:
    context = multiprocessing.get_context("spawn")
    entered, leave = context.Event(), context.Event()
    holder = context.Process(target=_hold, args=(home.path, entered, leave))
    holder.start()
    entered.wait(60)
    assert holder.pid is not None
    os.kill(holder.pid, 9)
    holder.join(60)
    with writing(home, "the next"):
        assert json.loads(home.lock.read_text())["purpose"] == "the next"


# small tables


def test_writing_the_same_table_again_changes_nothing(home: Home) -> None:
    one = pa.table({"name": ["a", None], "value": [1, 2]})
    assert write_tables(home, "config", {"t": one}) == {"t": True}
    assert write_tables(home, "config", {"t": one}) == {"t": False}
    assert write_tables(home, "config", {"t": one.slice(1)}) == {"t": True}
    assert write_tables(home, "config", {"t": one.append_column("more", [[1, 2]])}) == {"t": True}
    with connect(home) as connection:
        assert connection.execute("select count(*) from config.t").fetchall() == [(2,)]


def test_a_failed_attempt_keeps_the_last_success(home: Home) -> None:
    record_attempts(home, [attempt(), attempt("issues")])
    record_attempts(
        home,
        [attempt(attempted_at=T2, succeeded_at=None, read_at=None, rows=0, watermark=None, error="no access")],
    )
    rows = {row["table_name"]: row for row in read_status(home)}
    assert rows["issues"]["error"] is None
    assert rows["pull_requests"]["error"] == "no access"
    assert rows["pull_requests"]["attempted_at"] == T2.isoformat()
    assert rows["pull_requests"]["read_at"] == T1.isoformat()
    assert rows["pull_requests"]["rows"] == 5


def test_a_renamed_repository_has_one_row(home: Home) -> None:
    record_attempts(home, [attempt(repository="acme/old")])
    record_attempts(home, [attempt(repository="acme/new", attempted_at=T2)])
    assert [row["repository"] for row in read_status(home)] == ["acme/new"]


def test_a_repository_that_was_never_found_has_one_row_until_it_is(home: Home) -> None:
    failure = attempt(source_key=None, succeeded_at=None, read_at=None, watermark=None, rows=0, error="not found")
    record_attempts(home, [failure])
    record_attempts(home, [failure])
    assert [row["error"] for row in read_status(home)] == ["not found"]
    record_attempts(home, [attempt()])
    assert [row["error"] for row in read_status(home)] == [None]


def test_a_known_repository_that_cannot_be_resolved_keeps_its_last_success(home: Home) -> None:
    record_attempts(home, [attempt()])
    failure = attempt(source_key=None, succeeded_at=None, read_at=None, watermark=None, rows=0, error="forbidden")
    record_attempts(home, [failure])
    [row] = read_status(home)
    assert (row["error"], row["read_at"], row["source_key"]) == ("forbidden", T1.isoformat(), "R_1")


def test_a_source_that_answers_again_is_no_longer_failing(home: Home) -> None:
    nothing = attempt(
        repository="*", source_key="*", succeeded_at=None, read_at=None, watermark=None, rows=0, error="bad token"
    )
    record_attempts(home, [nothing])
    record_attempts(home, [attempt(attempted_at=T2)])
    assert [(row["repository"], row["error"]) for row in read_status(home)] == [("acme/web", None)]


# the demo's data


def test_the_demo_never_mixes_with_real_data(home: Home) -> None:
    home.claim_for_demo()
    build(home)
    home.claim_for_demo()
    with pytest.raises(WarehouseError, match="run `make demo` to rebuild them"):
        home.check_rebuilds()  # with the user's rules they would be others
    assert home.clear_demo()
    assert not home.working.exists()
    home.check_rebuilds()
    assert not home.clear_demo()
    build(home)
    with pytest.raises(WarehouseError, match="holds your own data"):
        home.claim_for_demo()


def test_duckdb_is_new_enough_for_the_readers_format() -> None:
    assert tuple(map(int, duckdb.__version__.split(".")[:2])) >= (1, 5)


def test_failures_that_nobody_tries_to_make_good_are_forgotten(home: Home) -> None:
    with connect(home) as connection:
        connection.execute("create schema raw_github")
        connection.execute(
            "create table raw_github.repositories (id varchar, configured_as varchar, connection varchar)"
        )
        connection.execute(
            """insert into raw_github.repositories by name from (values
               ('R1', 'acme/web'), ('R2', 'acme/former'), ('R3', 'globex/*')) as known(id, configured_as)"""
        )

    def record(minute: int, *scopes: tuple[str, str, str | None], source: str = "github") -> None:
        at = datetime(2026, 3, 1, 12, minute, tzinfo=UTC)
        rows = [
            {"source": source, "table_name": "issues", "repository": name, "source_key": key, "error": error}
            for key, name, error in scopes
        ]
        record_attempts(home, [{**row, "attempted_at": at, "is_full": False, "rows": 0} for row in rows])

    def left(*configured: str) -> set[str]:
        forget_attempts(home, configured)
        return {row["repository"] for row in read_status(home)}

    record(1, ("acme/web", "acme/web", "unknown"), ("globex/*", "globex/*", "unknown"), ("R2", "acme/now", None))
    record(1, ("R9", "acme/gone", "no access"))
    everything = {"acme/web", "globex/*", "acme/now", "acme/gone"}
    assert left() == everything  # without any entry nothing is known
    assert left("ACME/web", "globex/*", "acme/former", "acme/gone") == everything
    assert left("acme/web", "globex/*", "acme/former") == everything - {"acme/gone"}
    record(1, ("R8", "acme/lost", "no longer listed"))
    assert left("acme/*", "globex/*", "!acme/Lost", "!acme/web2") == everything - {"acme/gone"}
    record(2, ("R1", "acme/web", None), ("R3", "globex/core", None))
    assert left("acme/web", "globex/*", "acme/former") == {"acme/web", "globex/core", "acme/now"}
    assert [row["error"] for row in read_status(home) if row["repository"] == "acme/web"] == [None]
    record(3, ("NOPE", "NOPE", "no such team"), ("*", "*", None), ("T1", "ENG", None), source="linear")
    assert left("acme/web") >= {"NOPE", "*", "ENG"}
    record(4, ("*", "*", None), source="linear")
    assert left("acme/web") == {"acme/web", "*", "ENG"}


# a user's own models


def test_columns_of_ones_own_are_published_as_types_that_are_promised(home: Home) -> None:
    build(
        home,
        "create type mood as enum ('glad')",
        """create table marts.mine as select
               1::hugeint as huge, 2::utinyint as tiny, 1.5::decimal(9, 2) as exact, 0.5::float as rough,
               timestamptz '2026-01-01 12:00:00+02' as zoned, timestamp_ns '2026-01-01 12:00:00' as fine,
               'glad'::mood as mood, uuid '00000000-0000-0000-0000-000000000001' as id, 'x' as plain""",
        "comment on column marts.mine.huge is 'A large number.'",
    )
    assert publish(home, {"mine": "mine.sql"}).refused == {}
    with read_published(home.published) as connection:
        kinds = connection.execute("select column_name, data_type from duckdb_columns() where table_name = 'mine'")
        assert dict(kinds.fetchall()) == {
            **{"huge": "BIGINT", "tiny": "INTEGER", "exact": "DOUBLE", "rough": "DOUBLE", "zoned": "TIMESTAMP"},
            **{"fine": "TIMESTAMP", "mood": "VARCHAR", "id": "VARCHAR", "plain": "VARCHAR"},
        }
        [(zoned, exact, comment)] = connection.execute(
            """select zoned::varchar, exact,
                      (select comment from duckdb_columns() where table_name = 'mine' and column_name = 'huge')
               from marts.mine"""
        ).fetchall()
    assert (zoned, exact, comment) == ("2026-01-01 10:00:00", 1.5, "A large number.")


def test_a_model_of_ones_own_that_cannot_be_published_costs_itself_alone(home: Home) -> None:
    build(home, "create table marts.a as select 1 as x", "create table marts.mine as select 1 as x")
    publish(home, {"mine": "mine.sql"})
    build(
        home,
        "create or replace table marts.a as select 2 as x",
        "create or replace table marts.mine as select [2] as x",
        "create table marts.too_large as select 170141183460469231731687303715884105727::hugeint as x",
    )
    published = publish(home, {"mine": "sub/mine.sql", "too_large": "too_large.sql"})
    assert published.refused.keys() == {"sub/mine.sql", "too_large.sql"}
    assert published.refused["sub/mine.sql"].startswith("marts.mine.x is INTEGER[]: a published column may not be")
    assert dict(published.rows) == {"a": 1, "mine": 1}
    with read_published(home.published) as connection:
        assert connection.execute("select a.x, mine.x from marts.a, marts.mine").fetchall() == [(2, 1)]


def test_what_failed_keeps_the_rows_that_are_published(home: Home) -> None:
    build(home, "create table marts.a as select 1 as x", "create table marts.mine as select 1 as x")
    assert dict(publish(home, {"mine": "mine.sql"}, {"mine"}).rows) == {"a": 1}  # nothing to keep yet
    publish(home, {"mine": "mine.sql"})
    build(home, "create or replace table marts.mine as select 3 as x")
    publish(home, {"mine": "mine.sql"}, {"mine"})
    build(home, "drop table marts.mine")  # left out, since dbt cannot read it any more
    assert dict(publish(home, {}, {"mine"}).rows) == {"a": 1, "mine": 1}
    with read_published(home.published) as connection:
        assert connection.execute("from marts.mine").fetchall() == [(1,)]
    assert dict(publish(home).rows) == {"a": 1}


def test_a_view_can_be_published(home: Home) -> None:
    build(home, "create table marts.a as select 1 as x", "create view marts.v as select x + 1 as y from marts.a")
    publish(home, {"v": "v.sql"})
    with read_published(home.published) as connection:
        assert connection.execute("from marts.v").fetchall() == [(2,)]
