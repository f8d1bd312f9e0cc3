"""How runs ended: the steps that failed, and runs whose process was killed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.lock import forget_life, is_alive

if TYPE_CHECKING:
    import dagster as dg
    from dagster_shared.error import SerializableErrorInfo

_SETTLED_AFTER = 60
"""Seconds after which a run that says it is going on must have shown that it lives; that takes a moment."""
_STARTED_AFTER = 300
"""Seconds after which a run that is to start must have; loading the definitions takes about ten."""


def report_dead_runs(instance: dg.DagsterInstance, home: Home) -> list[str]:
    """Mark as failed every run that says it is going on and whose process is no more: it was killed.

    Dagster's own launcher cannot tell (it asks no worker how it is), and such a run would keep the only slot for ever.

    Returns:
        ids of the runs that were marked.
    """
    import dagster as dg

    started = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    starting = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING]
    dead = []
    for record in instance.get_run_records(dg.RunsFilter(statuses=[*started, *starting])):
        run = record.dagster_run
        lives = is_alive(home, run.run_id)
        if lives:
            continue
        since = (
            record.start_time if run.status in started and record.start_time else record.create_timestamp.timestamp()
        )
        settled = _SETTLED_AFTER if run.status in started else _STARTED_AFTER
        if lives is None and time.time() - since < settled:
            continue
        instance.report_run_failed(run, "The run's process ended without a word: killed, or the machine went down.")
        forget_life(home, run.run_id)
        dead.append(run.run_id)
    return dead


def is_interruption(event: dg.DagsterEvent) -> bool:
    """Whether this is a step or the run that ends because of a signal."""
    error = event.step_failure_data.error if event.is_step_failure else None
    if event.event_type_value == "PIPELINE_FAILURE":
        error = event.job_failure_data.error
    while error is not None:
        if error.cls_name in ("DagsterExecutionInterruptedError", "KeyboardInterrupt"):
            return True
        error = error.cause
    return False


def failed_steps(events: Sequence[dg.DagsterEvent]) -> dict[str, str]:
    """Why which step failed; where none was reached, why the run could not start."""
    steps = {
        event.step_key or "": _cause(event.step_failure_data.error)
        for event in events
        if event.is_step_failure and event.step_failure_data.error
    }
    starts = [
        _cause(error)
        for event in events
        if event.event_type_value == "RESOURCE_INIT_FAILURE" and (error := event.engine_event_data.error)
    ]
    return steps or ({"start": starts[0]} if starts else {})


def _cause(error: SerializableErrorInfo | None) -> str:
    """What a failure says in one line: our own explanation where there is one, else the innermost message."""
    while error is not None:
        if error.message.startswith("veelocity_pipeline."):
            return error.message.partition(": ")[2].strip()
        if error.cause is None:
            break
        error = error.cause
    lines = [line.strip() for line in (error.message if error else "").splitlines() if line.strip()]
    return lines[0] if lines else "unknown"


def own_problems(events: Sequence[dg.DagsterEvent]) -> list[tuple[str, str, str]]:
    """What a run found wrong with the user's own models, as failures of a refresh."""
    from veelocity_pipeline.defs.checks import OWN_MODELS

    found = [each.asset_check_evaluation_data for each in events if each.event_type_value == "ASSET_CHECK_EVALUATION"]
    problems: dict[str, str] = {}
    for each in found:
        if each.check_name == OWN_MODELS:
            problems |= cast(Mapping[str, str], each.metadata["problems"].value)
    return [("your models", file, problem) for file, problem in problems.items()]
