"""Whole refreshes, as a user starts them: simulated APIs in, published marts out."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from tests.conftest import VEELOCITY, veelocity
from veelocity_pipeline.simulator import Fault, Simulator
from veelocity_pipeline.warehouse import Home, read_published, read_status

AS_OF_TABLES = {"sync_status"}


def marts(home: Home) -> dict[str, list[tuple[Any, ...]]]:
    """All published rows, sorted; without what holds ``as_of``."""
    content = {}
    with read_published(home.published) as connection:
        tables = connection.execute("select table_name from duckdb_tables() where schema_name = 'marts'").fetchall()
        for (table,) in tables:
            if table in AS_OF_TABLES:
                continue
            columns = connection.execute(
                "select column_name from duckdb_columns() where table_name = ? order by column_index", [table]
            ).fetchall()
            shown = ", ".join(f'"{name}"' for (name,) in columns if "as_of" not in name)
            content[table] = sorted(connection.execute(f"select {shown} from marts.{table}").fetchall(), key=repr)
    return content


def refresh(home: Home, simulator: Simulator, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return veelocity(
        "refresh", *arguments, **{**simulator.environment(), "VEELOCITY_HOME": str(home.path), **environment}
    )


def its_settings(refreshed: Home) -> dict[str, str]:
    """With the settings that made it, nothing has to be built again where nothing new is read."""
    return {"VEELOCITY_CONFIG": str(refreshed.path.with_suffix(".toml"))}


def test_an_increment_gives_the_marts_of_a_full_refresh(tmp_path: Path) -> None:
    grown, fresh = Home(tmp_path / "grown"), Home(tmp_path / "fresh")
    with Simulator(size="small") as simulator:
        first = refresh(grown, simulator)
        assert first.returncode == 0, first.stdout + first.stderr
        before = marts(grown)
        simulator.advance(days=12)
        second = refresh(grown, simulator)
        assert second.returncode == 0, second.stdout + second.stderr
        after = marts(grown)
        assert len(after["fct_pull_requests"]) > len(before["fct_pull_requests"])
        full = refresh(fresh, simulator, "--full")
        assert full.returncode == 0, full.stdout + full.stderr
        expected = marts(fresh)
        assert after.keys() == expected.keys()
        for table, rows in expected.items():
            assert after[table] == rows, table

        # nothing new: nothing is asked twice, nothing is built, no byte of the published file changes
        published = grown.published.read_bytes()
        simulator.log.clear()
        idle = refresh(grown, simulator)
        assert idle.returncode == 0, idle.stdout + idle.stderr
        assert "Nothing new was loaded" in idle.stdout
        assert grown.published.read_bytes() == published


def test_a_repository_and_a_source_that_fail_stop_neither_the_others_nor_what_they_had(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with Simulator(size="small") as simulator:
        assert refresh(home, simulator).returncode == 0
        before = marts(home)
        name = simulator.environment()["GITHUB_REPOSITORIES"].split(",")[0].strip()
        simulator.advance(days=5)
        simulator.faults.append(Fault(kind="forbidden", match=name, times=1000))
        simulator.faults.append(Fault(kind="forbidden", match="/linear", times=1000))
        result = refresh(home, simulator)
        after = marts(home)
    assert result.returncode == 1
    assert "Traceback" not in result.stdout + result.stderr
    assert name in result.stderr
    failing = {("github_actions", name), ("linear", "*")}
    assert {(row["source"], row["repository"]) for row in read_status(home) if row["error"]} - failing <= {
        ("github", name)
    }
    assert {(row["source"], row["repository"]) for row in read_status(home) if row["error"]} >= failing
    place = 1  # repository_id stands second in fct_pull_requests
    assert [row for row in after["fct_deployments"] if row[place] == f"github:{name}"] == [
        row for row in before["fct_deployments"] if row[place] == f"github:{name}"
    ]
    assert after["fct_issues"]
    assert len(after["fct_pull_requests"]) > len(before["fct_pull_requests"])

    # what is published says how old it is, and the checks say what failed
    with read_published(home.published) as connection:
        told = connection.execute(
            "select distinct source, repository from marts.sync_status where error is not null"
        ).fetchall()
        [(linear, github)] = connection.execute(
            """select max(succeeded_at) filter (where source = 'linear'), max(succeeded_at) from marts.sync_status"""
        ).fetchall()
    assert set(told) >= failing
    assert linear < github
    with dg.DagsterInstance.local_temp(str(home.dagster)) as instance:
        run = instance.get_run_records(limit=1)[0].dagster_run
        assert run.status == dg.DagsterRunStatus.SUCCESS
        made = instance.all_logs(run.run_id, of_type={dg.DagsterEventType.ASSET_CHECK_EVALUATION})
        checks = [entry.dagster_event.event_specific_data for entry in made if entry.dagster_event]
    failed: set[str] = {check.asset_key.path[0] for check in checks if not check.passed}  # type: ignore[union-attr]
    assert failed >= {"github_actions", "linear"}
    assert {check.check_name for check in checks if not check.passed} == {"read_completely"}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("environment", "status", "says"),
    [
        ({"GITHUB_TOKEN": "ghp_n0pe"}, 2, "GITHUB_TOKEN"),
        ({"GITHUB_API_URL": "http://127.0.0.1:9"}, 1, "127.0.0.1:9"),
        ({"GITHUB_REPOSITORIES": "acme/nope"}, 1, "acme/nope"),
        ({"LINEAR_API_KEY": "lin_api_n0pe"}, 2, "LINEAR_API_KEY"),
    ],
)
def test_what_cannot_be_read_is_said_and_what_was_published_stays(
    refreshed: Home, tmp_path: Path, environment: dict[str, str], status: int, says: str
) -> None:
    home = Home(tmp_path / "home")
    home.make()
    for name in ("warehouse.duckdb", "veelocity.duckdb"):
        (home.path / name).write_bytes((refreshed.path / name).read_bytes())
    before = marts(home)
    with Simulator(size="medium") as simulator:
        result = refresh(home, simulator, **{**its_settings(refreshed), **environment})
    assert result.returncode == status, result.stdout + result.stderr
    assert says in result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    assert "n0pe" not in result.stdout + result.stderr
    assert len(marts(home)["fct_pull_requests"]) == len(before["fct_pull_requests"])


def test_a_refresh_that_was_killed_is_made_good_by_the_next(tmp_path: Path) -> None:
    """Killed in the middle of building, its process alone: what it had started ends by itself, and locks nobody out."""
    home = Home(tmp_path / "home")
    with Simulator(size="small") as simulator:
        environment = {**os.environ, **simulator.environment(), "VEELOCITY_HOME": str(home.path)}
        process = subprocess.Popen([VEELOCITY, "refresh"], env=environment, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert any("Building the models" in line for line in process.stdout)
        time.sleep(3)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert not home.published.exists()
        result = refresh(home, simulator)
        assert result.returncode == 0, result.stdout + result.stderr
        pull_requests = sum(len(repository.pull_requests) for repository in simulator.organization.repositories)
    assert len(marts(home)["fct_pull_requests"]) == pull_requests


def test_a_locked_warehouse_is_said(refreshed: Home, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    home.working.write_bytes(refreshed.working.read_bytes())
    home.published.write_bytes(refreshed.published.read_bytes())
    code = "import duckdb,sys; c=duckdb.connect(sys.argv[1], read_only=True); print('open', flush=True); input()"
    reader = subprocess.Popen(
        [Path(os.sys.executable), "-c", code, str(home.working)],  # type: ignore[attr-defined]
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "open\n"
        with Simulator(size="medium") as simulator:
            result = refresh(home, simulator, **its_settings(refreshed))
    finally:
        reader.communicate("\n")
    assert result.returncode == 1
    assert f"process {reader.pid}" in result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    assert home.published.read_bytes() == refreshed.published.read_bytes()


def test_status_json_tells_when(refreshed: Home) -> None:
    rows = read_status(refreshed)
    assert {row["source"] for row in rows} == {"github", "github_actions", "linear"}
    for row in rows:
        assert row["error"] is None
        assert datetime.fromisoformat(row["succeeded_at"]).tzinfo is not None


def test_a_failed_test_of_the_models_stops_the_publish(refreshed: Home, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    home.working.write_bytes(refreshed.working.read_bytes())
    home.published.write_bytes(refreshed.published.read_bytes())
    with duckdb.connect(home.working) as connection:
        connection.execute("insert into raw_github.pull_requests from raw_github.pull_requests limit 1")
    with Simulator(size="medium") as simulator:
        result = refresh(home, simulator, **its_settings(refreshed), VEELOCITY_TIMEZONE="Europe/Vienna")
    assert result.returncode == 1
    assert "what was published before is still there" in result.stderr.replace("\n", " ")
    assert "unique" in result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    assert home.published.read_bytes() == refreshed.published.read_bytes()


def test_one_source_alone_makes_a_whole_warehouse(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with Simulator(size="small") as simulator:
        result = refresh(home, simulator, "--only", "github")
    assert result.returncode == 0, result.stdout + result.stderr
    assert {row["source"] for row in read_status(home)} == {"github"}
    assert marts(home)["fct_pull_requests"]


def test_changed_rules_need_no_fetch(refreshed: Home, tmp_path: Path) -> None:
    """Other rules and back again, with nobody to ask: in the end the marts are those of before, row by row."""
    home = Home(tmp_path / "home")
    home.make()
    home.working.write_bytes(refreshed.working.read_bytes())
    home.published.write_bytes(refreshed.published.read_bytes())
    rules = tmp_path / "rules.toml"
    usual = refreshed.path.with_suffix(".toml").read_text(encoding="utf-8")
    names = Simulator(size="medium").environment()["GITHUB_REPOSITORIES"]
    environment = {"VEELOCITY_HOME": str(home.path), "VEELOCITY_CONFIG": str(rules), "GITHUB_REPOSITORIES": names}
    before = marts(home)

    rules.write_text(f'{usual}\n[failures]\nevidence = ["deployment_status"]\n[deployments]\ncount_redeploys = true\n')
    result = veelocity("rebuild", **environment)
    assert result.returncode == 0, result.stdout + result.stderr
    changed = marts(home)
    assert changed["dora_metrics"] != before["dora_metrics"]
    place = list(duckdb.connect(home.published, read_only=True).table("marts.fct_deployment_failures").columns).index
    counting = {row[place("evidence")] for row in changed["fct_deployment_failures"] if row[place("counts")]}
    assert counting == {"deployment_status"}

    rules.write_text(usual)
    result = veelocity("rebuild", **environment)
    assert result.returncode == 0, result.stdout + result.stderr
    again = marts(home)
    for table, rows in before.items():
        assert again[table] == rows, table


def test_nothing_to_rebuild_is_said() -> None:
    result = veelocity("rebuild")
    assert result.returncode == 1
    assert "run `veelocity refresh` first" in result.stderr
