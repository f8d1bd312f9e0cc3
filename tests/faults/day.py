"""A day of hourly refreshes, every fourth of them disturbed: are all numbers right at its end?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.faults.trials import Ground, Kill, raw_rows
from tests.inprocess import marts
from veelocity_pipeline.simulator import Fault, Simulator


@dataclass(frozen=True)
class Trouble:
    """What goes wrong in one refresh: at the server's side, or to the process itself."""

    what: str
    fault: Callable[[], Fault] | None = None
    plan: dict[str, Any] = field(default_factory=dict)


TROUBLES = (
    Trouble("a third of all answers is a 502", lambda: Fault("502", rate=0.3)),
    Trouble("kill -9 while dbt builds", plan={"kill_at": "build", "seconds": 1.5}),
    Trouble("the runs of one repository may not be read", lambda: Fault("forbidden", match="web/actions", rate=1.0)),
    Trouble("the disk is full while the marts are published", plan={"full_at": "publish", "room": 200_000}),
    Trouble("kill -9 at a request", lambda: Kill(6)),
    Trouble("every answer of Linear is cut off", lambda: Fault("drop", match="linear", rate=1.0)),
)
"""One for each fourth hour."""


@dataclass(frozen=True)
class Hour:
    """What became of one refresh."""

    hour: int
    trouble: str
    status: int
    requests: int
    is_published: bool
    said: str


def day(ground: Ground) -> Iterator[Hour]:
    """The first refresh, and 24 more, an hour after each other.

    Raises:
        AssertionError: at the end rows or marts are other than one fresh refresh gives.
    """
    ground.reset()
    with ground.simulator(is_increment=False) as simulator:
        assert ground.refresh(simulator)[0] == 0
        for hour in range(1, 25):
            trouble = TROUBLES[hour // 4 - 1] if hour % 4 == 0 else None
            yield _refresh(ground, simulator, hour, trouble)
        assert ground.refresh(simulator)[0] == 0
        raw, built = raw_rows(ground.home), marts(ground.home)
        ground.reset()
        assert ground.refresh(simulator)[0] == 0
        fresh, expected = raw_rows(ground.home), marts(ground.home)
    differing = [name for name in fresh if raw.get(name) != fresh[name]]
    differing += [name for name in expected if built.get(name) != expected[name]]
    assert not differing, f"other than a fresh refresh gives: {', '.join(differing)}"


def _refresh(ground: Ground, simulator: Simulator, hour: int, trouble: Trouble | None) -> Hour:
    simulator.advance(hours=1)
    for change in ("open a pull request", "merge a pull request", "make a deployment", "open an issue"):
        simulator.change(change, [hour])
    simulator.faults[:] = [trouble.fault()] if trouble and trouble.fault else []
    count, before = len(simulator.log), ground.home.published.read_bytes()
    status, _, said = ground.refresh(simulator, **(trouble.plan if trouble else {}))
    simulator.faults.clear()
    return Hour(
        hour,
        trouble.what if trouble else "",
        status,
        len(simulator.log) - count,
        ground.home.published.read_bytes() != before,
        said if status > 0 else "",
    )
