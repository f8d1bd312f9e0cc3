"""Dagster's history in our storage: the rows of Dagster's own, for fewer transactions; and what a look leaves there."""

import ast
import contextlib
import multiprocessing
import os
import re
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from dagster._core.storage.event_log import SqliteEventLogStorage

from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.config.settings import CHECKOUT
from veelocity_pipeline.defs import history, quiet
from veelocity_pipeline.defs.execute import prepare_instance
from veelocity_pipeline.defs.history import INDEX, MOST_OPEN, SqliteEvents
from veelocity_pipeline.defs.instance import prune_history
from veelocity_pipeline.defs.loaded import CONFIGURED
from veelocity_pipeline.operations.idle import Quiet
from veelocity_pipeline.operations.jobs import INCREMENTAL
from veelocity_pipeline.operations.measured import Measured
from veelocity_pipeline.sources import SOURCES
from veelocity_pipeline.warehouse.home import Home

RUN = "00000000-0000-0000-0000-00000000000"
PLANNED = {"ASSET_MATERIALIZATION_PLANNED", "ASSET_CHECK_EVALUATION_PLANNED"}


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("DAGSTER_HOME", "")
    return prepare_instance(load_settings())


@pytest.fixture
def instance(home: Home) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.get() as made:
        yield made


def events_of(instance: dg.DagsterInstance) -> SqliteEvents:
    storage = instance.event_log_storage
    assert isinstance(storage, SqliteEvents)
    return storage


def a_job(count: int = 3) -> dg.JobDefinition:
    """Tables with a version and two checks each, of which one fails; one table is skipped, one only observed."""
    names = [f"table_{number}" for number in range(count)]

    @dg.multi_asset(
        specs=[dg.AssetSpec(name, skippable=True) for name in [*names, "skipped"]],
        check_specs=[dg.AssetCheckSpec(check, asset=name) for name in names for check in ("fine", "failing")],
        can_subset=True,
    )
    def tables(context: dg.AssetExecutionContext) -> Iterator[Any]:
        context.log.info("begun")
        for name in names:
            yield dg.MaterializeResult(name, metadata={"rows": 7}, data_version=dg.DataVersion(f"of {name}"))
            for check in ("fine", "failing"):
                yield dg.AssetCheckResult(asset_key=name, check_name=check, passed=check == "fine")
        context.log_event(dg.AssetObservation("elsewhere", tags={"dagster/data_version": "1"}))

    return dg.Definitions(assets=[tables], jobs=[dg.define_asset_job("a_job")]).resolve_job_def("a_job")


def run(instance: dg.DagsterInstance, number: int, job: dg.JobDefinition | None = None) -> str:
    result = (job or a_job()).execute_in_process(instance=instance, run_id=f"{RUN}{number}")
    assert result.success
    return result.run_id


# ------------------------------------------------------------------------------- the rows of Dagster's own


