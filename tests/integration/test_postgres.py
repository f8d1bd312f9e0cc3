"""Dagster's history in PostgreSQL: there alone, without the password anywhere, and what goes wrong with it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.runs.sqlite import sqlite_run_storage as sqlite_storage
from dagster._core.storage.sql import get_alembic_config, run_alembic_downgrade
from dagster_postgres import DagsterPostgresStorage, PostgresRunStorage
from dagster_postgres.run_storage import run_storage as postgres_storage
from dagster_postgres.utils import pg_alembic_config

from tests.conftest import VEELOCITY, veelocity
from tests.integration.postgres import PASSWORD, Postgres, running_postgres
from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.config.settings import SettingsError
from veelocity_pipeline.defs.execute import prepare_instance
from veelocity_pipeline.defs.instance import HistoryError, prune_history
from veelocity_pipeline.simulator import Simulator
from veelocity_pipeline.warehouse.home import Home


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


def ask(url: str, query: str) -> list[Any]:
    """The rows of a query."""
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def holding_the_password(home: Home, said: str) -> list[str]:
    """Where the password is, as it is or as a URL has it."""
    secrets = [PASSWORD.encode(), quote(PASSWORD, safe="").encode()]
    texts = {str(path): path.read_bytes() for path in home.path.rglob("*") if path.is_file()}
    texts["output"] = said.encode()
    return [name for name, content in texts.items() if any(secret in content for secret in secrets)]


def test_a_refresh_is_kept_in_postgres(postgres: Postgres, tmp_path: Path) -> None:
    """The first dies with the server, the next is whole: nothing is lost, and the history knows both."""
    home = Home(tmp_path / "home")
    with Simulator(size="tiny") as simulator:
        environment = {
            **simulator.environment(),
            "VEELOCITY_HOME": str(home.path),
            "DAGSTER_POSTGRES_URL": postgres.url,
        }
        process = subprocess.Popen(
            [VEELOCITY, "refresh"],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "GitHub: incremental refresh" in line:
                postgres.stop()
                break
        rest, complaint = process.communicate(timeout=120)
        postgres.start()
        assert process.returncode == 1, complaint
        assert complaint.count("\n") == 1, complaint
        assert complaint.startswith("veelocity: Dagster's history cannot be written: connection to server at"), (
            complaint
        )
        result = veelocity("refresh", **environment)
    assert result.returncode == 0, result.stdout + result.stderr
    assert home.published.exists()

    runs = ask(postgres.url, "select run_id, pipeline_name, status from runs order by id")
    assert [name for _, name, _ in runs] == ["incremental_refresh"] * 2
    assert runs[1][2] == "SUCCESS"
    [(events,)] = ask(postgres.url, f"select count(*) from event_logs where run_id = '{runs[1][0]}'")
    assert events > 500
    [(published,)] = ask(
        postgres.url, """select last_run_id from asset_keys where asset_key = '["published", "veelocity"]'"""
    )
    assert published == runs[1][0]
    assert list(home.dagster.rglob("*.db*")) == []

    assert holding_the_password(home, "".join(said) + rest + complaint + result.stdout + result.stderr) == []
    assert "env: DAGSTER_POSTGRES_URL" in (home.dagster / "dagster.yaml").read_text()


@pytest.mark.parametrize(
    ("database", "password", "error", "says"),
    [
        ("postgres", "wr0ng", SettingsError, 'password authentication failed for user "keeper"'),
        ("nothing", PASSWORD, SettingsError, 'database "nothing" does not exist'),
        (None, "wr0ng", HistoryError, "Connection refused; is the server running, and can it be reached"),
    ],
)
def test_a_server_that_cannot_be_used_is_said(
    postgres: Postgres,
    monkeypatch: pytest.MonkeyPatch,
    database: str | None,
    password: str,
    error: type[Exception],
    says: str,
) -> None:
    url = postgres.url_of(database, password) if database else "postgresql://keeper:wr0ng@127.0.0.1:9/postgres"
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", url)
    with pytest.raises(error, match=f"^DAGSTER_POSTGRES_URL: .*{says}") as raised:
        prepare_instance(load_settings())
    assert len(str(raised.value).splitlines()) == 1
    assert "wr0ng" not in str(raised.value)


OLDER = "1aca709bba64"
"""A revision of Dagster's schema, of version 1.8: since then a table, a column and an index were added."""


