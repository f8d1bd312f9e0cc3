"""Schedules and sensors as Dagster evaluates them: what they start, and why they do not."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned

from tests.receiver import SECRET, Receiver
from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.defs import quiet
from veelocity_pipeline.defs.assets.ingest import CONFIGURATION
from veelocity_pipeline.defs.loaded import CONFIGURED
from veelocity_pipeline.operations.decisions import Configuration
from veelocity_pipeline.operations.jobs import FULL, INCREMENTAL
from veelocity_pipeline.simulator import Simulator
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.lock import alive, writing

STARTED = dg.DagsterRunStatus.STARTED
FAILURE = dg.DagsterRunStatus.FAILURE
SUCCESS = dg.DagsterRunStatus.SUCCESS


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as made:
        yield made


@pytest.fixture(autouse=True)
def _configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "t")
    monkeypatch.setenv("GITHUB_REPOSITORIES", "acme/web")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home in which something is published and everything was just read."""
    home = Home(tmp_path / "home")
    home.make()
    home.published.touch()
    return home


def add_run(
    instance: dg.DagsterInstance,
    job: str,
    status: dg.DagsterRunStatus,
    *,
    minutes_ago: float = 1,
    tags: dict[str, str] | None = None,
) -> str:
    """A run in the history, as if it had ended (or begun, if it goes on) some minutes ago."""
    run = dg.DagsterRun(job_name=job, status=dg.DagsterRunStatus.NOT_STARTED, tags=tags or {})
    instance.add_run(run)
    kinds = {
        STARTED: [dg.DagsterEventType.RUN_START],
        SUCCESS: [dg.DagsterEventType.RUN_START, dg.DagsterEventType.RUN_SUCCESS],
        FAILURE: [dg.DagsterEventType.RUN_START, dg.DagsterEventType.RUN_FAILURE],
    }
    for kind in kinds.get(status, []):
        event = dg.DagsterEvent(kind.value, job_name=job, message="it went wrong")
        instance.report_dagster_event(event, run.run_id, timestamp=time.time() - 60 * minutes_ago)
    return run.run_id


class Ticks:
    """Evaluates a sensor as the daemon does, with the cursor of its last tick."""

    def __init__(self, defs: dg.Definitions, instance: dg.DagsterInstance, name: str) -> None:
        self._defs, self._instance = defs, instance
        self._sensor = defs.resolve_sensor_def(name)
        self._cursor: str | None = None

    def request(self) -> dg.RunRequest:
        """What it asks for; it must ask for something."""
        requests = self._tick().run_requests
        assert requests is not None
        [request] = requests
        assert isinstance(request, dg.RunRequest)
        return request

    def reason(self) -> str:
        """Why it asks for nothing; it must not ask for anything."""
        tick = self._tick()
        assert not tick.run_requests
        return tick.skip_message or ""

    def _tick(self) -> Any:
        context = dg.build_sensor_context(
            instance=self._instance, cursor=self._cursor, definitions=self._defs, sensor_name=self._sensor.name
        )
        tick = self._sensor.evaluate_tick(context)
        self._cursor = tick.cursor
        return tick


def its_job(defs: dg.Definitions, request: dg.RunRequest) -> dg.JobDefinition:
    """The job as the request would run it, its configuration validated."""
    job = defs.resolve_job_def(str(request.job_name))
    selection = set(request.asset_selection) if request.asset_selection else None
    job = job.get_subset(asset_selection=selection)
    dg.validate_run_config(job, dict(request.run_config))
    return job


# ------------------------------------------------------------------------------------------------ schedules


def schedule_says(defs: dg.Definitions, instance: dg.DagsterInstance, job: str) -> str | None:
    """Why a schedule starts nothing; None if it does."""
    schedule = defs.resolve_schedule_def(f"{job}_schedule")
    tick = schedule.evaluate_tick(dg.build_schedule_context(instance=instance))
    return tick.skip_message if not tick.run_requests else None


def test_everything_runs_by_itself_from_the_start(defs: dg.Definitions) -> None:
    schedules, sensors = list(defs.schedules or ()), list(defs.sensors or ())
    assert {each.name for each in schedules} == {"incremental_refresh_schedule", "full_refresh_schedule"}
    assert {each.name for each in sensors} == {"first_start", "upstream", "settings", "dead_runs", "alerts"}
    for each in schedules:
        assert isinstance(each, dg.ScheduleDefinition)
        assert each.default_status == dg.DefaultScheduleStatus.RUNNING
        assert each.execution_timezone == "UTC"
    for sensor in sensors:
        assert isinstance(sensor, dg.SensorDefinition)
        assert sensor.default_status == dg.DefaultSensorStatus.RUNNING


