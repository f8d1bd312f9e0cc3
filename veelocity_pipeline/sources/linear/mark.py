"""How far a workspace and its teams were read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from veelocity_pipeline.sources.kit.mark import Mark, State
from veelocity_pipeline.sources.kit.skips import Skipped


@dataclass
class WorkspaceMark(Mark):
    """Of what all teams share: by table, a print of its rows. Version 1 was the same without a type."""

    VERSION: ClassVar[int] = 2

    digests: dict[str, str] = field(default_factory=dict)
    skipped: Skipped = field(default_factory=dict)


@dataclass
class FullRead:
    """A read of every issue that is under way.

    Attributes:
        key, start, since: what was asked for, as it was then.
        started: when it began.
        until: it goes on with what was created until then.
    """

    key: str
    start: str | None
    since: str | None
    started: str
    until: str


@dataclass
class TeamMark(Mark):
    """Of the issues of a team.

    Attributes:
        since: what changed before is loaded; None until everything was read once.
        recent: what changed after it and is loaded all the same: ``updatedAt`` by id.
        key, labels: the team's key and the labels' names, which are part of its rows.
        start: the start date in force.
        watermarks: the newest change of an issue.
        full: set while everything is read.
        skipped: what could not be read, by table and id.
    """

    VERSION: ClassVar[int] = 2

    key: str | None = None
    start: str | None = None
    since: str | None = None
    recent: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    watermarks: dict[str, str] = field(default_factory=dict)
    full: FullRead | None = None
    skipped: Skipped = field(default_factory=dict)

    @classmethod
    def upgraded(cls, state: State) -> State:
        """Return state of version 1, which called ``full`` a pass, in the form of version 2."""
        current: dict[str, Any] = {**state, "full": state.get("pass")}
        return current
