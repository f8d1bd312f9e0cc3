"""What a year leaves behind, and what of it stays: the warehouse, its backup, Dagster's runs, logs."""

from __future__ import annotations

import base64
import random
import shutil
import sqlite3
import stat
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
import sqlalchemy as sa
from dagster._core.events import StepMaterializationData
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._core.storage.runs.schema import RunsTable

from tests.conftest import reader_of, veelocity
from tests.inprocess import marts
from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.defs.execute import prepare_instance
from veelocity_pipeline.defs.instance import KEPT_RUNS, prune_history
from veelocity_pipeline.loading.dlt import make_pipeline
from veelocity_pipeline.loading.read import load
from veelocity_pipeline.operations import upkeep
from veelocity_pipeline.safety.files import WarehouseError
from veelocity_pipeline.simulator import Simulator
from veelocity_pipeline.sources import SOURCES, Outcome, RefreshRequest
from veelocity_pipeline.warehouse import duckdb_file
from veelocity_pipeline.warehouse import upkeep as warehouse_upkeep
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.store import connect

HOURS = 365 * 24


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.make()
    return home


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Callable[[Simulator], Settings]:
    def configure(simulator: Simulator) -> Settings:
        for name, value in simulator.environment().items():
            monkeypatch.setenv(name, value)
        return load_settings()

    return configure


def read(home: Home, settings: Settings, *sources: str, full: bool = False) -> list[Outcome]:
    """One refresh of raw tables."""
    outcomes = []
    for name in sources:
        outcomes += list(load(SOURCES[name], settings, make_pipeline(SOURCES[name], home), RefreshRequest(full)))
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    return outcomes