def test_crons_and_intervals_come_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    from veelocity_pipeline.defs.jobs import schedules
    from veelocity_pipeline.defs.sensors import sensors

    monkeypatch.setenv("VEELOCITY_INCREMENTAL_CRON", "*/5 * * * *")
    monkeypatch.setenv("VEELOCITY_UPSTREAM_SENSOR_MINUTES", "7")
    settings = load_settings()
    assert [each.cron_schedule for each in schedules(settings)] == ["*/5 * * * *", "0 3 * * 0"]
    every = {each.name: each.minimum_interval_seconds for each in sensors(settings)}
    assert every == {"first_start": 60, "upstream": 420, "settings": 60, "dead_runs": 60, "alerts": 60}


def test_a_schedule_waits_for_a_run_that_does_the_same(defs: dg.Definitions, instance: dg.DagsterInstance) -> None:
    assert schedule_says(defs, instance, INCREMENTAL) is None
    add_run(instance, "rebuild", STARTED)
    assert schedule_says(defs, instance, INCREMENTAL) is None
    run = add_run(instance, INCREMENTAL, STARTED)
    assert schedule_says(defs, instance, INCREMENTAL) == f"{INCREMENTAL} (run {run[:8]}) is queued or going on"
    assert schedule_says(defs, instance, FULL) is None


def test_an_increment_waits_for_the_full_refresh(defs: dg.Definitions, instance: dg.DagsterInstance) -> None:
    run = add_run(instance, FULL, STARTED)
    for job in (INCREMENTAL, FULL):
        assert schedule_says(defs, instance, job) == f"{FULL} (run {run[:8]}) is queued or going on"


