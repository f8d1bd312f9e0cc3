"""A refresh that found nothing new, as a run of the job in Dagster's history.

The whole job would first announce its five hundred assets and checks and then skip most of them, and needs the
definitions to be loaded. This is a small job of the same name, made and run here, whose steps only report what each
source answered. See docs/decisions/dagster-history.md.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from veelocity_pipeline.defs.loaded import CONFIGURED, results
from veelocity_pipeline.operations.idle import Quiet
from veelocity_pipeline.operations.jobs import INCREMENTAL
from veelocity_pipeline.transform.fingerprint import NOTHING_NEW

RESULT_TAG = "veelocity/result"


def is_possible(instance: dg.DagsterInstance) -> bool:
    """Tell whether the history knows the whole pipeline; in a new one, the whole job has to say what there is."""
    return instance.get_latest_materialization_event(CONFIGURED) is not None


def record(
    instance: dg.DagsterInstance, answers: Sequence[Quiet], run_id: str, command: str
) -> dg.ExecuteInProcessResult:
    """Record a run that found nothing new: it succeeded, and the raw tables are as fresh as it is.

    Args:
        answers: one per source.
        command: what the user called.
    """
    steps = [_step(answer, instance) for answer in answers]
    job = dg.GraphDefinition(
        name=INCREMENTAL, node_defs=steps, description=f"A refresh that only looked. {NOTHING_NEW}."
    ).to_job(executor_def=dg.in_process_executor)
    return job.execute_in_process(
        instance=instance,
        run_id=run_id,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        raise_on_error=False,
        tags={"dagster/from_command_line": command, RESULT_TAG: "nothing new"},
    )


def _step(answer: Quiet, instance: dg.DagsterInstance) -> dg.OpDefinition:
    """Make the step that reports what a source answered."""

    @dg.op(name=f"ingest_{answer.entry.name}", out={}, description=f"What {answer.entry.title} answered.")
    def _report(context: dg.OpExecutionContext) -> Iterator[Any]:
        for text in answer.said:
            context.log.info(text)
        yield from _events(answer, instance)

    return _report


def _events(answer: Quiet, instance: dg.DagsterInstance) -> Iterator[dg.AssetMaterialization | dg.AssetCheckEvaluation]:
    """Yield a materialization and the checks of each raw table.

    A table keeps the version of its data, so that nothing that is made from it counts as out of step.
    """
    made = list(results(answer.entry, answer.outcomes, answer.measured))
    last = {
        record.asset_entry.asset_key: record.asset_entry.last_materialization
        for record in instance.get_asset_records([result.asset_key for result in made if result.asset_key])
    }
    for result in made:
        assert result.asset_key is not None
        before = last.get(result.asset_key)
        yield dg.AssetMaterialization(
            result.asset_key,
            metadata=result.metadata,
            tags=before.asset_materialization.tags if before and before.asset_materialization else None,
        )
        for check in result.check_results:
            yield dg.AssetCheckEvaluation(
                asset_key=result.asset_key,
                check_name=check.check_name or "",
                passed=check.passed,
                metadata=check.metadata,
                severity=check.severity,
                description=check.description,
            )