def query(home: Home, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(home.working, read_only=True) as connection:
        return connection.execute(sql).fetchall()


def raw(home: Home, dataset: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of a source, without what dlt adds."""
    tables = query(home, f"select table_name from duckdb_tables() where schema_name = '{dataset}'")
    names = [name for (name,) in tables if not name.startswith("_dlt")]
    return {
        name: sorted(query(home, f"select columns(c -> c not like '_dlt%') from {dataset}.{name}"), key=repr)
        for name in names
    }


def test_a_year_of_increments_takes_no_more_room_than_a_full_load(
    tmp_path: Path, configured: Callable[[Simulator], Settings]
) -> None:
    grown, fresh = Home(tmp_path / "grown"), Home(tmp_path / "fresh")
    with Simulator(size="small") as simulator:
        settings = configured(simulator)
        read(grown, settings, "github")
        for _ in range(6):  # what happens in a year, read in six parts
            simulator.advance(days=60)
            read(grown, settings, "github")
            warehouse_upkeep.tidy(grown)  # as after each publish
        read(fresh, settings, "github", full=True)
        warehouse_upkeep.tidy(fresh)
        full = fresh.working.stat().st_size
        assert raw(grown, "raw_github") == raw(fresh, "raw_github")
        assert query(grown, "select count(*) from raw_github._dlt_pipeline_state") == [(1,)]
        # what merging left beside the tables: no rows, and no files
        staged = query(
            grown,
            """select table_name from duckdb_tables()
               where schema_name = 'raw_github_staging' and not starts_with(table_name, '_dlt')""",
        )
        assert len(staged) > 10
        assert {query(grown, f"select count(*) from raw_github_staging.{name}")[0] for (name,) in staged} == {(0,)}
        assert list(grown.dlt.rglob("*.parquet")) == []
        assert grown.working.stat().st_size <= 1.5 * full

        # the other loads of the year, one every hour: each leaves a row of state, of a hundred repositories
        remember_hourly_loads(grown)
        assert grown.working.stat().st_size > 10 * full
        assert warehouse_upkeep.forget_old_loads(grown) > 2 * HOURS - 200
        assert query(grown, "select count(*) <= 101 from raw_github._dlt_loads") == [(True,)]
        compacted = warehouse_upkeep.compact(grown)
        assert grown.working.stat().st_size == compacted.after < compacted.before
        assert compacted.after <= 1.5 * full

        # and the next load goes on from there
        assert sum(outcome.rows for outcome in read(grown, settings, "github")) == 0


def remember_hourly_loads(home: Home) -> None:
    """What dlt itself keeps of a year's loads, before any real one."""
    random.seed(1)
    marks = base64.b64encode(random.randbytes(15_000)).decode()
    load_id = "printf('1600%06d.0', h)"  # seconds since 1970, as text
    with connect(home) as connection:
        connection.execute(
            f"""insert into raw_github._dlt_pipeline_state by name
                select s.* replace (
                    md5(h::varchar) || $marks as state, {load_id} as _dlt_load_id, 'id' || h as _dlt_id)
                from raw_github._dlt_pipeline_state as s, range({HOURS}) as hours(h)""",
            {"marks": marks},
        )
        connection.execute(
            f"""insert into raw_github._dlt_loads by name
                select l.* replace ({load_id} as load_id)
                from (from raw_github._dlt_loads limit 1) as l, range({HOURS}) as hours(h)"""
        )


def filled(home: Home) -> list[tuple[Any, ...]]:
    """A warehouse with a table, a view of it, and room that nothing uses; returns what is in the view."""
    with connect(home) as connection:
        connection.execute("create schema marts; create schema staging; create schema raw")
        connection.execute("create table raw.gone as select md5(i::varchar) as x from range(400000) t(i)")
        connection.execute("create table raw.things (id bigint not null, name varchar)")
        connection.execute("insert into raw.things select i, md5(i::varchar) from range(10000) t(i)")
        connection.execute("create view staging.things as select id, upper(name) as name from warehouse.raw.things")
        connection.execute("create table marts.things as from staging.things")
        connection.execute("checkpoint")
        connection.execute("drop table raw.gone")
    return query(home, "from staging.things order by id")


def test_compacting_gives_room_back_and_changes_nothing(home: Home) -> None:
    content = filled(home)
    leftover = home.path / ".warehouse.duckdb.compacted"
    leftover.write_bytes(b"of a compaction that was killed")
    done = warehouse_upkeep.tidy(home)
    assert done is not None
    assert done.after < done.before / 5
    assert query(home, "from staging.things order by id") == content
    assert query(home, "from marts.things order by id") == content
    assert stat.S_IMODE(home.working.stat().st_mode) == 0o600
    assert not leftover.exists()
    assert warehouse_upkeep.tidy(home) is None
    with connect(home) as connection, pytest.raises(duckdb.ConstraintException):
        connection.execute("insert into raw.things values (null, 'x')")


@pytest.mark.parametrize(
    ("small", "free", "is_worth"), [(10**9, 0.15, False), (10**9, 0.25, True), (0, 0.25, False), (0, 0.4, True)]
)
def test_a_file_is_written_anew_before_it_takes_half_as_much_again(
    home: Home, monkeypatch: pytest.MonkeyPatch, small: int, free: float, is_worth: bool
) -> None:
    monkeypatch.setattr(duckdb_file, "SMALL", small)
    with connect(home) as connection:
        connection.execute("set threads = 1")  # several leave blocks that are not full, as many as it happens
        for name, share in (("kept", 1 - free), ("gone", free), ("last", 0.01)):  # (free blocks at the end are cut off)
            rows = f"select md5(i::varchar) || md5((-i)::varchar) as x from range({int(share * 300_000)}) t(i)"
            connection.execute(f"create table {name} as {rows}")
            connection.execute("checkpoint")
        connection.execute("drop table gone")
    assert duckdb_file.DuckDBFile(home).is_worth_compacting() is is_worth


def test_the_command_waits_for_its_turn_and_tells_both_sizes(home: Home) -> None:
    content = filled(home)
    result = veelocity("compact", VEELOCITY_HOME=str(home.path))
    assert result.returncode == 0, result.stderr
    assert "MB before" in result.stdout
    assert query(home, "from staging.things order by id") == content


def test_a_full_disk_leaves_the_warehouse_as_it_was(home: Home) -> None:
    content = filled(home)
    before = home.working.read_bytes()
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from veelocity_pipeline.warehouse.home import Home\n"
        "from veelocity_pipeline.warehouse.lock import writing\n"
        "from veelocity_pipeline.warehouse.upkeep import compact\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"
        "home = Home(Path(sys.argv[1]))\n"
        "with writing(home, 'a test'):\n"
        "    compact(home)\n"
    )
    result = subprocess.run([sys.executable, "-c", code, home.path], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "warehouse.duckdb" in result.stderr
    assert home.working.read_bytes() == before
    assert query(home, "from staging.things order by id") == content
    assert sorted(path.name for path in home.path.glob("*duckdb*")) == ["warehouse.duckdb"]


def test_a_reader_keeps_compacting_off_and_is_named(home: Home) -> None:
    filled(home)
    with reader_of(home.working) as pid, pytest.raises(WarehouseError, match=f"process {pid}"):
        warehouse_upkeep.compact(home)


def test_a_backup_put_back_goes_on_where_it_was(
    refreshed: Home, tmp_path: Path, configured: Callable[[Simulator], Settings]
) -> None:
    home, copy = Home(tmp_path / "home"), tmp_path / "backup"
    home.make()
    for file in (refreshed.working, refreshed.published, refreshed.status):
        shutil.copy2(file, home.path / file.name)
    before = marts(home)
    result = veelocity("backup", str(copy), VEELOCITY_HOME=str(home.path))
    assert result.returncode == 0, result.stdout + result.stderr
    assert sorted(path.name for path in copy.iterdir()) == ["status.json", "veelocity.duckdb", "warehouse.duckdb"]

    shutil.rmtree(home.path)
    shutil.copytree(copy, home.path, copy_function=shutil.copy2)  # as the documentation says: cp -a
    assert marts(home) == before
    assert stat.S_IMODE(home.working.stat().st_mode) == 0o600
    with Simulator(size="medium") as simulator:
        settings = configured(simulator)
        # (a simulator that was started anew has other ETags, so small lists are read again)
        large = {"pull_requests", "commits", "runs", "issues"}
        again = [outcome for outcome in read(home, settings, *SOURCES) if outcome.table in large]
        assert len(again) >= len(large)
        assert sum(outcome.rows for outcome in again) == 0
        # a day later only that day is read
        simulator.advance(days=1)
        ((known,),) = query(home, "select count(*) from raw_github.pull_requests")
        outcomes = read(home, settings, "github")
    loaded = sum(outcome.rows for outcome in outcomes if outcome.table == "pull_requests")
    assert 0 < loaded < known / 4


def test_no_backup_without_a_warehouse_nor_into_itself(home: Home) -> None:
    with pytest.raises(WarehouseError, match="nothing to back up yet"):
        warehouse_upkeep.back_up(home, home.path / "copy")
    filled(home)
    with pytest.raises(WarehouseError, match="is VEELOCITY_HOME itself"):
        warehouse_upkeep.back_up(home, home.path)
    (home.path / "file").touch()
    with pytest.raises(WarehouseError, match="the backup could not be written"):
        warehouse_upkeep.back_up(home, home.path / "file" / "copy")


@pytest.fixture
def instance(monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("DAGSTER_HOME", "")
    prepare_instance(load_settings())
    with dg.DagsterInstance.get() as made:
        yield made


def hourly_runs(instance: dg.DagsterInstance, count: int) -> list[str]:
    """That many finished runs, one an hour up to now, with the evaluation of a check each; oldest first."""
    now = datetime.now(UTC)
    ids = [str(uuid.UUID(int=number + 1)) for number in range(count)]
    instance.add_run(
        dg.DagsterRun(job_name="incremental_refresh", run_id="pattern", status=dg.DagsterRunStatus.SUCCESS)
    )
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        [pattern] = connection.execute(sa.select(RunsTable)).mappings().fetchall()
        connection.execute(RunsTable.delete())
        moments = [(now - timedelta(hours=count - number)).replace(tzinfo=None) for number in range(count)]
        connection.execute(
            RunsTable.insert(),
            [
                {
                    **{name: value for name, value in pattern.items() if name != "id"},
                    "run_id": run_id,
                    "run_body": pattern["run_body"].replace("pattern", run_id),
                    "create_timestamp": moment,
                    "update_timestamp": moment,
                }
                for run_id, moment in zip(ids, moments, strict=True)
            ],
        )
    with instance.event_log_storage.index_connection() as connection:  # type: ignore[attr-defined]
        connection.execute(
            AssetCheckExecutionsTable.insert(),
            [
                {"asset_key": '["a"]', "check_name": name, "run_id": run_id, "execution_status": "SUCCEEDED"}
                for run_id in ids
                for name in ("always", "once")
                if name == "always" or run_id in ids[5:6]
            ],
        )
    return ids


def test_a_year_of_hourly_runs_is_pruned_to_two_weeks(instance: dg.DagsterInstance) -> None:
    storage = instance.event_log_storage
    assert isinstance(storage, SqliteEventLogStorage)
    ids = hourly_runs(instance, HOURS)
    quiet = dg.DagsterEvent(
        dg.DagsterEventType.ASSET_MATERIALIZATION.value,
        "incremental_refresh",
        event_specific_data=StepMaterializationData(dg.AssetMaterialization("quiet")),
    )
    old, spared = ids[:3], ids[7]
    for run_id in (*old, spared):  # they have events, a file and captured output
        instance.report_engine_event("began", run_id=run_id, job_name="incremental_refresh")
        (Path(instance.storage_directory()) / run_id / "compute_logs").mkdir(parents=True)
    instance.report_dagster_event(quiet, run_id=spared)
    folder = Path(storage.path_for_shard(spared)).parent
    assert len(list(folder.glob("*.db"))) >= 5

    assert prune_history(instance, 14, most=3) == 3
    assert [instance.get_run_by_id(run_id) for run_id in old] == [None] * 3
    assert not any(path.name.startswith(run_id) for path in folder.iterdir() for run_id in old)
    assert not any((Path(instance.storage_directory()) / run_id).exists() for run_id in old)

    prune_history(instance, 14, most=None)
    left = {record.dagster_run.run_id for record in instance.get_run_records()}
    assert left == {spared, *ids[-14 * 24 :]} or left == {spared, *ids[-14 * 24 + 1 :]}
    event = instance.get_latest_materialization_event(dg.AssetKey("quiet"))
    assert event is not None
    assert event.run_id == spared
    assert instance.all_logs(spared)
    with storage.index_connection() as connection:
        rows = connection.execute(
            sa.select(AssetCheckExecutionsTable.c.check_name, sa.func.count()).group_by("check_name")
        ).fetchall()
    counts: dict[str, int] = dict(map(tuple, rows))
    assert counts["once"] == 1  # the last of each check stays
    assert counts["always"] in (14 * 24, 14 * 24 - 1)
    assert prune_history(instance, 14, most=None) == 0


def test_the_newest_runs_stay_however_old(instance: dg.DagsterInstance) -> None:
    ids = hourly_runs(instance, KEPT_RUNS + 20)
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        connection.execute(RunsTable.update().values(create_timestamp=datetime(2020, 1, 1)))  # noqa: DTZ001
    prune_history(instance, 1, most=None)
    left = {record.dagster_run.run_id for record in instance.get_run_records()}
    assert set(ids[-KEPT_RUNS:]) <= left


def test_finished_runs_leave_no_write_ahead_log(instance: dg.DagsterInstance) -> None:
    storage = instance.event_log_storage
    assert isinstance(storage, SqliteEventLogStorage)
    [done] = hourly_runs(instance, 1)
    instance.report_engine_event("began", run_id=done, job_name="incremental_refresh")
    file = storage.path_for_shard(done)
    code = (
        "import os, sqlite3, sys; connection = sqlite3.connect(sys.argv[1]); "
        "connection.execute('delete from event_logs'); connection.commit(); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, file], check=True)
    assert Path(file + "-wal").stat().st_size > 0
    prune_history(instance, 14)
    log = Path(file + "-wal")
    assert not log.exists() or log.stat().st_size == 0


def test_a_run_of_yesterday_forgets_what_it_was_going_to_do(instance: dg.DagsterInstance) -> None:
    storage = instance.event_log_storage
    assert isinstance(storage, SqliteEventLogStorage)
    turn = {"asset": True, "fails": False}
    spec = dg.AssetCheckSpec("large", asset="table")

    @dg.multi_asset(specs=[dg.AssetSpec("table", skippable=True)], check_specs=[spec], can_subset=True)
    def table() -> Iterator[Any]:
        if turn["fails"]:
            raise ValueError("full")
        if turn["asset"]:
            yield dg.MaterializeResult(asset_key="table")
            yield dg.AssetCheckResult(asset_key="table", check_name="large", passed=True)

    def run(**changes: bool) -> str:
        turn.update(changes)
        return dg.materialize([table], instance=instance, raise_on_error=False).run_id

    def kinds(run_id: str) -> set[str]:
        return {
            entry.dagster_event.event_type_value
            for entry in instance.all_logs(run_id)
            if entry.dagster_event is not None
        }

    full, idle, failed, today = run(), run(asset=False), run(fails=True), run(asset=True, fails=False)
    plans = {"ASSET_MATERIALIZATION_PLANNED", "ASSET_CHECK_EVALUATION_PLANNED"}
    before = {run_id: kinds(run_id) for run_id in (full, idle, failed, today)}
    assert all(plans <= each for each in before.values())
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        yesterday = datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=25)
        connection.execute(RunsTable.update().where(RunsTable.c.run_id != today).values(create_timestamp=yesterday))
    for _ in range(2):
        assert prune_history(instance, 14) == 0
        assert kinds(full) == before[full] - plans - {"STEP_OUTPUT"}
        assert kinds(full) >= {"ASSET_MATERIALIZATION", "ASSET_CHECK_EVALUATION", "STEP_SUCCESS", "PIPELINE_SUCCESS"}
        assert kinds(idle) == before[idle] - plans
        assert (kinds(failed), kinds(today)) == (before[failed], before[today])
    with sqlite3.connect(storage.path_for_shard(full)) as connection:
        assert connection.execute("pragma freelist_count").fetchall() == [(0,)]  # its file gave the room back

    # what the pages of the asset and of its check show: the run of today, the failed one, and the first
    materialized = instance.fetch_materializations(dg.AssetKey("table"), limit=9).records
    assert [record.run_id for record in materialized] == [today, full]
    found = storage.get_asset_check_execution_history(spec.key, limit=9)
    assert [(record.run_id, record.status.value) for record in found] == [
        (today, "SUCCEEDED"),
        (failed, "PLANNED"),
        (full, "SUCCEEDED"),
    ]
    assert all(record.event is not None for record in found)
    with storage.index_connection() as connection:
        kept = connection.execute(
            sa.text("select count(*) from event_logs where run_id = :run"), {"run": idle}
        ).scalar()
    assert kept == 2  # it began and ended


def test_a_log_that_grew_is_put_aside_once(home: Home) -> None:
    log = home.path / "refresh.log"
    upkeep.put_aside(log)
    log.write_bytes(b"x" * upkeep.LOG_BYTES)
    upkeep.put_aside(log)
    assert log.exists()
    log.write_bytes(b"y" * (upkeep.LOG_BYTES + 1))
    upkeep.put_aside(log)
    assert not log.exists()
    assert (home.path / "refresh.log.1").read_bytes()[:1] == b"y"


def test_sizes_are_what_the_folder_takes(refreshed: Home) -> None:
    parts = upkeep.sizes(refreshed)
    blocks = sum(path.stat().st_blocks * 512 for path in refreshed.path.rglob("*") if path.is_file())
    assert 0.95 * blocks < sum(parts.values()) <= blocks
    assert parts["warehouse"] > parts["published"] > 0
    result = veelocity("status", VEELOCITY_HOME=str(refreshed.path))
    assert f"warehouse {parts['warehouse'] / 1e6:,.1f} MB" in result.stdout
    assert "free on its disk" in result.stdout
