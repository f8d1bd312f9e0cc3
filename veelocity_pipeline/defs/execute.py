"""Dagster's instance under ``VEELOCITY_HOME``, and refreshes run in it.

The command line and the schedules run the same job on the same instance, so that every run is in the UI.
"""

from __future__ import annotations

import json
import logging
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from veelocity_pipeline.config.settings import CHECKOUT, Settings
from veelocity_pipeline.defs.ended import failed_steps, is_interruption, own_problems, report_dead_runs
from veelocity_pipeline.operations.jobs import BUILD_TAG, EVERYTHING, FULL, INCREMENTAL, REBUILD
from veelocity_pipeline.safety.files import replace_file, settle_libraries
from veelocity_pipeline.transform.fingerprint import NOTHING_NEW
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.lock import alive, exclusively, writing
from veelocity_pipeline.warehouse.status import read_status

if TYPE_CHECKING:
    import dagster as dg

    from veelocity_pipeline.operations.idle import Quiet

log = logging.getLogger("veelocity")
TEMPLATE = CHECKOUT / "dagster.yaml"
"""What is rendered into Dagster's home; Dagster reads only the copy there."""
_SQLITE = """
storage:
  custom:
    module: veelocity_pipeline.defs.history
    class: SqliteHistory
    config:
      base_dir: {folder}
"""
_POSTGRES = """
storage:
  custom:
    module: veelocity_pipeline.defs.history_postgres
    class: PostgresHistory
    config:
      postgres_url:
        env: DAGSTER_POSTGRES_URL
"""
_RETENTION = """
retention:
  schedule:
    purge_after_days: {days}
  sensor:
    purge_after_days:
      skipped: 2
      success: {days}
      failure: {days}
"""
"""Rendered, like the storage, below a comment: Dagster reads the template too, where it finds it in its own folder, and
would take no placeholder for a number."""
_REFRESH = "veelocity refresh"
"""The command, as its runs are tagged."""


def prepare_instance(settings: Settings) -> Home:
    """Make Dagster's home and point this process (and those it starts) at it.

    Under a lock: processes that make a fresh home together break it. A history of an earlier Dagster is brought to this
    version's schema.

    Raises:
        SettingsError: PostgreSQL refuses the user, password or database.
        WarehouseError: the folder, or PostgreSQL, cannot be used.
    """
    import dagster as dg

    from veelocity_pipeline.defs.instance import alone, bring_up_to_date, explained_history, reach_postgres

    home = Home.of(settings)
    home.make()
    settle_libraries(home.path)
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    os.environ["VEELOCITY_HOME"] = str(home.path)
    postgres = settings.dagster_postgres_url
    if postgres is not None:
        os.environ["DAGSTER_POSTGRES_URL"] = postgres.get_secret_value()
        reach_postgres(postgres)
    with exclusively(home.dagster / ".make.lock"):
        content = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
            STORAGE=_POSTGRES if postgres is not None else _SQLITE.format(folder=_quoted(home.dagster)),
            RETENTION=_RETENTION.format(days=settings.history_days),
        )
        target = home.dagster / "dagster.yaml"
        if not target.exists() or target.read_text(encoding="utf-8") != content:
            replace_file(target, content)
        with explained_history(), alone(postgres), dg.DagsterInstance.get() as instance:
            bring_up_to_date(instance)
            instance.get_run_records(limit=1)
    return home


def _quoted(path: Path) -> str:
    """A path as YAML has it, whatever is in its name."""
    return json.dumps(str(path), ensure_ascii=False)


def prune_runs(settings: Settings) -> int:
    """Delete all runs that are older than the settings keep them; returns how many.

    Raises:
        WarehouseError: the folder, or PostgreSQL, cannot be used.
    """
    import dagster as dg

    from veelocity_pipeline.defs.instance import explained_history, prune_history

    prepare_instance(settings)
    with explained_history(), dg.DagsterInstance.get() as instance:
        return prune_history(instance, settings.history_days, most=None)


@dataclass(frozen=True)
class RefreshResult:
    """How a refresh ended.

    Attributes:
        succeeded: every step ran; marts are published.
        failed_steps: by name, one sentence each.
        failures: what could not be read: source, repository or team, why.
    """

    run_id: str
    succeeded: bool
    failed_steps: Mapping[str, str]
    failures: list[tuple[str, str, str]] = field(default_factory=list)