def test_a_schedule_sees_the_settings_as_they_are(
    defs: dg.Definitions, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    assert "GITHUB_TOKEN is not set" in (schedule_says(defs, instance, INCREMENTAL) or "")
    monkeypatch.setenv("VEELOCITY_FULL_CRON", "0 25 * * *")
    assert "VEELOCITY_FULL_CRON" in (schedule_says(defs, instance, INCREMENTAL) or "")


# -------------------------------------------------------------------------------------------- every sensor


def test_a_sensor_can_be_switched_off_and_says_what_is_wrong_with_the_settings(
    defs: dg.Definitions, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first_start", "upstream", "settings", "dead_runs", "alerts"):
        variable = f"VEELOCITY_{name.upper()}_SENSOR_MINUTES"
        monkeypatch.setenv(variable, "0")
        assert Ticks(defs, instance, name).reason() == f"switched off: {variable} is 0"
        monkeypatch.setenv(variable, "often")
        assert variable in Ticks(defs, instance, name).reason()
        monkeypatch.delenv(variable)


# --------------------------------------------------------------------------------------------- first start


def test_the_first_start_loads_everything_once(
    defs: dg.Definitions, instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = Ticks(defs, instance, "first_start")
    request = ticks.request()
    assert request.job_name == FULL
    assert set(its_job(defs, request).asset_layer.executable_asset_keys) == set(
        defs.resolve_asset_graph().materializable_asset_keys
    )
    run = add_run(instance, FULL, STARTED, tags=dict(request.tags))
    assert run[:8] in ticks.reason()
    instance.report_run_failed(instance.get_run_by_id(run))  # type: ignore[arg-type]
    assert "not before" in ticks.reason()
    monkeypatch.delenv("GITHUB_TOKEN")
    assert "GITHUB_TOKEN" in ticks.reason()


def test_a_published_demo_is_no_first_load(defs: dg.Definitions, instance: dg.DagsterInstance, home: Home) -> None:
    ticks = Ticks(defs, instance, "first_start")
    assert "first load is done" in ticks.reason()
    (home.path / ".demo").touch()
    assert ticks.request().job_name == FULL
    assert "nothing is published" in Ticks(defs, instance, "upstream").reason()


# ------------------------------------------------------------------------------------------------ settings


def write_down(instance: dg.DagsterInstance) -> None:
    """What a run tells of the settings that it writes for the models."""
    value = dg.MetadataValue.json(Configuration.of(load_settings()).to_json())
    instance.report_runless_asset_event(dg.AssetMaterialization(CONFIGURED, metadata={CONFIGURATION: value}))


def test_a_change_of_the_settings_is_seen_without_a_restart(
    defs: dg.Definitions, instance: dg.DagsterInstance, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = Ticks(defs, instance, "settings")
    assert "no run has written down" in ticks.reason()
    write_down(instance)
    assert "are those that the marts were built from" in ticks.reason()

    monkeypatch.setenv("DEPLOYMENT_PATTERNS", "ship")
    assert ticks.request().job_name == "rebuild"
    monkeypatch.setenv("GITHUB_REPOSITORIES", "acme/web,acme/new")
    request = ticks.request()
    assert request.job_name == INCREMENTAL
    assert request.tags["veelocity/reason"] == "The settings changed (added: acme/new; rules are others)"
    assert dict(request.run_config)["ops"] == {
        f"ingest_{source}": {"config": {"repositories": ["acme/new"]}} for source in ("github", "github_actions")
    }
    groups = {key.path[0] for key in its_job(defs, request).asset_layer.executable_asset_keys}
    assert groups >= {"github", "github_actions", "config", "operations", "marts", "published"}
    assert "linear" not in groups

    write_down(instance)  # as that run does
    ticks.reason()
    monkeypatch.setenv("GITHUB_REPOSITORIES", "acme/new")
    assert ticks.request().tags["veelocity/reason"] == "The settings changed (removed: acme/web)"


def test_what_only_a_reload_applies_is_said(
    defs: dg.Definitions, instance: dg.DagsterInstance, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_down(instance)
    monkeypatch.setenv("VEELOCITY_FULL_CRON", "0 4 * * 0")
    assert "VEELOCITY_FULL_CRON changed: reload the code location" in Ticks(defs, instance, "settings").reason()


# ------------------------------------------------------------------------------------------------ upstream


def write_status(home: Home, rows: list[dict[str, Any]]) -> None:
    home.status.write_text(json.dumps({"written_at": "", "tables": rows}), encoding="utf-8")


def status_row(repository: str, **values: Any) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    return {
        "source": "github",
        "table_name": "issues",
        "repository": repository,
        "source_key": repository,
        "attempted_at": now,
        "succeeded_at": now,
        "read_at": now,
        "error": None,
        **values,
    }


def test_what_changed_upstream_is_read_alone_and_once(
    defs: dg.Definitions, instance: dg.DagsterInstance, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Simulator(size="tiny") as simulator:
        for name, value in simulator.environment().items():
            monkeypatch.setenv(name, value)
        now = simulator.now.isoformat()
        repositories = simulator.organization.repositories
        write_status(home, [status_row(each.full_name, source_key=each.id, read_at=now) for each in repositories])
        ticks = Ticks(defs, instance, "upstream")
        with writing(home, "a run that holds the lock"):
            assert ticks.reason() == "nothing changed upstream since it was read"
            simulator.advance(minutes=3)
            told = simulator.change("open an issue")
            assert told is not None
            request = ticks.request()
        changed = next(each.full_name for each in repositories if each.full_name in told.text)
        assert request.job_name == INCREMENTAL
        assert dict(request.run_config)["ops"] == {
            f"ingest_{source}": {"config": {"repositories": [changed]}} for source in ("github", "github_actions")
        }
        its_job(defs, request)
        assert ticks.reason() == "nothing changed upstream since it was read"

        simulator.advance(minutes=3)
        simulator.change("open an issue")
        simulator.log.clear()
        run = add_run(instance, INCREMENTAL, STARTED, tags=dict(request.tags))
        assert run[:8] in ticks.reason()
        instance.report_run_failed(instance.get_run_by_id(run))  # type: ignore[arg-type]
        assert "not before" in ticks.reason()
        assert not simulator.log


def test_an_upstream_that_does_not_answer_is_a_reason(
    defs: dg.Definitions, instance: dg.DagsterInstance, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("veelocity_pipeline.operations.upstream.MOST_SECONDS", 0.2)
    assert Ticks(defs, instance, "upstream").reason().startswith("GitHub: ")


# ---------------------------------------------------------------------------------------------- dead runs


def test_a_run_whose_process_is_gone_is_marked(defs: dg.Definitions, instance: dg.DagsterInstance, home: Home) -> None:
    ticks = Ticks(defs, instance, "dead_runs")
    assert ticks.reason() == "every run that says it is going on is"
    run = add_run(instance, INCREMENTAL, STARTED, minutes_ago=30)
    with alive(home, run):
        ticks.reason()
    assert instance.get_run_by_id(run).status == STARTED  # type: ignore[union-attr]
    assert run[:8] in ticks.reason()
    assert instance.get_run_by_id(run).status == FAILURE  # type: ignore[union-attr]


# ------------------------------------------------------------------------------------------------- alerts


def test_trouble_is_told_once_and_its_end_once(
    defs: dg.Definitions, instance: dg.DagsterInstance, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = Ticks(defs, instance, "alerts")
    assert "VEELOCITY_ALERT_URL is not set" in ticks.reason()
    with Receiver() as receiver:
        monkeypatch.setenv("VEELOCITY_ALERT_URL", receiver.url.get_secret_value())
        monkeypatch.setenv("VEELOCITY_UI_URL", "https://pipeline.acme.example/")
        write_status(home, [status_row("acme/web")])
        assert ticks.reason() == "nothing is wrong"

        add_run(instance, INCREMENTAL, SUCCESS, minutes_ago=60)
        run = add_run(instance, INCREMENTAL, FAILURE, minutes_ago=5)
        write_status(home, [status_row("acme/web", error="No access.")])
        receiver.status = 503
        assert "status 503; it is sent again" in ticks.reason()
        receiver.status = 200
        for _ in range(3):
            ticks.reason()
        assert len(receiver.texts) == 2
        assert receiver.texts[0] == receiver.texts[1]
        first, job, repository = receiver.texts[1].splitlines()
        assert first == "Veelocity: 2 problems"
        assert job.startswith(f"• {INCREMENTAL} failed: it went wrong (since ")
        assert job.endswith(f" https://pipeline.acme.example/runs/{run}")
        assert repository.startswith("• acme/web cannot be read: No access (since ")

        add_run(instance, FULL, SUCCESS, minutes_ago=1)
        write_status(home, [status_row("acme/web")])
        for _ in range(3):
            ticks.reason()
        assert len(receiver.texts) == 3
        assert receiver.texts[2].startswith("Veelocity: all clear\n• over: ")
        assert SECRET not in str(ticks._cursor)


def test_a_look_that_found_nothing_new_ends_the_trouble_of_the_run_before(
    defs: dg.Definitions, instance: dg.DagsterInstance, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = Ticks(defs, instance, "alerts")
    with Receiver() as receiver:
        monkeypatch.setenv("VEELOCITY_ALERT_URL", receiver.url.get_secret_value())
        write_status(home, [status_row("acme/web")])
        add_run(instance, INCREMENTAL, FAILURE, minutes_ago=5)
        ticks.reason()
        assert f"• {INCREMENTAL} failed" in receiver.texts[0]
        assert quiet.record(instance, [], str(uuid.uuid4()), "veelocity refresh").success
        ticks.reason()
        assert receiver.texts[1].startswith("Veelocity: all clear")
    assert schedule_says(defs, instance, INCREMENTAL) is None


def test_stale_data_is_told(
    defs: dg.Definitions, instance: dg.DagsterInstance, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Receiver() as receiver:
        monkeypatch.setenv("VEELOCITY_ALERT_URL", receiver.url.get_secret_value())
        old = datetime.now(UTC) - timedelta(hours=6)
        write_status(home, [status_row("acme/web", succeeded_at=old.isoformat())])
        monkeypatch.setenv("VEELOCITY_STALE_AFTER", "12")
        assert Ticks(defs, instance, "alerts").reason() == "nothing is wrong"
        monkeypatch.setenv("VEELOCITY_STALE_AFTER", "3")
        ticks = Ticks(defs, instance, "alerts")
        ticks.reason()
        assert (
            f"GitHub has not been read: the schedule should have done so several times (since {old:%Y-%m-%d}"
            in (receiver.texts[0])
        )
        write_status(home, [status_row("acme/web")])
        ticks.reason()
        assert receiver.texts[1].startswith("Veelocity: all clear")

        # it grew old while a long refresh was already on its way
        write_status(home, [status_row("acme/web", succeeded_at=old.isoformat())])
        run = add_run(instance, FULL, STARTED, minutes_ago=5.5 * 60)
        assert Ticks(defs, instance, "alerts").reason() == "nothing is wrong"
        instance.report_run_canceled(instance.get_run_by_id(run))  # type: ignore[arg-type]
        assert Ticks(defs, instance, "alerts").reason() != "nothing is wrong"


def test_a_failed_check_of_a_run_that_succeeded_is_told(
    defs: dg.Definitions, instance: dg.DagsterInstance, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = dg.AssetCheckKey(dg.AssetKey(["github", "issues"]), "rows_kept")

    def made(passed: bool, description: str | None = None) -> None:
        instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=check.asset_key, check_name=check.name, passed=passed, metadata={}, description=description
            )
        )

    def announced() -> None:
        """As a run that is going on has it."""
        run = dg.DagsterRun(job_name=INCREMENTAL)
        instance.add_run(run)
        planned = AssetCheckEvaluationPlanned(asset_key=check.asset_key, check_name=check.name)
        kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED.value
        event = dg.DagsterEvent(kind, job_name=INCREMENTAL, event_specific_data=planned)
        instance.report_dagster_event(event, run.run_id)

    ticks = Ticks(defs, instance, "alerts")
    with Receiver() as receiver:
        monkeypatch.setenv("VEELOCITY_ALERT_URL", receiver.url.get_secret_value())
        announced()
        assert ticks.reason() == "nothing is wrong"
        made(False, "100 rows became 3 since the last load")
        ticks.reason()
        assert "check rows_kept of github/issues failed: 100 rows became 3" in receiver.texts[0]
        announced()
        assert ticks.reason() == "1 problem, told already"
        made(True)
        ticks.reason()
        assert [text.splitlines()[0] for text in receiver.texts[1:]] == ["Veelocity: all clear"]
