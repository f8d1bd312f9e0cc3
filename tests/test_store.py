"""What every store does for dlt, dbt and SQL; the DuckDB file is the first of them."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import dlt
import duckdb
import pyarrow as pa
import pytest

from tests.conftest import reader_of
from veelocity_pipeline.config.settings import CHECKOUT
from veelocity_pipeline.safety.files import WarehouseError
from veelocity_pipeline.transform.project import MODELS
from veelocity_pipeline.warehouse.duckdb_file import DATABASE
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.store import Store, store_of


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.make()
    return made


@pytest.fixture
def store(home: Home) -> Store:
    """A store with one table and one view of it."""
    made = store_of(home)
    assert not made.exists()
    with made.connect() as connection:
        connection.execute("create schema staging")
        connection.execute("create table staging.t as from range(3) r(x)")
        connection.execute("create view staging.v as from staging.t where x > 0")
    return made


def test_sql_sees_times_in_utc(store: Store) -> None:
    with store.connect(read_only=True) as connection:
        [(hour,)] = connection.execute("select hour(timestamptz '2026-01-01 12:00:00+02')").fetchall()
    assert hour == 10


def test_views_can_be_read_where_it_is_attached(store: Store) -> None:
    with duckdb.connect() as connection:
        store.attach(connection)
        assert connection.execute(f"from {DATABASE}.staging.v order by x").fetchall() == [(1,), (2,)]
        with pytest.raises(duckdb.Error, match="read-only"):
            connection.execute(f"insert into {DATABASE}.staging.t values (4)")


def test_dlt_loads_into_it(store: Store, tmp_path: Path) -> None:
    pipeline = dlt.pipeline(
        "tried", pipelines_dir=str(tmp_path / "dlt"), destination=store.dlt_destination(), dataset_name="raw_tried"
    )
    pipeline.run(pa.table({"y": [7]}), table_name="loaded", loader_file_format="parquet")
    with store.connect() as connection:
        assert connection.execute("select y from raw_tried.loaded").fetchall() == [(7,)]


def test_dbt_finds_it_where_the_profile_reads_its_variables(store: Store, home: Home) -> None:
    target = store.dbt_target()
    profile = (MODELS / "profiles.yml").read_text(encoding="utf-8")
    assert re.search(rf"^    {target.name}:", profile, re.MULTILINE)
    assert set(re.findall(r"env_var\('(\w+)'", profile)) == set(target.environment)
    assert target.environment == {"VEELOCITY_WORKING_FILE": str(home.path / "warehouse.duckdb")}


def test_a_snapshot_is_all_of_it_and_private(store: Store, tmp_path: Path) -> None:
    (tmp_path / "copies").mkdir()
    copy = store.snapshot(tmp_path / "copies")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with duckdb.connect(copy, read_only=True) as connection:
        assert connection.execute("select count(*) from staging.v").fetchall() == [(2,)]


def test_compacting_gives_space_back_and_keeps_every_row(store: Store) -> None:
    with store.connect() as connection:
        connection.execute(
            "create table staging.large as select hash(i) as x, md5(i::varchar) as y from range(400000) t(i)"
        )
        connection.execute("checkpoint")
        connection.execute("create table staging.last as from range(9)")  # free blocks at the end are cut off
        connection.execute("checkpoint")
        connection.execute("drop table staging.large")
    before = store.size()
    compacted = store.maintain()
    assert compacted is not None
    assert compacted.before == before
    assert compacted.after == store.size() < before
    with store.connect() as connection:
        assert connection.execute("from staging.v order by x").fetchall() == [(1,), (2,)]
    assert store.maintain() is None


def test_an_error_is_told_in_its_own_words_where_they_are_known(store: Store, home: Home) -> None:
    unknown = ValueError("something else")
    assert store.explained(unknown) is unknown
    with reader_of(home.working) as pid, pytest.raises(WarehouseError, match=rf"process {pid}"), store.connect():
        pass


def test_only_the_warehouse_knows_that_it_is_a_file() -> None:
    """Else a second kind of store would have to be looked for everywhere."""
    package = CHECKOUT / "veelocity_pipeline"
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if path.relative_to(package).parts[0] != "warehouse"
        and re.search(r"\.working\b|destinations\.duckdb\(str|DuckDBFile", path.read_text(encoding="utf-8"))
    }
    assert found == {"faces/cli/upkeep.py"}  # which says where it is
