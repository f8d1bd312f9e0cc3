"""Make a change by its name."""

from __future__ import annotations

from collections.abc import Sequence

from veelocity_pipeline.simulator.organization.changes import (
    issues,
    pull_requests,
    releases,
    repositories,
    runs,
    tracker,
)
from veelocity_pipeline.simulator.organization.changes.base import REGISTRY, NotNowError, Picks, Scene, Told
from veelocity_pipeline.simulator.organization.changes.shown import SHOWN
from veelocity_pipeline.simulator.organization.life import Life

GROUPS = (pull_requests, issues, repositories, releases, runs, tracker)
"""Modules that register changes."""

if REGISTRY.keys() != SHOWN.keys():
    raise ValueError(f"changes and their list differ: {REGISTRY.keys() ^ SHOWN.keys()}")


class Changes:
    """Makes changes to an organisation.

    Args:
        newest: how many of the newest tags, releases and deployments are looked at when asking what is new.
    """

    def __init__(self, life: Life, newest: int = 10) -> None:
        self._life = life
        self._newest = newest

    def make(self, name: str, picks: Sequence[int] = ()) -> Told | None:
        """Make one change at the present moment; None where there is nothing that it could be made to.

        Raises:
            KeyError: there is no change of that name.
        """
        choice = Picks(picks)
        shown = SHOWN[name]
        scene = Scene(self._life, self._newest, not choice.flag() if shown is None else shown)
        try:
            text = REGISTRY[name](scene, choice)
        except NotNowError:
            return None
        return Told(text, scene.is_shown)
