"""Sensors: each collects facts, lets a pure function decide, and says why it does nothing."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg

from veelocity_pipeline.config.connections import qualified
from veelocity_pipeline.config.cron import earliest
from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.config.settings import Settings, SettingsError
from veelocity_pipeline.defs.assets.ingest import CONFIGURATION
from veelocity_pipeline.defs.checks import ALERTED, NEW_DAY
from veelocity_pipeline.defs.ended import failed_steps, report_dead_runs
from veelocity_pipeline.defs.jobs import (
    FULL_JOB,
    INCREMENTAL_JOB,
    REBUILD_JOB,
    AssetJob,
    history,
    left_out,
    unfinished,
)
from veelocity_pipeline.defs.loaded import CONFIGURED
from veelocity_pipeline.operations import alerts
from veelocity_pipeline.operations.decisions import (
    Configuration,
    Run,
    Start,
    Wait,
    first_start,
    resting,
    settings_changed,
    under_way,
)
from veelocity_pipeline.operations.jobs import DOES_ALL_OF, FULL, INCREMENTAL, REBUILD, REFRESH_JOBS
from veelocity_pipeline.operations.upstream import Memory, ask, upstream_changed
from veelocity_pipeline.safety.files import WarehouseError
from veelocity_pipeline.safety.foreign import sentence
from veelocity_pipeline.safety.redaction import without_secrets
from veelocity_pipeline.sources import SOURCES
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.status import read_status

JOBS = (FULL, INCREMENTAL, REBUILD)

SENSOR_TAG = "veelocity/sensor"
REASON_TAG = "veelocity/reason"

_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
_MADE = ("FAILED", "SUCCEEDED")
"""What becomes of a check that was made."""

_LONGEST_RUN = timedelta(days=1)
"""How long a refresh may go on before what it reads counts as stale all the same."""

_REMEMBERED = 10
"""Runs of a kind that are looked back at."""


@dataclass(frozen=True)
class Tick:
    """What a sensor is given.

    Attributes:
        started_with: the settings when the code location was loaded; ``settings`` are those of now.
    """

    context: dg.SensorEvaluationContext
    settings: Settings
    started_with: Settings
    now: datetime

    @property
    def instance(self) -> dg.DagsterInstance:
        """Dagster's."""
        return self.context.instance

    @property
    def home(self) -> Home:
        """The folder; what is in it is only read, and nothing waits for its lock."""
        return Home.of(self.settings)

    @property
    def is_published(self) -> bool:
        """Whether marts of real data are."""
        return self.home.published.exists() and not self.home.is_demo

    @property
    def memory(self) -> dict[str, object]:
        """What the last tick left."""
        return dict(json.loads(self.context.cursor)) if self.context.cursor else {}

    def remember(self, what: object) -> None:
        """Leave something for the next tick."""
        self.context.update_cursor(json.dumps(what, sort_keys=True))

    def tries(self, sensor: str) -> list[Run]:
        """Runs that a sensor started, newest first."""
        return history(self.instance, dg.RunsFilter(tags={SENSOR_TAG: sensor}), _REMEMBERED)


Decide = Callable[[Tick], Start | Wait]


