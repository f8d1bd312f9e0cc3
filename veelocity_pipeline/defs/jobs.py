"""The jobs, and the schedules that start two of them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.config.settings import Settings, SettingsError
from veelocity_pipeline.defs.launch import EXECUTOR
from veelocity_pipeline.defs.loaded import RAW_KEYS
from veelocity_pipeline.operations.decisions import Run, Wait, under_way
from veelocity_pipeline.operations.jobs import FULL, INCREMENTAL, REBUILD, REFRESH_JOBS
from veelocity_pipeline.sources import SOURCES

AssetJob = Any
"""What ``define_asset_job`` returns; the library does not export its type."""

_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def left_out(sources: Sequence[str]) -> set[dg.AssetKey]:
    """The raw tables that are no part of a run of these sources alone."""
    return {dg.AssetKey([name, table]) for name in SOURCES if name not in sources for table in SOURCES[name].tables}


def run_config(
    *, full: bool, repositories: tuple[str, ...] = (), sources: tuple[str, ...] = (), since: str = ""
) -> dg.RunConfig:
    """What a refresh passes to its ingest steps.

    Args:
        full: read everything again.
        repositories: only these; empty for all.
        sources: the ingest steps that are part of the run; empty for all.
        since: with full, the day from which on; empty for everything.
    """
    config = {"full": full, "repositories": list(repositories), "since": since}
    return dg.RunConfig(ops={f"ingest_{name}": {"config": config} for name in sources or SOURCES})


def refresh_job(name: str, *, full: bool) -> AssetJob:
    """The whole graph in one run: ingest, models and their tests, publish, report."""
    return dg.define_asset_job(
        name,
        selection=dg.AssetSelection.all(),
        config=run_config(full=full),
        executor_def=EXECUTOR,
        description=(
            "Reads everything again, marks what is gone, rebuilds and publishes."
            if full
            else "Reads what is new since the last refresh, rebuilds and publishes."
        ),
    )


def history(instance: dg.DagsterInstance, filters: dg.RunsFilter, limit: int) -> list[Run]:
    """The newest runs that match, newest first."""
    return [_run(record) for record in instance.get_run_records(filters, limit=limit)]


def _run(record: dg.RunRecord) -> Run:
    run = record.dagster_run
    ended = record.end_time or record.update_timestamp.timestamp()
    return Run(
        run.run_id,
        run.job_name,
        _moment(record.start_time or record.create_timestamp.timestamp()),
        None if run.status in _UNFINISHED else _moment(ended),
        failed=run.status == dg.DagsterRunStatus.FAILURE,
        succeeded=run.status == dg.DagsterRunStatus.SUCCESS,
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def unfinished(instance: dg.DagsterInstance, jobs: Sequence[str] = ()) -> list[Run]:
    """Runs of these jobs (of any, without) that are queued or going on."""
    filters = [dg.RunsFilter(job_name=job, statuses=_UNFINISHED) for job in jobs or (None,)]
    return [run for each in filters for run in history(instance, each, limit=1)]


def schedule_decision(job: str, settings: Settings, runs: Sequence[Run]) -> Wait | None:
    """Why a schedule does not start its job now; None: it does.

    Args:
        runs: that are queued or going on.
    """
    try:
        settings.require_sources(())
    except SettingsError as error:
        return Wait(f"there is nothing to refresh: {error}")
    # what a full refresh reads holds all that an increment would
    return under_way(run for run in runs if run.job in (job, FULL))


def refresh_schedule(job: AssetJob, cron: str) -> dg.ScheduleDefinition:
    """Starts the job, unless a run that does the same is still queued or going on."""

    @dg.schedule(
        job=job,
        cron_schedule=cron,
        name=f"{job.name}_schedule",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"{job.name}, by the cron line of the settings, in UTC.",
    )
    def _schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        try:
            settings = load_settings()
        except SettingsError as error:
            return dg.SkipReason(f"the settings cannot be used: {error}")
        decided = schedule_decision(job.name, settings, unfinished(context.instance, REFRESH_JOBS))
        return dg.SkipReason(decided.reason) if decided else dg.RunRequest()

    return _schedule


REBUILD_JOB = dg.define_asset_job(
    REBUILD,
    selection=dg.AssetSelection.all() - dg.AssetSelection.assets(*RAW_KEYS),
    executor_def=EXECUTOR,
    description="Rebuilds and publishes from the data that are loaded, after a change of the rules. Fetches nothing.",
)
INCREMENTAL_JOB = refresh_job(INCREMENTAL, full=False)
FULL_JOB = refresh_job(FULL, full=True)


def schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """The two schedules, by the crons of the settings."""
    return [
        refresh_schedule(INCREMENTAL_JOB, settings.incremental_cron),
        refresh_schedule(FULL_JOB, settings.full_cron),
    ]