def test_a_history_of_an_earlier_dagster_is_brought_up_to_date(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sa.create_engine(postgres.url, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(sa.text("create database earlier"))
    url = postgres.url_of("earlier")
    monkeypatch.setenv("DAGSTER_HOME", "")  # what is set for the process is taken back after the test
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", url)
    prepare_instance(load_settings())
    newest = ask(url, "select version_num from alembic_version")
    with dg.DagsterInstance.get() as instance:
        instance.add_run(dg.DagsterRun(job_name="incremental_refresh", run_id="earlier"))
    with PostgresRunStorage(url).connect() as connection:
        run_alembic_downgrade(pg_alembic_config(str(postgres_storage.__file__)), connection, OLDER)
    there = "select count(*) from information_schema.tables where table_name = 'backfill_tags'"
    assert ask(url, "select version_num from alembic_version") == [(OLDER,)] != newest
    assert ask(url, there) == [(0,)]

    prepare_instance(load_settings())
    assert ask(url, "select version_num from alembic_version") == newest
    assert ask(url, there) == [(1,)]
    assert ask(url, "select run_id from runs") == [("earlier",)]


def test_a_run_of_yesterday_forgets_what_it_was_going_to_do(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sa.create_engine(postgres.url, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(sa.text("create database yesterday"))
    url = postgres.url_of("yesterday")
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", url)
    prepare_instance(load_settings())

    @dg.asset(check_specs=[dg.AssetCheckSpec("large", asset="table")])
    def table() -> Iterator[Any]:
        yield dg.Output(None)
        yield dg.AssetCheckResult(passed=True)

    kinds = "select dagster_event_type, count(*) from event_logs where run_id = '{}' group by 1"
    with dg.DagsterInstance.get() as instance:
        old, new = (dg.materialize([table], instance=instance).run_id for _ in range(2))
        before = dict(ask(url, kinds.format(old)))
        with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
            yesterday = sa.text("update runs set create_timestamp = now() - interval '25 hours' where run_id = :run")
            connection.execute(yesterday, {"run": old})
        prune_history(instance, 14)
        gone = {"ASSET_MATERIALIZATION_PLANNED", "ASSET_CHECK_EVALUATION_PLANNED", "STEP_OUTPUT"}
        after = dict(ask(url, kinds.format(old)))
        assert gone < set(before)
        assert after == {kind: count for kind, count in before.items() if kind not in gone}
        assert after["ASSET_CHECK_EVALUATION"] == 1  # the only place where the run's page finds it
        assert gone < set(dict(ask(url, kinds.format(new))))


def test_the_connection_is_kept_and_asked_before_it_is_used(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Dagster's own storage wrote goes on; a server that was restarted costs no event; nothing stays behind."""
    with sa.create_engine(postgres.url, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(sa.text("create database kept"))
    url = postgres.url_of("kept")
    own = DagsterPostgresStorage(url)
    own.run_storage.add_run(dg.DagsterRun(job_name="rebuild", run_id="earlier"))
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", url)
    prepare_instance(load_settings())
    connected = "select pid from pg_stat_activity where datname = 'kept' and backend_type = 'client backend'"
    with dg.DagsterInstance.get() as instance:
        run = instance.get_run_by_id("earlier")
        assert run is not None
        instance.report_engine_event("first", run)
        before = set(ask(postgres.url, connected))
        assert 0 < len(before) <= 3
        for _ in range(3):
            instance.report_engine_event("again", run)
            assert set(ask(postgres.url, connected)) == before
        postgres.stop()
        postgres.start()
        instance.report_engine_event("after", run)
        assert len(instance.all_logs("earlier")) == 5
    assert ask(postgres.url, connected) == []


def test_what_a_run_announces_is_one_transaction(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    with sa.create_engine(postgres.url, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(sa.text("create database announced"))
    url = postgres.url_of("announced")
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", url)
    prepare_instance(load_settings())
    names = [f"table_{number}" for number in range(20)]

    @dg.multi_asset(
        specs=[dg.AssetSpec(name) for name in names], check_specs=[dg.AssetCheckSpec("fine", asset="table_0")]
    )
    def tables() -> Iterator[Any]:
        yield dg.AssetCheckResult(asset_key="table_0", check_name="fine", passed=True)
        for name in names:
            yield dg.MaterializeResult(name)

    with dg.DagsterInstance.get() as instance:
        assert dg.materialize([tables], instance=instance).success
        assert len(instance.get_asset_records([dg.AssetKey(name) for name in names])) == 20
    planned = "select count(*), count(distinct xmin::text) from event_logs where dagster_event_type like '%PLANNED'"
    assert ask(url, planned) == [(21, 1)]
    # an evaluation and what the table of checks has of it
    same = """select count(*) from event_logs e join asset_check_executions c
        on c.evaluation_event_storage_id = e.id and c.xmin = e.xmin
        where dagster_event_type = 'ASSET_CHECK_EVALUATION'"""
    assert ask(url, same) == [(1,)]


def test_so_is_one_in_sqlite_and_one_of_a_later_dagster_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    home = prepare_instance(load_settings())
    with dg.DagsterInstance.get() as instance:
        instance.add_run(dg.DagsterRun(job_name="incremental_refresh", run_id="earlier"))
    file = home.dagster / "history" / "runs.db"
    with SqliteRunStorage.from_local(str(file.parent)).connect() as connection:
        run_alembic_downgrade(get_alembic_config(str(sqlite_storage.__file__)), connection, OLDER)

    def tables() -> set[str]:
        with contextlib.closing(sqlite3.connect(file)) as connection:
            return {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}

    assert "backfill_tags" not in tables()
    prepare_instance(load_settings())
    assert "backfill_tags" in tables()
    with dg.DagsterInstance.get() as instance:
        assert [run.run_id for run in instance.get_runs()] == ["earlier"]

    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute("update alembic_version set version_num = 'ffffffffffff'")
    with pytest.raises(HistoryError, match="of a later version than this program"):
        prepare_instance(load_settings())