def rows(file: Path) -> dict[str, list[Any]]:
    """What a file of the history holds, without what differs from run to run: times, processes, folders."""

    def plain(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        value = re.sub(r'"(pid|timestamp|duration_ms)": [\d.e+-]+', r'"\1": 0', value)
        value = re.sub(r"\d{4}-\d\d-\d\d[ T][\d:.]+", "then", value)
        return re.sub(r"pid: \d+|process \(pid: \d+\)|[a-z]{8}(?=\")|/[^\" ]*|[\d.]+(ms|s)\b", "", value)

    kept: dict[str, list[Any]] = {}
    with contextlib.closing(sqlite3.connect(file)) as connection:
        schema = "select type, name, sql from sqlite_master order by 1, 2"
        kept["schema"] = [(kind, name, plain(sql)) for kind, name, sql in connection.execute(schema)]
        for (table,) in connection.execute("select name from sqlite_master where type = 'table'").fetchall():
            if not table.startswith(("sqlite_", "secondary_indexes")):
                content = connection.execute(f"select * from {table} order by rowid").fetchall()
                kept[table] = [tuple(map(plain, row)) for row in content]
    return kept


def test_the_rows_are_those_of_dagsters_own_storage(home: Home, tmp_path: Path) -> None:
    (tmp_path / "default").mkdir()
    with dg.DagsterInstance.get() as ours, dg.DagsterInstance.local_temp(str(tmp_path / "default")) as default:
        for each in (ours, default):
            run(each, 1)
            run(each, 2)
            each.report_runless_asset_event(dg.AssetMaterialization("table_0", tags={"dagster/data_version": "x"}))
            each.report_runless_asset_event(
                dg.AssetCheckEvaluation(asset_key=dg.AssetKey("table_1"), check_name="failing", passed=True)
            )
        assert type(default.event_log_storage) is SqliteEventLogStorage
        for shard in (INDEX, f"{RUN}1", f"{RUN}2", ""):
            own = rows(Path(events_of(ours).path_for_shard(shard)))
            its = rows(Path(default.event_log_storage.path_for_shard(shard)))
            assert own.keys() == its.keys()
            for table, content in its.items():
                assert own[table] == content, (shard, table)
            assert len(its["event_logs"]) > 0


def test_a_home_of_the_default_storage_goes_on_in_both_directions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    folder = Home(load_settings().home).dagster
    folder.mkdir(parents=True)
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")  # as an earlier version rendered it
    job = a_job()
    with dg.DagsterInstance.from_config(str(folder)) as default:
        assert type(default.event_log_storage) is SqliteEventLogStorage
        run(default, 1, job)
        default.daemon_cursor_storage.set_cursor_values({"seen": "17"})

    prepare_instance(load_settings())
    with dg.DagsterInstance.from_config(str(folder)) as ours:
        assert isinstance(ours.event_log_storage, SqliteEvents)
        assert [each.run_id for each in ours.get_runs()] == [f"{RUN}1"]
        assert ours.daemon_cursor_storage.get_cursor_values({"seen"}) == {"seen": "17"}
        last = ours.get_latest_materialization_event(dg.AssetKey("table_0"))
        assert last is not None
        assert last.run_id == f"{RUN}1"
        before = len(ours.all_logs(f"{RUN}1"))
        assert before > 20
        run(ours, 2, job)

    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.from_config(str(folder)) as default:
        assert [each.run_id for each in default.get_runs()] == [f"{RUN}2", f"{RUN}1"]
        assert len(default.all_logs(f"{RUN}2")) == before
        run(default, 3, job)
        check = dg.AssetCheckKey(dg.AssetKey("table_0"), "failing")
        found = default.event_log_storage.get_asset_check_execution_history(check, limit=9)
        assert [each.run_id for each in found] == [f"{RUN}{number}" for number in (3, 2, 1)]


def test_a_home_that_was_moved_takes_its_history_along(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dg.DagsterInstance.get() as instance:
        run(instance, 1)
    home.path.rename(tmp_path / "elsewhere")
    monkeypatch.setenv("VEELOCITY_HOME", str(tmp_path / "elsewhere"))
    prepare_instance(load_settings())
    with dg.DagsterInstance.get() as instance:
        assert [each.run_id for each in instance.get_runs()] == [f"{RUN}1"]
        assert len(instance.all_logs(f"{RUN}1")) > 20
    assert not home.path.exists()


@pytest.mark.parametrize("name", ["plain", "with space", 'd\'été: #1 "quoted" {x} $HOME', "日本 😀"])
def test_a_folder_may_have_any_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv("VEELOCITY_HOME", str(tmp_path / name))
    home = prepare_instance(load_settings())
    with dg.DagsterInstance.from_config(str(home.dagster)) as made:
        run(made, 1, a_job(1))
    assert (home.dagster / "history" / "runs" / f"{RUN}1.db").exists()


# ------------------------------------------------------------------------------------- nothing is replaced


def test_only_one_module_knows_how_dagster_stores() -> None:
    knowing: dict[str, set[str]] = {}
    for file in (CHECKOUT / "veelocity_pipeline").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [ast.unparse(node)] if isinstance(node, ast.Attribute) else []
            for inside in (re.match(r"(?:dagster|dg)\._core\b\.?(\w*)", name) for name in names):
                if inside is not None:
                    knowing.setdefault(file.name, set()).add(inside[1])
    assert knowing == {"history.py": {"events", "instance", "storage"}, "webserver.py": {"workspace"}}


_KEEPS_NAMES = """
import os, sys, types
import dagster as dg
from dagster._core.storage import sqlite_storage
import dagster_postgres

def named():
    found = {}
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] in ("dagster", "dagster_postgres", "dagster_shared", "alembic", "sqlalchemy"):
            for key, value in list(vars(module).items()):
                if isinstance(value, (type, types.FunctionType)):
                    found[name, key] = value
                    if isinstance(value, type) and value.__module__ == name:
                        methods = {k: v for k, v in vars(value).items() if isinstance(v, types.FunctionType)}
                        found.update({(name, key, k): v for k, v in methods.items()})
    return found

before = named()
from veelocity_pipeline.defs.execute import prepare_instance
from veelocity_pipeline.defs import history, history_postgres, quiet
from veelocity_pipeline.config.load import load_settings
prepare_instance(load_settings())
with dg.DagsterInstance.get() as instance:
    assert quiet.record(instance, [], "00000000-0000-0000-0000-000000000001", "a test").success
after = named()
print(sorted(key for key, value in before.items() if after.get(key) is not value))
"""


def test_no_name_inside_dagster_is_replaced() -> None:
    result = subprocess.run([sys.executable, "-c", _KEEPS_NAMES], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"


def test_other_databases_of_the_process_are_left_alone(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    run(instance, 1, a_job(1))
    other = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(other)) as connection:
        connection.execute("pragma journal_mode = wal")
    with sa.create_engine(f"sqlite:///{other}").connect() as connected:
        assert connected.exec_driver_sql("pragma synchronous").scalar() == 2  # full


def test_the_storage_is_light_to_import() -> None:
    heavy = (
        "{'duckdb', 'dlt', 'dbt', 'pyarrow', 'veelocity_pipeline.config.settings', 'veelocity_pipeline.defs.location'}"
    )
    for module in ("history", "history_postgres"):
        code = f"import sys, veelocity_pipeline.defs.{module}; print({heavy} & set(sys.modules))"
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert result.stdout.strip() == "set()"


# ---------------------------------------------------------------------------------------- how it is written


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Transactions, by the file's name."""
    counted: Counter[str] = Counter()
    made = history._engine

    def counting(url: str) -> sa.Engine:
        engine = made(url)
        sa.event.listen(engine, "commit", lambda _connection: counted.update([Path(url).stem]))
        return engine

    monkeypatch.setattr(history, "_engine", counting)
    return counted


def test_what_a_run_announces_is_one_transaction(commits: Counter[str], home: Home) -> None:
    job = a_job(40)
    with dg.DagsterInstance.get() as instance:
        commits.clear()
        made = instance.create_run_for_job(job)
        kinds = Counter(entry.dagster_event.event_type_value for entry in instance.all_logs(made.run_id))  # type: ignore[union-attr]
        assert kinds == {"ASSET_MATERIALIZATION_PLANNED": 41, "ASSET_CHECK_EVALUATION_PLANNED": 80}
        # (to make the file is one, to read it is one)
        assert commits[made.run_id] <= 3
        assert commits[INDEX] <= 5


def test_an_event_is_one_transaction_in_each_of_its_files(commits: Counter[str], instance: dg.DagsterInstance) -> None:
    def spent(event: Callable[[], object]) -> dict[str, int]:
        commits.clear()
        event()
        return dict(commits)

    made = instance.add_run(dg.DagsterRun("a_job", run_id=f"{RUN}1", status=dg.DagsterRunStatus.STARTED))
    told = dg.AssetMaterialization("table", tags={"dagster/data_version": "1"})
    check = dg.AssetCheckEvaluation(asset_key=dg.AssetKey("table"), check_name="fine", passed=True)
    for _ in range(2):
        engine = spent(lambda: instance.report_engine_event("said", made))
        materialized = spent(lambda: instance.report_runless_asset_event(told))
        checked = spent(lambda: instance.report_runless_asset_event(check))
    assert engine == {f"{RUN}1": 1}
    assert materialized == checked == {".db": 1, INDEX: 1}


def test_a_batch_is_stored_whole_or_not_at_all(instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = SqliteEvents.store_asset_check_event
    seen = []

    def fails_once(self: SqliteEvents, event: dg.EventLogEntry, event_id: int | None) -> None:
        seen.append(event_id)
        if len(seen) == 5:
            raise OSError("no space")
        stored(self, event, event_id)

    monkeypatch.setattr(SqliteEvents, "store_asset_check_event", fails_once)
    made = instance.create_run_for_job(a_job(4))  # Dagster stores one by one then
    kinds = Counter(entry.dagster_event.event_type_value for entry in instance.all_logs(made.run_id))  # type: ignore[union-attr]
    assert kinds == {"ASSET_MATERIALIZATION_PLANNED": 5, "ASSET_CHECK_EVALUATION_PLANNED": 8}
    with events_of(instance).index_connection() as index:
        assert index.exec_driver_sql("select count(*) from event_logs").scalar() == 13
        assert index.exec_driver_sql("select count(*) from asset_check_executions").scalar() == 8


def test_the_history_waits_for_the_disk_at_checkpoints_alone(instance: dg.DagsterInstance) -> None:
    storage = events_of(instance)
    made = run(instance, 1)
    for connect in (
        lambda: storage.run_connection(made),
        storage.index_connection,
        instance.run_storage.connect,  # type: ignore[attr-defined]
        instance.schedule_storage.connect,  # type: ignore[union-attr]
    ):
        with connect() as connection:
            assert connection.exec_driver_sql("pragma journal_mode").scalar() == "wal"
            assert connection.exec_driver_sql("pragma synchronous").scalar() == 1  # normal
    # what was written is in the log beside the file, and read from there by others
    file = Path(storage.path_for_shard(made))
    assert file.with_name(file.name + "-wal").stat().st_size > 0
    with contextlib.closing(sqlite3.connect(file)) as other:
        assert other.execute("select count(*) from event_logs").fetchone() == (len(instance.all_logs(made)),)
    instance.dispose()
    assert list(file.parent.glob("*-wal")) == []


def test_dagsters_revisions_are_read_once_for_all_files(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[object] = []
    from_config = ScriptDirectory.from_config

    def counting(config: Any) -> ScriptDirectory:
        read.append(config)
        return from_config(config)

    monkeypatch.setattr(ScriptDirectory, "from_config", counting)
    history._revisions.cache_clear()
    prepare_instance(load_settings())
    with dg.DagsterInstance.get() as instance:
        for number in range(4):
            run(instance, number, a_job(1))
    assert len(read) == 1


def test_few_files_stay_open_however_many_runs_are_looked_at(instance: dg.DagsterInstance) -> None:
    ids = [f"{RUN}{number:02}"[-36:] for number in range(MOST_OPEN + 10)]
    for run_id in ids:
        instance.report_engine_event(f"of {run_id}", run_id=run_id, job_name="a_job")
    for run_id in ids:
        assert [entry.dagster_event.message for entry in instance.all_logs(run_id)] == [f"of {run_id}"]  # type: ignore[union-attr]
    links = [Path("/proc/self/fd") / name for name in os.listdir("/proc/self/fd")]  # noqa: PTH208
    targets = [str(link.readlink()) for link in links if link.is_symlink()]
    assert 0 < len({target for target in targets if target.endswith(".db") and RUN[:8] in target}) <= MOST_OPEN


def test_threads_do_not_see_each_others_transactions(instance: dg.DagsterInstance) -> None:
    storage, errors = events_of(instance), []

    def tell(number: int) -> None:
        try:
            for turn in range(20):
                instance.report_engine_event(f"{number} {turn}", run_id=f"{RUN}1", job_name="a_job")
                instance.report_runless_asset_event(dg.AssetMaterialization(f"table_{number}"))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=tell, args=(number,)) for number in range(4)]
    with contextlib.suppress(ZeroDivisionError), storage.run_connection(f"{RUN}1") as connection:
        for thread in threads:
            thread.start()
        connection.exec_driver_sql("delete from event_logs")
        raise ZeroDivisionError  # rolled back, and nothing of theirs with it
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(instance.all_logs(f"{RUN}1")) == 80
    for number in range(4):
        assert len(instance.fetch_materializations(dg.AssetKey(f"table_{number}"), limit=99).records) == 20


def _write(home: str, number: int, together: Any) -> None:
    os.environ["DAGSTER_HOME"] = home
    with dg.DagsterInstance.get() as instance:
        together.wait(120)
        for turn in range(30):
            instance.report_engine_event(f"{number} {turn}", run_id=f"{RUN}1", job_name="a_job")
            instance.report_runless_asset_event(dg.AssetMaterialization("table"))


def test_processes_that_write_one_run_at_once_lose_nothing(home: Home) -> None:
    """None of its file is there before; each makes it, or waits for who does."""
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(3)
    processes = [context.Process(target=_write, args=(str(home.dagster), number, together)) for number in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(300)
        assert process.exitcode == 0
    with dg.DagsterInstance.get() as instance:
        assert len(instance.all_logs(f"{RUN}1")) == 90
        assert len(instance.fetch_materializations(dg.AssetKey("table"), limit=999).records) == 90


def test_who_watches_a_run_sees_each_event_at_once(instance: dg.DagsterInstance) -> None:
    seen: list[str] = []
    last = threading.Event()

    def see(entry: dg.EventLogEntry, _cursor: str) -> None:
        seen.append((entry.dagster_event and entry.dagster_event.message) or "")
        if seen[-1] == "3":
            last.set()

    made = instance.add_run(dg.DagsterRun("a_job", run_id=f"{RUN}1", status=dg.DagsterRunStatus.STARTED))
    instance.watch_event_logs(made.run_id, None, see)
    with dg.DagsterInstance.get() as writer:  # its connections stay open meanwhile
        for number in range(4):
            writer.report_engine_event(str(number), made)
        assert last.wait(60)
    assert seen == ["0", "1", "2", "3"]
    instance.end_watch_event_logs(made.run_id, see)


def test_a_deleted_run_leaves_only_what_is_the_last_of_its_kind(instance: dg.DagsterInstance) -> None:
    job, storage = a_job(), events_of(instance)
    for number in (1, 2):
        run(instance, number, job)

    def left(run_id: str) -> dict[str, int]:
        tables = ("event_logs", "asset_check_executions")
        with storage.index_connection() as index:
            found = {
                name: index.exec_driver_sql(f"select count(*) from {name} where run_id = ?", (run_id,)).scalar()
                for name in tables
            }
            tags = "select count(*) from asset_event_tags where event_id not in (select id from event_logs)"
            assert index.exec_driver_sql(tags).scalar() == 0
        return found

    folder = Path(storage.path_for_shard(INDEX)).parent
    before = left(f"{RUN}2")
    instance.delete_run(f"{RUN}1")
    assert left(f"{RUN}1") == {"event_logs": 0, "asset_check_executions": 0}
    assert not list(folder.glob(f"{RUN}1*"))
    assert left(f"{RUN}2") == before
    instance.delete_run(f"{RUN}2")
    assert left(f"{RUN}2") == {"event_logs": 0, "asset_check_executions": 6}


def test_a_deletion_that_was_cut_off_is_finished_later(instance: dg.DagsterInstance) -> None:
    storage = events_of(instance)
    for number in (1, 2, 3):
        run(instance, number)
    for number in (1, 2):  # as delete_run begins
        instance.run_storage.delete_run(f"{RUN}{number}")
    instance.dispose()
    for number in (2, 3):
        os.utime(storage.path_for_shard(f"{RUN}{number}"), (0, 0))
    prune_history(instance, 14)
    files = {file.name for file in Path(storage.path_for_shard(INDEX)).parent.glob(f"{RUN}?.db")}
    assert files == {f"{RUN}1.db", f"{RUN}3.db"}  # the first may have been written by a run that begins just now
    with storage.index_connection() as index:
        left = index.exec_driver_sql("select distinct run_id from event_logs order by 1").scalars().all()
    assert left == [f"{RUN}1", f"{RUN}3"]


def test_a_full_disk_loses_the_event_and_nothing_else(instance: dg.DagsterInstance) -> None:
    storage = events_of(instance)

    def tell(text: str) -> None:
        instance.report_engine_event(text, run_id=f"{RUN}1", job_name="a_job")

    tell("before")
    with storage.run_connection(f"{RUN}1") as connection:
        pages = connection.exec_driver_sql("pragma page_count").scalar()
        most = connection.exec_driver_sql("pragma max_page_count").scalar()
        connection.exec_driver_sql(f"pragma max_page_count = {pages}")
    with pytest.raises(sa.exc.OperationalError, match="disk is full"):
        tell("x" * 100_000)
    with storage.run_connection(f"{RUN}1") as connection:
        connection.exec_driver_sql(f"pragma max_page_count = {most}")
    tell("after")
    assert [entry.dagster_event.message for entry in instance.all_logs(f"{RUN}1")] == ["before", "after"]  # type: ignore[union-attr]


# --------------------------------------------------------------------------------------------- what a look leaves


def a_look() -> list[Quiet]:
    """Each source was asked and had nothing new."""
    answers = []
    for entry in SOURCES.values():
        count = dict.fromkeys(entry.tables, 3)
        answers.append(Quiet(entry, [], [f"{entry.title}: nothing new"], Measured(count, count, count)))
    return answers


TABLES = [dg.AssetKey([entry.name, table]) for entry in SOURCES.values() for table in entry.tables]


def test_a_look_is_a_run_of_the_job_and_keeps_the_data_versions(instance: dg.DagsterInstance) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization(TABLES[0], tags={"dagster/data_version": "before"}))
    result = quiet.record(instance, a_look(), f"{RUN}1", "veelocity refresh")
    assert result.success
    [record] = instance.get_run_records(dg.RunsFilter(job_name=INCREMENTAL))
    made = record.dagster_run
    assert (made.run_id, made.status) == (f"{RUN}1", dg.DagsterRunStatus.SUCCESS)
    assert made.tags["dagster/from_command_line"] == "veelocity refresh"
    assert made.tags[quiet.RESULT_TAG] == "nothing new"
    assert instance.get_job_snapshot(made.job_snapshot_id or "").name == INCREMENTAL

    entries = instance.all_logs(made.run_id)
    kinds = Counter(entry.dagster_event.event_type_value for entry in entries if entry.dagster_event)
    assert kinds["ASSET_MATERIALIZATION"] == len(TABLES)
    assert kinds["ASSET_CHECK_EVALUATION"] == 2 * len(TABLES) + 2 * len(SOURCES)
    assert not kinds.keys() & PLANNED
    assert len(entries) <= 3 * len(TABLES) + 30
    assert {entry.step_key for entry in entries if entry.step_key} == {f"ingest_{name}" for name in SOURCES}
    assert "GitHub: nothing new" in [entry.user_message for entry in entries]
    for each in instance.get_asset_records(TABLES):
        last = each.asset_entry.last_materialization
        assert last is not None
        assert last.run_id == made.run_id
        assert last.asset_materialization is not None
        assert last.asset_materialization.metadata["dagster/row_count"].value == 3
        version = "before" if each.asset_entry.asset_key == TABLES[0] else None
        assert (last.asset_materialization.tags or {}).get("dagster/data_version") == version


def test_a_look_of_yesterday_holds_its_checks_twice_not_thrice(instance: dg.DagsterInstance) -> None:
    storage = events_of(instance)
    quiet.record(instance, a_look(), f"{RUN}1", "veelocity refresh")
    evaluations = "select count(*) from event_logs where dagster_event_type = 'ASSET_CHECK_EVALUATION'"
    count = 2 * len(TABLES) + 2 * len(SOURCES)

    def found() -> list[int | None]:
        counts = []
        for connecting in (storage.run_connection(f"{RUN}1"), storage.index_connection()):
            with connecting as connection:
                counts.append(connection.exec_driver_sql(evaluations).scalar())
        return counts

    for days, left in ((0, [count, count]), (2, [count, 0])):
        with instance.run_storage.connect() as runs:  # type: ignore[attr-defined]
            runs.execute(sa.text(f"update runs set create_timestamp = datetime('now', '-{days} days')"))
        prune_history(instance, 14)
        assert found() == left
    check = dg.AssetCheckKey(TABLES[0], "rows_kept")
    [kept] = storage.get_asset_check_execution_history(check, limit=9)
    assert kept.event is not None


def test_the_job_itself_tells_a_new_history_what_there_is(instance: dg.DagsterInstance) -> None:
    assert not quiet.is_possible(instance)
    instance.report_runless_asset_event(dg.AssetMaterialization(CONFIGURED))
    assert quiet.is_possible(instance)