def refresh(
    settings: Settings,
    *,
    full: bool = False,
    only: tuple[str, ...] = (),
    repositories: tuple[str, ...] = (),
    since: str = "",
) -> RefreshResult:
    """Run the job that a schedule would run, here and now.

    Where a plain increment finds nothing new, its run only reports that (``defs/quiet.py``). The options are those that
    ``preflight.require_options`` lets pass.

    Args:
        full: ``full_refresh`` instead of ``incremental_refresh``.
        only: names of sources; the others keep what they have. Empty: all.
        repositories: only these; empty for all.
        since: with ``full``, read again only what changed or ended on this day or later; empty: everything.

    Raises:
        NothingReadableError: every source rejects the credentials, or cannot be reached.
        WarehouseError: the folder cannot be used.
    """
    from veelocity_pipeline.operations import idle
    from veelocity_pipeline.operations.preflight import require_readable

    home = Home.of(settings)
    home.make()
    is_plain = home.published.exists() and not (full or only or repositories or since)
    if is_plain and (home.dagster / "dagster.yaml").exists() and not idle.has_failures(home):
        found = _look(settings, home)
        if found is not None:
            return found
    else:
        require_readable(settings, home, full=full, only=only)
    log.info("Loading the pipeline …")
    prepare_instance(settings)

    from veelocity_pipeline.defs.jobs import left_out, run_config
    from veelocity_pipeline.defs.location import loaded

    defs = loaded()
    job = FULL if full else INCREMENTAL
    selection = None
    if only:
        everything = defs.resolve_job_def(job).asset_layer.executable_asset_keys
        selection = list(set(everything) - left_out(only))
    config = run_config(full=full, repositories=repositories, sources=only, since=since).to_config_dict()
    return _run(settings, home, job, _REFRESH, config, selection)


def _look(settings: Settings, home: Home) -> RefreshResult | None:
    """Refresh where there is nothing new; None where the whole job is to run.

    Raises:
        NothingReadableError: every source rejects the credentials, or cannot be reached.
        WarehouseError: the folder, or Dagster's history, cannot be used.
    """
    from veelocity_pipeline.operations import idle
    from veelocity_pipeline.operations.preflight import require_readable
    from veelocity_pipeline.safety import logs

    run = str(uuid.uuid4())
    asked = idle.Asked()
    log.info("Asking what is new …")
    with (
        logs.kept(home.log, job=INCREMENTAL, run=run),
        writing(home, f"{INCREMENTAL} (run {run[:8]})", log.info),
    ):
        answers = idle.nothing_new(settings, home, run, asked)
        found = _record(settings, home, answers, run) if answers is not None else None
        if found is not None:
            return found
    if not asked.has_answer:
        require_readable(settings, home, known=asked.refusals)
    return None


def _record(settings: Settings, home: Home, answers: Sequence[Quiet], run: str) -> RefreshResult | None:
    """Record a refresh that found nothing in Dagster's history; None where the history does not know the pipeline."""
    prepare_instance(settings)

    import dagster as dg

    from veelocity_pipeline.defs import quiet
    from veelocity_pipeline.defs.instance import explained_history, prune_history

    with explained_history(), dg.DagsterInstance.get() as instance:
        report_dead_runs(instance, home)
        if not quiet.is_possible(instance):
            return None
        for text in (text for answer in answers for text in answer.said):
            log.info(text)
        with alive(home, run):
            result = quiet.record(instance, answers, run, _REFRESH)
        log.info(NOTHING_NEW)
        prune_history(instance, settings.history_days)
    return _result(result)


def rebuild(settings: Settings, *, everything: bool = False) -> RefreshResult:
    """Write the rules of the settings, build the models from what is loaded, publish. No request is made.

    Args:
        everything: build every model; else those whose inputs changed since the last build.

    Raises:
        WarehouseError: the folder cannot be used.
    """
    tags = {BUILD_TAG: EVERYTHING} if everything else {}
    return _run(settings, prepare_instance(settings), REBUILD, "veelocity rebuild", {}, tags=tags)


def _run(
    settings: Settings,
    home: Home,
    name: str,
    command: str,
    config: dict[str, Any],
    selection: list[dg.AssetKey] | None = None,
    tags: Mapping[str, str] | None = None,
) -> RefreshResult:
    """Run a job here and now, on the instance that the UI and the schedules use.

    Raises:
        WarehouseError: the folder cannot be used.
        KeyboardInterrupt: it was interrupted; the run is marked as failed.
    """
    import dagster as dg

    from veelocity_pipeline.defs.instance import explained_history

    started = time.time()

    from veelocity_pipeline.defs.launch import console_config
    from veelocity_pipeline.defs.location import loaded

    defs = loaded()
    with explained_history(), dg.DagsterInstance.get() as instance:
        report_dead_runs(instance, home)
        result = defs.resolve_job_def(name).execute_in_process(
            instance=instance,
            run_config={**config, **console_config("CRITICAL")},
            asset_selection=selection,
            raise_on_error=False,
            tags={"dagster/from_command_line": command, **(tags or {})},
        )
    return _result(result, [*_failures(home, started), *own_problems(result.all_events)])


def _result(result: dg.ExecuteInProcessResult, failures: Sequence[tuple[str, str, str]] = ()) -> RefreshResult:
    """How a run ended.

    Raises:
        KeyboardInterrupt: it was interrupted.
    """
    if any(map(is_interruption, result.all_events)):
        raise KeyboardInterrupt
    return RefreshResult(result.run_id, result.success, failed_steps(result.all_events), list(failures))


def _failures(home: Home, since: float) -> list[tuple[str, str, str]]:
    from datetime import datetime

    rows = [row for row in read_status(home) if row["error"]]
    return sorted(
        {
            (row["source"], row["repository"], row["error"])
            for row in rows
            if datetime.fromisoformat(row["attempted_at"]).timestamp() >= since - 1
        }
    )
