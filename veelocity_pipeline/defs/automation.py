"""The jobs, and the schedules that start two of them."""

from typing import Any

import dagster as dg

from veelocity_pipeline.defs.ingest import RAW_KEYS
from veelocity_pipeline.defs.resources import REBUILD
from veelocity_pipeline.settings import Settings
from veelocity_pipeline.sources import SOURCES

INCREMENTAL = "incremental_refresh"
FULL = "full_refresh"
REFRESH_JOBS = (INCREMENTAL, FULL)

AssetJob = Any
"""What ``define_asset_job`` returns; the library does not export its type."""

_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def run_config(*, full: bool, repositories: tuple[str, ...] = (), sources: tuple[str, ...] = ()) -> dg.RunConfig:
    """What a refresh passes to its ingest steps.

    Args:
        full: read everything again.
        repositories: only these; empty for all.
        sources: the ingest steps that are part of the run; empty for all.
    """
    config = {"full": full, "repositories": list(repositories)}
    return dg.RunConfig(ops={f"ingest_{name}": {"config": config} for name in sources or SOURCES})


def refresh_job(name: str, *, full: bool) -> AssetJob:
    """The whole graph in one run: ingest, models and their tests, publish, report."""
    return dg.define_asset_job(
        name,
        selection=dg.AssetSelection.all(),
        config=run_config(full=full),
        executor_def=dg.in_process_executor,
        description=(
            "Reads everything again, marks what is gone, rebuilds and publishes."
            if full
            else "Reads what is new since the last refresh, rebuilds and publishes."
        ),
    )


def refresh_schedule(job: AssetJob, cron: str, settings: Settings) -> dg.ScheduleDefinition:
    """Starts the job, unless its earlier run is still queued or running."""

    @dg.schedule(
        job=job,
        cron_schedule=cron,
        name=f"{job.name}_schedule",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"{job.name}, by the cron line of the settings, in UTC.",
    )
    def _schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        unfinished = context.instance.get_runs(dg.RunsFilter(job_name=job.name, statuses=_UNFINISHED), limit=1)
        if not (settings.has_github_access and settings.github_repositories):
            return dg.SkipReason("GITHUB_TOKEN and GITHUB_REPOSITORIES are not set: there is nothing to refresh")
        if unfinished:
            return dg.SkipReason(f"{job.name} is still going on (run {unfinished[0].run_id[:8]})")
        return dg.RunRequest()

    return _schedule


REBUILD_JOB = dg.define_asset_job(
    REBUILD,
    selection=dg.AssetSelection.all() - dg.AssetSelection.assets(*RAW_KEYS),
    executor_def=dg.in_process_executor,
    description="Builds and publishes anew from what is loaded, after a change of the rules. Nothing is fetched.",
)
INCREMENTAL_JOB = refresh_job(INCREMENTAL, full=False)
FULL_JOB = refresh_job(FULL, full=True)


def schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """The two schedules, by the crons of the settings."""
    return [
        refresh_schedule(INCREMENTAL_JOB, settings.incremental_cron, settings),
        refresh_schedule(FULL_JOB, settings.full_cron, settings),
    ]
