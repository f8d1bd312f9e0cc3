"""A home through the command line: its first refresh, refreshes that are interrupted, one that goes on, idle ones.

What fails on the way is here, too. The two whole refreshes of ``grown`` alone can show that the command, Dagster's job,
dbt and the publish together come to what the sources' load and the models' SQL come to (``tests.inprocess``).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from tests import inprocess
from tests.conftest import VEELOCITY, copied, reader_of, veelocity
from tests.inprocess import Marts, marts, settings_of
from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.loading.look import look
from veelocity_pipeline.operations import idle
from veelocity_pipeline.published.open import read_published
from veelocity_pipeline.simulator import Fault, Simulator
from veelocity_pipeline.sources import SOURCES, Outcome
from veelocity_pipeline.sources.kit.http import client as http
from veelocity_pipeline.sources.kit.http.errors import TOKEN_REJECTED
from veelocity_pipeline.transform import project
from veelocity_pipeline.warehouse.home import DEMO, Home
from veelocity_pipeline.warehouse.status import read_status
from veelocity_pipeline.warehouse.store import connect


def refresh(home: Home, simulator: Simulator, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return veelocity(
        "refresh", *arguments, **{**simulator.environment(), "VEELOCITY_HOME": str(home.path), **environment}
    )


def its_settings(home: Home) -> dict[str, str]:
    """With the settings that made a shared home, nothing has to be built again where nothing new is read."""
    return {"VEELOCITY_CONFIG": str(home.path.with_suffix(".toml"))}


def its_configuration(home: Home) -> str:
    """The same as text."""
    return home.path.with_suffix(".toml").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Interruption:
    """A refresh that was interrupted: what it said, whether what was published stayed, how its run is shown."""

    result: subprocess.CompletedProcess[str]
    is_published_as_before: bool
    status: dg.DagsterRunStatus


@dataclass(frozen=True)
class Grown:
    """A home after a first refresh, twelve days, interrupted refreshes and an increment; and whom it asks."""

    home: Home
    simulator: Simulator
    before: Marts
    interruptions: list[Interruption] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **self.simulator.environment(),
            "VEELOCITY_HOME": str(self.home.path),
            "VEELOCITY_ENV_FILE": os.devnull,
        }

    def loads(self) -> list[tuple[Any, ...]]:
        """All loads of all sources."""
        with duckdb.connect(self.home.working, read_only=True) as connection:
            return connection.execute(
                " union all ".join(f"from {entry.dataset}._dlt_loads" for entry in SOURCES.values())
            ).fetchall()

    def runs(self) -> list[dg.DagsterRun]:
        """The latest first."""
        with dg.DagsterInstance.from_config(str(self.home.dagster)) as instance:
            return list(instance.get_runs())


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grown]:
    with Simulator(size="small") as simulator:
        home = Home(tmp_path_factory.mktemp("grown") / "home")
        first = refresh(home, simulator, VEELOCITY_ENV_FILE=os.devnull)
        assert first.returncode == 0, first.stdout + first.stderr
        before = marts(home)
        simulator.advance(days=12)
        interruptions = [
            interrupted(home, simulator, match, how)
            for match, how in (("pullRequests", signal.SIGINT), ("/actions/runs", signal.SIGTERM))
        ]
        second = refresh(home, simulator, VEELOCITY_ENV_FILE=os.devnull)
        assert second.returncode == 0, second.stdout + second.stderr
        yield Grown(home, simulator, before, interruptions)


def interrupted(home: Home, simulator: Simulator, match: str, how: signal.Signals) -> Interruption:
    """Refresh, meet a limit of half an hour, and send the signal as soon as the command says so."""
    published = home.published.read_bytes()
    simulator.faults.append(Fault(kind="secondary_limit", match=match, times=1000, retry_after=1_800))
    environment = {"VEELOCITY_HOME": str(home.path), "VEELOCITY_ENV_FILE": os.devnull}
    process = subprocess.Popen(
        [VEELOCITY, "refresh"],
        env={**os.environ, **simulator.environment(), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert any("going on in 30 min" in line for line in process.stdout)
        process.send_signal(how)
        stdout, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    simulator.faults.clear()
    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        status = instance.get_runs(limit=1)[0].status
    result = subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)
    return Interruption(result, home.published.read_bytes() == published, status)


def test_a_wait_ends_with_one_sentence_and_leaves_what_was_published(grown: Grown) -> None:
    """What it leaves of what it had loaded is as good as read in one go: see the next test."""
    assert len(grown.interruptions) == 2
    for interruption in grown.interruptions:
        assert interruption.result.returncode == 1
        [said] = interruption.result.stderr.strip().splitlines()
        assert said.startswith("veelocity: interrupted; ")
        assert "Traceback" not in interruption.result.stdout
        assert interruption.is_published_as_before
        assert interruption.status == dg.DagsterRunStatus.FAILURE


def test_an_increment_gives_the_marts_of_a_full_refresh(grown: Grown, tmp_path: Path) -> None:
    fresh, after = Home(tmp_path / "fresh"), marts(grown.home)
    assert len(after["fct_pull_requests"]) > len(grown.before["fct_pull_requests"])
    assert inprocess.refresh(fresh, settings_of(grown.simulator), full=True) == []
    expected = marts(fresh)
    assert after.keys() == expected.keys()
    for table, rows in expected.items():
        assert after[table] == rows, table


def test_nothing_new_is_asked_once_built_never_and_seen_everywhere(grown: Grown) -> None:
    home = grown.home
    published, loads, rows = home.published.read_bytes(), grown.loads(), read_status(home)
    grown.simulator.log.clear()
    result = refresh(home, grown.simulator)
    assert result.returncode == 0, result.stdout + result.stderr
    said = " ".join(result.stdout.split())
    assert "GitHub: acme/web: nothing new" in said
    assert "Nothing new was loaded, no rule changed and no day passed: what is published stands" in said
    assert home.published.read_bytes() == published
    assert grown.loads() == loads

    asked = Counter((each.api, each.status) for each in grown.simulator.log)
    assert set(asked) == {("graphql", 200), ("rest", 304), ("linear", 200)}
    assert asked["graphql", 200] == 1

    scopes = [(row["source"], row["table_name"], row["repository"]) for row in rows]
    now = read_status(home)
    assert [(row["source"], row["table_name"], row["repository"]) for row in now] == scopes
    for earlier, later in zip(rows, now, strict=True):
        assert later["succeeded_at"] > earlier["succeeded_at"]
        assert (later["error"], later["rows"]) == (None, 0)

    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        run, whole = instance.get_runs(limit=2)
        assert (run.job_name, run.status) == ("incremental_refresh", dg.DagsterRunStatus.SUCCESS)
        assert run.tags["dagster/from_command_line"] == "veelocity refresh"
        assert run.tags["veelocity/result"] == "nothing new"
        # what its page is drawn from
        snapshot = instance.get_execution_plan_snapshot(run.execution_plan_snapshot_id or "")
        assert {step.key for step in snapshot.steps} == {f"ingest_{name}" for name in SOURCES}
        entries = instance.all_logs(run.run_id)
        kinds = Counter(entry.dagster_event.event_type_value for entry in entries if entry.dagster_event)
        tables = [dg.AssetKey([entry.name, table]) for entry in SOURCES.values() for table in entry.tables]
        assert kinds["ASSET_MATERIALIZATION"] == len(tables)
        assert kinds["ASSET_MATERIALIZATION_PLANNED"] == 0
        assert any("acme/api: nothing new" in entry.user_message for entry in entries)
        for record in instance.get_asset_records(tables):
            last = record.asset_entry.last_materialization
            assert last is not None
            assert last.run_id == run.run_id
            assert last.asset_materialization is not None
            [before] = [
                entry.asset_materialization
                for entry in instance.all_logs(whole.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
                if entry.asset_materialization and entry.asset_materialization.asset_key == record.asset_entry.asset_key
            ]
            # as many rows as were there, and the same version of them
            for name in ("dagster/row_count", "newest_change"):
                assert last.asset_materialization.metadata.get(name) == before.metadata.get(name)
            assert last.asset_materialization.tags == before.tags
        checks = [dg.AssetCheckKey(key, "rows_kept") for key in tables]
        latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(checks)
        assert {(each.status.name, each.run_id) for each in latest.values()} == {("SUCCEEDED", run.run_id)}
        assert len(latest) == len(checks)


def test_whatever_is_not_plainly_quiet_is_left_to_the_job(grown: Grown, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in grown.environment.items():
        monkeypatch.setenv(name, value)
    home, settings = grown.home, load_settings()
    assert idle.nothing_new(settings, home, "one") is not None
    requests = len(grown.simulator.log)

    rules = settings.people.model_copy(update={"bots": ("somebody",)})
    assert idle.nothing_new(settings.model_copy(update={"people": rules}), home, "two") is None
    with monkeypatch.context() as patch:
        patch.setenv(DEMO, "1")
        assert idle.nothing_new(settings, home, "three") is None
    with monkeypatch.context() as patch:
        patch.setattr(project, "MODELS", home.path)  # other models
        assert idle.nothing_new(settings, home, "four") is None
    status = home.status.read_text(encoding="utf-8")
    for row, change in ((0, {"error": "no access"}), (1, {"succeeded_at": "2020-01-01T00:00:00+00:00"})):
        content = json.loads(status)
        content["tables"][row].update(change)
        home.status.write_text(json.dumps(content), encoding="utf-8")
        assert idle.nothing_new(settings, home, "five") is None
    home.status.write_text("{", encoding="utf-8")
    assert idle.nothing_new(settings, home, "six") is None
    home.status.write_text(status, encoding="utf-8")
    kept = home.published.rename(home.path / "kept")
    assert idle.nothing_new(settings, home, "seven") is None
    kept.rename(home.published)
    with reader_of(home.working):
        assert idle.nothing_new(settings, home, "eight") is None
    assert len(grown.simulator.log) == requests  # nobody is asked in vain
    assert idle.nothing_new(settings, home, "nine") is not None

    # the day that is published ends while they are asked
    real = look

    def tomorrow(*arguments: Any) -> list[Outcome] | None:
        answer = real(*arguments)
        return answer and [replace(each, read_at=each.read_at and each.read_at + timedelta(days=1)) for each in answer]

    with monkeypatch.context() as patch:
        patch.setattr(idle, "look", tomorrow)
        assert idle.nothing_new(settings, home, "ten") is None
    # which the next one sees before it asks, as long as nothing is built
    requests = len(grown.simulator.log)
    assert idle.nothing_new(settings, home, "eleven") is None
    assert len(grown.simulator.log) == requests
    home.status.write_text(status, encoding="utf-8")
    with connect(home) as connection:
        connection.execute("update operations.sync_status set read_at = read_at - interval 1 day")
    assert idle.nothing_new(settings, home, "twelve") is not None


def test_two_at_once_that_find_nothing_take_turns(grown: Grown) -> None:
    runs, published = len(grown.runs()), grown.home.published.read_bytes()
    environment = {**os.environ, **grown.environment}
    both = [
        subprocess.Popen([VEELOCITY, "refresh"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    for process in both:
        said = process.communicate(timeout=600)
        assert process.returncode == 0, said
    assert [run.status.value for run in grown.runs()[:-runs]] == ["SUCCESS", "SUCCESS"]
    assert grown.home.published.read_bytes() == published


def test_one_that_is_killed_while_it_asks_leaves_nothing_behind(grown: Grown) -> None:
    runs, loads, status = len(grown.runs()), grown.loads(), grown.home.status.read_bytes()
    environment = {**os.environ, **grown.environment}
    process = subprocess.Popen([VEELOCITY, "refresh"], env=environment, stdout=subprocess.DEVNULL)
    grown.simulator.before_request(2, process.kill)
    process.wait(600)
    assert process.returncode == -signal.SIGKILL
    assert (len(grown.runs()), grown.loads(), grown.home.status.read_bytes()) == (runs, loads, status)
    assert not list((grown.home.dagster / "alive").glob("*"))
    result = refresh(grown.home, grown.simulator)
    assert result.returncode == 0, result.stdout + result.stderr
    assert len(grown.runs()) == runs + 1


@pytest.mark.parametrize(
    ("environment", "status", "requests"),
    [
        ({"GITHUB_TOKEN": "n0pe", "LINEAR_API_KEY": "lin_api_n0pe"}, 2, ["graphql"] * 3 + ["linear"] * 3),
        ({"GITHUB_API_URL": "http://127.0.0.1:9", "LINEAR_API_URL": "http://127.0.0.1:9"}, 1, []),
    ],
)
def test_what_nothing_can_be_read_with_is_said_by_the_first_question(
    environment: dict[str, str], status: int, requests: list[str], grown: Grown, tmp_path: Path
) -> None:
    """Where all was well until now, so that what is new is asked for before anything is loaded."""
    home = Home(tmp_path / "home")
    shutil.copytree(grown.home.path, home.path)
    loads, published = Grown(home, grown.simulator, {}).loads(), home.published.read_bytes()
    grown.simulator.log.clear()
    result = refresh(home, grown.simulator, **environment)
    assert result.returncode == status, result.stdout + result.stderr
    [line] = result.stderr.strip().splitlines()
    assert "GITHUB" in line
    assert "LINEAR" in line
    assert "Loading the pipeline" not in result.stdout
    assert [each.api for each in grown.simulator.log] == requests
    assert Grown(home, grown.simulator, {}).loads() == loads
    assert home.published.read_bytes() == published
    failing = {(row["source"], row["repository"]) for row in read_status(home) if row["error"]}
    assert failing == {(name, "*") for name in SOURCES}
    assert len(Grown(home, grown.simulator, {}).runs()) == len(grown.runs())
    # and once that can be read again, all goes on
    assert inprocess.refresh(home, settings_of(grown.simulator)) == []
    assert not [row for row in read_status(home) if row["error"]]


def test_a_repository_and_a_source_that_fail_stop_neither_the_others_nor_what_they_had(
    small: Home, tmp_path: Path
) -> None:
    home = copied(small, tmp_path / "home")
    with Simulator(size="small") as simulator:
        before = marts(home)
        name = simulator.environment()["GITHUB_REPOSITORIES"].split(",")[0].strip()
        simulator.advance(days=5)
        simulator.faults.append(Fault(kind="forbidden", match=name, times=1000))
        simulator.faults.append(Fault(kind="forbidden", match="/linear", times=1000))
        failed = inprocess.refresh(home, settings_of(simulator, its_configuration(small)))
        after = marts(home)
    failing = {("github_actions", name), ("linear", "*")}
    known = {(row["source"], row["repository"]) for row in read_status(home) if row["error"]}
    assert known == {(outcome.source, outcome.scope_name) for outcome in failed}
    assert failing <= known <= {*failing, ("github", name)}
    place = 1  # repository_id stands second in fct_pull_requests
    assert [row for row in after["fct_deployments"] if row[place] == f"github:{name}"] == [
        row for row in before["fct_deployments"] if row[place] == f"github:{name}"
    ]
    assert after["fct_issues"]
    assert len(after["fct_pull_requests"]) > len(before["fct_pull_requests"])

    # what is published says how old it is
    with read_published(home.published) as connection:
        told = connection.execute(
            "select distinct source, repository from marts.sync_status where error is not null"
        ).fetchall()
        [(linear, github)] = connection.execute(
            """select max(succeeded_at) filter (where source = 'linear'), max(succeeded_at) from marts.sync_status"""
        ).fetchall()
    assert set(told) >= failing
    assert linear < github


@pytest.mark.parametrize(
    ("sources", "environment", "is_token", "says"),
    [
        (("github", "github_actions"), {"GITHUB_TOKEN": "ghp_n0pe"}, True, "GITHUB_TOKEN"),
        (("github", "github_actions"), {"GITHUB_API_URL": "http://127.0.0.1:9"}, False, "127.0.0.1:9"),
        (("github", "github_actions"), {"GITHUB_REPOSITORIES": "acme/nope"}, False, "acme/nope"),
        (("linear",), {"LINEAR_API_KEY": "lin_api_n0pe"}, True, "LINEAR_API_KEY"),
    ],
)
def test_what_cannot_be_read_is_known_and_what_was_published_stays(
    small: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sources: tuple[str, ...],
    environment: dict[str, str],
    is_token: bool,
    says: str,
) -> None:
    monkeypatch.setattr(http, "_backoff", lambda *_: 0.0)
    home = copied(small, tmp_path / "home")
    home.status.unlink()
    before = marts(home)
    with Simulator(size="small") as simulator:
        settings = settings_of(simulator, its_configuration(small), **environment)
        failed = inprocess.refresh(home, settings, only=sources)
    assert {outcome.source for outcome in failed} == set(sources)
    for outcome in failed:
        assert outcome.error
        assert says in outcome.error
        assert "n0pe" not in outcome.error.replace("acme/nope", "")
        assert (TOKEN_REJECTED in outcome.error) is is_token
    assert len(marts(home)["fct_pull_requests"]) == len(before["fct_pull_requests"])


RESULT = """
import json, sys
from veelocity_pipeline.faces.cli.main import main
from veelocity_pipeline.defs import execute
failures, failed_steps = json.loads(sys.argv.pop())
result = execute.RefreshResult("run", not failed_steps, failed_steps, [tuple(each) for each in failures])
execute.refresh = lambda settings, **options: result
main()
"""
"""The command, with a job that ended like this."""


@pytest.mark.parametrize(
    ("failures", "failed_steps", "status", "says"),
    [
        ([], {}, 0, []),
        ([("github", "acme/web", "404 Not Found")], {}, 1, ["github, acme/web: 404 Not Found", "Everything else"]),
        ([("linear", "*", f"LINEAR_API_KEY: {TOKEN_REJECTED}")], {}, 2, ["LINEAR_API_KEY", "Everything else"]),
        ([], {"build_models": "no room", "report": "no room"}, 1, ["build_models, report: no room", "is still there"]),
    ],
)
def test_what_failed_is_said_once_and_in_the_exit_status(
    small: Home, failures: list[Any], failed_steps: dict[str, str], status: int, says: list[str]
) -> None:
    with Simulator(size="tiny") as simulator:
        result = subprocess.run(
            [sys.executable, "-c", RESULT, "refresh", json.dumps([failures, failed_steps])],
            env={**os.environ, **simulator.environment(), "VEELOCITY_HOME": str(small.path)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == status, result.stdout + result.stderr
    for text in says:
        assert text in result.stderr.replace("\n", " ")
    assert "Traceback" not in result.stdout + result.stderr
    assert bool(result.stderr) is bool(says)


def test_a_locked_warehouse_is_said(small: Home, tmp_path: Path) -> None:
    home = copied(small, tmp_path / "home")
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
        with Simulator(size="small") as simulator:
            result = refresh(home, simulator, **its_settings(small))
    finally:
        reader.communicate("\n")
    assert result.returncode == 1
    assert f"process {reader.pid}" in result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    assert home.published.read_bytes() == small.published.read_bytes()


def test_status_json_tells_when(refreshed: Home) -> None:
    rows = read_status(refreshed)
    assert {row["source"] for row in rows} == {"github", "github_actions", "linear"}
    for row in rows:
        assert row["error"] is None
        assert datetime.fromisoformat(row["succeeded_at"]).tzinfo is not None


def test_a_failed_test_of_the_models_stops_the_publish(small: Home, tmp_path: Path) -> None:
    home = copied(small, tmp_path / "home")
    with duckdb.connect(home.working) as connection:
        connection.execute("insert into raw_github.pull_requests from raw_github.pull_requests limit 1")
    result = veelocity("rebuild", **its_settings(small), VEELOCITY_HOME=str(home.path))
    assert result.returncode == 1
    assert "what was published before is still there" in result.stderr.replace("\n", " ")
    assert "unique" in result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    assert home.published.read_bytes() == small.published.read_bytes()


def test_one_source_alone_makes_a_whole_warehouse(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with Simulator(size="small") as simulator:
        assert inprocess.refresh(home, settings_of(simulator), only=["github"]) == []
    assert {row["source"] for row in read_status(home)} == {"github"}
    assert marts(home)["fct_pull_requests"]


def test_changed_rules_need_no_fetch(refreshed: Home, tmp_path: Path) -> None:
    """Other rules and back again, with nobody to ask: in the end the marts are those of before, row by row."""
    home = copied(refreshed, tmp_path / "home")
    usual = its_configuration(refreshed)
    simulator = Simulator(size="medium")  # which serves nothing
    before = marts(home)

    rules = f'{usual}\n[failures]\nevidence = ["deployment_status"]\n[deployments]\ncount_redeploys = true\n'
    inprocess.build(home, settings_of(simulator, rules))
    changed = marts(home)
    assert changed["dora_metrics"] != before["dora_metrics"]
    place = list(duckdb.connect(home.published, read_only=True).table("marts.fct_deployment_failures").columns).index
    counting = {row[place("evidence")] for row in changed["fct_deployment_failures"] if row[place("counts")]}
    assert counting == {"deployment_status"}

    inprocess.build(home, settings_of(simulator, usual))
    again = marts(home)
    for table, rows in before.items():
        assert again[table] == rows, table


def test_nothing_to_rebuild_is_said() -> None:
    result = veelocity("rebuild")
    assert result.returncode == 1
    assert "run `veelocity refresh` first" in result.stderr
