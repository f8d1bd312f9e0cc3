"""A refresh that found nothing new, as a run of the job in Dagster's history.

The job itself would first announce its five hundred assets and checks and then skip most of them, each with a
transaction of its own: three times as long as all else of such a refresh.
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg
from dagster._core.events import StepMaterializationData, StepSuccessData

from veelocity_pipeline.defs.loaded import results
from veelocity_pipeline.idle import Quiet
from veelocity_pipeline.operations.jobs import INCREMENTAL
from veelocity_pipeline.transform.fingerprint import NOTHING_NEW

_LOOKED_BACK_AT = 50
"""Runs among which is one of the whole job."""


def like(instance: dg.DagsterInstance) -> dg.DagsterRun | None:
    """A run of the whole job, after which one that finds nothing is shown; None where there is none."""
    filters = dg.RunsFilter(job_name=INCREMENTAL, statuses=[dg.DagsterRunStatus.SUCCESS])
    runs = (record.dagster_run for record in instance.get_run_records(filters, limit=_LOOKED_BACK_AT))
    return next((run for run in runs if not run.asset_selection and run.execution_plan_snapshot_id), None)


def write_down(
    instance: dg.DagsterInstance, answers: Sequence[Quiet], after: dg.DagsterRun, run_id: str, command: str
) -> None:
    """Tell Dagster of a run that found nothing new: it succeeded, and the raw tables are as fresh as it is.

    A table keeps the version of its data, so that nothing that is made from it counts as out of step.

    Args:
        after: what ``like`` found.
    """
    run = instance.add_run(
        dg.DagsterRun(
            job_name=INCREMENTAL,
            run_id=run_id,
            status=dg.DagsterRunStatus.NOT_STARTED,
            job_snapshot_id=after.job_snapshot_id,
            execution_plan_snapshot_id=after.execution_plan_snapshot_id,
            asset_selection=after.asset_selection,
            step_keys_to_execute=after.step_keys_to_execute,
            tags={"dagster/from_command_line": command},
        )
    )

    def tell(kind: dg.DagsterEventType, message: str, data: Any = None, step: str = "", at: float = 0.0) -> None:
        event = dg.DagsterEvent(
            kind.value, run.job_name, step_key=step or None, event_specific_data=data, message=message
        )
        instance.report_dagster_event(event, run_id, timestamp=at or None)

    kinds = dg.DagsterEventType
    tell(kinds.RUN_START, "Looking for what is new", at=answers[0].begun)
    for answer in answers:
        entry, step = answer.entry, f"ingest_{answer.entry.name}"
        tell(kinds.STEP_START, f"Asking {entry.title}", step=step, at=answer.begun)
        for text in answer.said:
            instance.report_engine_event(text, run, step_key=step)
        made = list(results(entry, answer.outcomes, answer.measured))
        last = {
            record.asset_entry.asset_key: record.asset_entry.last_materialization
            for record in instance.get_asset_records([result.asset_key for result in made if result.asset_key])
        }
        for result in made:
            assert result.asset_key is not None
            before = last.get(result.asset_key)
            materialization = dg.AssetMaterialization(
                result.asset_key,
                metadata=result.metadata,
                tags=before.asset_materialization.tags if before and before.asset_materialization else None,
            )
            tell(
                kinds.ASSET_MATERIALIZATION,
                f"{result.asset_key.to_user_string()} is as it was",
                StepMaterializationData(materialization),
                step,
            )
            for each in result.check_results:
                evaluation = dg.AssetCheckEvaluation(
                    asset_key=result.asset_key,
                    check_name=each.check_name or "",
                    passed=each.passed,
                    metadata=each.metadata,
                    severity=each.severity,
                    description=each.description,
                )
                tell(kinds.ASSET_CHECK_EVALUATION, each.description or "As it should be", evaluation, step)
        tell(kinds.STEP_SUCCESS, "Nothing new", StepSuccessData(answer.measured.seconds * 1000), step)
    instance.report_engine_event(NOTHING_NEW, run)
    tell(kinds.RUN_SUCCESS, NOTHING_NEW)
