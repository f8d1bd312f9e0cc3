"""A build: ask what changed, have dbt build just that, and remember what it was made from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from veelocity_pipeline.transform.fingerprint import Building, Plan
from veelocity_pipeline.transform.runner import Done, Runner


def steps(building: Building, runner: Runner, say: Callable[[str], None]) -> Iterator[tuple[Plan, Sequence[Done]]]:
    """Build each model whose inputs changed, and run its tests in the last step.

    Where something of the project failed, stop here: what a step was to build then counts as not built.

    Args:
        say: told what is going to be built.

    Yields:
        each step when dbt has ended: what it was to do, and what became of each node.

    Raises:
        BuildError: dbt could not begin.
        KeyboardInterrupt: a signal asked to stop.
    """
    count = 0
    building.drop_removed()
    while True:
        plan = building.plan()
        count += len(plan.nodes)
        building.begin(plan)
        if plan.is_everything:
            say(f"Building all {count} models and testing them")
            done = runner.build(["*"])
        else:
            if plan.is_last and count:
                say(f"Building {count} of {len(building.models)} models and testing them; nothing else changed")
            selected = [*map(selector, plan.nodes), *map(_tests_of, plan.tests_of)]
            done = runner.build(selected, with_tests=plan.is_last) if selected else []
        yield plan, done
        if building.is_broken(done):
            return
        building.end(plan, building.failed(done))
        if plan.is_last:
            return


def selector(unique_id: str) -> str:
    """A node as dbt selects it."""
    kind, _, *rest = unique_id.split(".")
    return f"source:{'.'.join(rest)}" if kind == "source" else rest[0]


def _tests_of(unique_id: str) -> str:
    """The tests of a node as dbt selects them, without the node."""
    # (a source is nothing that could be built)
    return selector(unique_id) if unique_id.startswith("source.") else f"{selector(unique_id)}+1,resource_type:test"