def _sensor(
    name: str, description: str, started_with: Settings, decide: Decide, jobs: Sequence[AssetJob] = ()
) -> dg.SensorDefinition:
    """A sensor that is on by default, may be switched off in the settings, and sees them as they are."""
    field = f"{name}_sensor_minutes"
    variable = str(Settings.model_fields[field].validation_alias)

    @dg.sensor(
        name=name,
        description=f"{description} {variable} says how often; 0 switches it off.",
        jobs=list(jobs) or None,
        minimum_interval_seconds=60 * (getattr(started_with, field) or 1),
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def _evaluate(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        try:
            settings = load_settings()
            if not getattr(settings, field):
                return dg.SkipReason(f"switched off: {variable} is 0")
            with without_secrets():
                decided = decide(Tick(context, settings, started_with, datetime.now(UTC)))
        except SettingsError as error:
            return dg.SkipReason(sentence(f"the settings cannot be used: {error}"))
        except WarehouseError as error:
            return dg.SkipReason(sentence(error))
        if isinstance(decided, Start):
            return _request(context, name, decided)
        return dg.SkipReason(sentence(decided.reason))

    return _evaluate


def _request(context: dg.SensorEvaluationContext, sensor: str, start: Start) -> dg.RunRequest:
    tags = {SENSOR_TAG: sensor, REASON_TAG: sentence(start.reason, 1_000)}
    if not start.scopes:
        return dg.RunRequest(job_name=start.job, tags=tags)
    assert context.repository_def is not None  # every evaluation has it
    everything = context.repository_def.get_job(start.job).asset_layer.executable_asset_keys
    return dg.RunRequest(
        job_name=start.job,
        tags=tags,
        asset_selection=sorted(set(everything) - left_out(tuple(start.scopes))),
        run_config=dg.RunConfig(
            ops={f"ingest_{name}": {"config": {"repositories": list(names)}} for name, names in start.scopes.items()}
        ),
    )


# ------------------------------------------------------------------------------------- what starts runs


def _first_start(tick: Tick) -> Start | Wait:
    if not tick.is_published:
        tick.settings.require_sources(())
    return first_start(
        is_published=tick.is_published,
        job=FULL,
        runs=unfinished(tick.instance),
        tries=tick.tries("first_start"),
        now=tick.now,
    )


def _not_now(tick: Tick, sensor: str) -> Wait | None:
    """Why an increment, or a rebuild, is not to be started."""
    if not tick.is_published:
        return Wait("nothing is published yet: the first load comes first")
    return under_way(unfinished(tick.instance)) or resting(tick.tries(sensor), tick.now)


def _upstream(tick: Tick) -> Start | Wait:
    tick.settings.require_sources(())
    if waiting := _not_now(tick, "upstream"):
        return waiting
    rows = read_status(tick.home)
    memory = Memory.from_json(tick.memory)
    answers = {
        qualified(settings.connection, entry.name): ask(entry, settings, rows)
        for entry in SOURCES.values()
        if not entry.along_with
        for settings in entry.connected(tick.settings)
        if entry.is_configured(settings) and memory.may_ask(qualified(settings.connection, entry.name), tick.now)
    }
    decided, memory = upstream_changed(answers, rows, memory, tick.now, job=INCREMENTAL)
    tick.remember(memory.to_json())
    return decided


def _settings(tick: Tick) -> Start | Wait:
    if waiting := _not_now(tick, "settings"):
        return waiting
    event = tick.instance.get_latest_materialization_event(CONFIGURED)
    written = event.asset_materialization.metadata.get(CONFIGURATION) if event and event.asset_materialization else None
    decided = settings_changed(
        Configuration.from_json(dict(written.value)) if isinstance(written, dg.JsonMetadataValue) else None,  # type: ignore[arg-type]
        Configuration.of(tick.settings),
        increment=INCREMENTAL,
        rebuild=REBUILD,
        sources=[entry.name for entry in SOURCES.values() if entry.reads_repositories],
    )
    loaded = [
        str(Settings.model_fields[name].validation_alias)
        for name in ("incremental_cron", "full_cron", *(n for n in Settings.model_fields if n.endswith("_minutes")))
        if getattr(tick.settings, name) != getattr(tick.started_with, name)
    ]
    if loaded and isinstance(decided, Wait):
        return Wait(f"{decided.reason}; {', '.join(loaded)} changed: reload the code location (Deployment, Reload)")
    return decided


# ------------------------------------------------------------------------------------ what only looks on


def _dead_runs(tick: Tick) -> Wait:
    dead = report_dead_runs(tick.instance, tick.home)
    if not dead:
        return Wait("every run that says it is going on is")
    return Wait(f"marked as failed, since their processes are gone: {', '.join(run[:8] for run in dead)}")


def _alerts(tick: Tick) -> Wait:
    if tick.settings.alert_url is None:
        return Wait("VEELOCITY_ALERT_URL is not set: nobody is told of problems")
    told = {key: alerts.Told.from_json(value) for key, value in tick.memory.items()}  # type: ignore[arg-type]
    problems = present_problems(tick)
    said, after = alerts.news(problems, told, tick.now)
    if said:
        failure = alerts.send(tick.settings.alert_url, alerts.message(said, tick.settings.ui_url))
        if failure:
            return Wait(f"the alert did not arrive: {failure}; it is sent again at the next look")
    tick.remember({key: entry.to_json() for key, entry in after.items()})
    if said:
        return Wait(f"told of {len(said.begun)} new, {len(said.lasting)} lasting and {len(said.over)} solved problems")
    open_problems = f"{len(problems)} problem{'s'[: len(problems) != 1]}"
    return Wait(f"{open_problems}, told already" if problems else "nothing is wrong")


def present_problems(tick: Tick) -> list[alerts.Problem]:
    """Everything that is wrong now."""
    settings = tick.settings
    ended: list[Run] = []
    for job in JOBS:
        ended += history(tick.instance, dg.RunsFilter(job_name=job, statuses=_ENDED), _REMEMBERED)
    ended.sort(key=lambda run: run.ended_at or tick.now, reverse=True)
    newest_failed = {job: next((run.id for run in ended if run.job == job and run.failed), None) for job in JOBS}
    why = {run: _why(tick.instance, run) for run in newest_failed.values() if run}
    configured = [entry.name for entry in SOURCES.values() if entry.is_read(settings)]
    rows = [row for row in read_status(tick.home) if row["source"] in configured]
    # status.json is written while a run goes on
    reading = [run for job in REFRESH_JOBS for run in history(tick.instance, dg.RunsFilter(job_name=job), _REMEMBERED)]
    reading.sort(key=lambda run: run.started_at or tick.now, reverse=True)
    problems = [*alerts.failed_jobs(ended, DOES_ALL_OF, why), *alerts.unread(rows, reading), *_failed_checks(tick)]
    try:
        settings.require_sources(())
    except SettingsError:
        return problems  # what nothing refreshes grows old
    published = tick.home.published
    # a first load or a full refresh may take hours, which is no reason to call for help
    begun = [run.started_at for run in reading if run.ended_at is None and run.started_at]
    moment = min([tick.now, *(at for at in begun if tick.now - at < _LONGEST_RUN)])
    read_since = earliest(settings.incremental_cron, settings.stale_after, moment)
    return problems + alerts.stale(
        rows,
        datetime.fromtimestamp(published.stat().st_mtime, UTC) if published.exists() else None,
        sources=configured,
        read_since=read_since,
        published_since=read_since - NEW_DAY,
    )


def _failed_checks(tick: Tick) -> list[alerts.Problem]:
    """Checks that failed when they were last made, of those that say more than ``status.json``."""
    assert tick.context.repository_def is not None  # every evaluation has it
    keys = [key for key in tick.context.repository_def.asset_graph.asset_check_keys if key.name in ALERTED]
    storage = tick.instance.event_log_storage
    problems = []
    for key, latest in storage.get_latest_asset_check_execution_by_key(keys).items():
        record = latest
        if record.status.name not in _MADE:  # a run that is going on has only announced it
            history = storage.get_asset_check_execution_history(key, limit=_REMEMBERED)
            record = next((each for each in history if each.status.name in _MADE), latest)
        if record.status.name == _MADE[0] and record.evaluation is not None:
            asset = key.asset_key.to_user_string()
            since = datetime.fromtimestamp(record.create_timestamp, UTC)
            what = f"check {key.name} of {asset} failed: {record.evaluation.description}"
            problems.append(alerts.Problem(f"check {asset} {key.name}", what, since, f"/runs/{record.run_id}"))
    return problems


def _why(instance: dg.DagsterInstance, run_id: str) -> str:
    """What failed in a run, in one line."""
    types = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RESOURCE_INIT_FAILURE}
    entries = instance.all_logs(run_id, of_type=types)
    causes = failed_steps([entry.dagster_event for entry in entries if entry.dagster_event])
    if causes:
        return "; ".join(f"{step}: {cause}" for step, cause in causes.items())
    ends = instance.all_logs(run_id, of_type={dg.DagsterEventType.RUN_FAILURE})
    return next((entry.dagster_event.message or "" for entry in ends if entry.dagster_event), "")


def sensors(settings: Settings) -> Sequence[dg.SensorDefinition]:
    """All sensors, each as often as the settings say."""
    return [
        _sensor(
            "first_start",
            "Starts a full refresh where nothing is published yet, once.",
            settings,
            _first_start,
            [FULL_JOB],
        ),
        _sensor(
            "upstream",
            "Asks the providers in a request or two whether something changed, and reads just the repositories and "
            "teams in which it did.",
            settings,
            _upstream,
            [INCREMENTAL_JOB],
        ),
        _sensor(
            "settings",
            "Reads the history of a repository that was added to the settings; rebuilds where the rules changed.",
            settings,
            _settings,
            [INCREMENTAL_JOB, REBUILD_JOB],
        ),
        _sensor(
            "dead_runs",
            "Marks a run as failed whose process was killed, so that it does not block the next.",
            settings,
            _dead_runs,
        ),
        _sensor(
            "alerts",
            "Tells VEELOCITY_ALERT_URL of failed runs, of what cannot be read and of what is stale, and when it is "
            "over.",
            settings,
            _alerts,
        ),
    ]
