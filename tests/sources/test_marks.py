"""Marks as they are saved: every version that a warehouse may hold is read, and nothing of it is lost.

``marks/<source>_version_1.json`` has every key that a load of that version saved: keys and forms are taken from loads
that were interrupted in every list, by hand; the values are made up where one load cannot have them all.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from veelocity_pipeline.sources.github.mark import (
    DeployedMark,
    DeploymentsMark,
    FullRead,
    RepositoryMark,
    TagsMark,
)
from veelocity_pipeline.sources.github_actions.mark import Gap, Load, PageMark, RunsMark, WindowMark
from veelocity_pipeline.sources.kit.follow.changes import ChangesMark, Increment, Sweep
from veelocity_pipeline.sources.kit.follow.graph import GraphMark, HistoryWalk
from veelocity_pipeline.sources.kit.follow.newest import NewestMark, Walk
from veelocity_pipeline.sources.kit.mark import Mark
from veelocity_pipeline.sources.linear.mark import FullRead as FullReadOfTeam
from veelocity_pipeline.sources.linear.mark import TeamMark, WorkspaceMark

GITHUB = RepositoryMark(
    name="acme/web",
    start=None,
    has_files=True,
    row="5599a06cef6428b3",
    commits=GraphMark(
        "c7518424a4f1505aaeab40cebd0e9438cb043a55",
        HistoryWalk("950a01b2e7c9b04954208e8fe602e67c382282eb", "WyJ2MiIsIDJd", True),
    ),
    pull_requests=ChangesMark(
        is_read=True,
        newest="2026-10-01T13:01:00Z",
        seen_at="2026-10-01T14:01:00+00:00",
        count=3,
        surplus=1,
        increment=Increment("WyJ2MiIsIDRd", "2026-10-02T09:00:00Z"),
    ),
    issues=ChangesMark(sweep=Sweep("WyJ2MiIsIDhd", "2026-10-01T13:00:00Z", False)),
    tags=TagsMark(
        seen="0f621b55c513512c",
        newest=["v1", "v2"],
        full_walk=Walk("WyJ2MiIsIDld", "9bffcfc4edf2de64"),
        tagged=["1f1b54d7962f38df8a3cab0698dee656fc60b611"],
        moved=["v1"],
        is_dated=False,
    ),
    releases=NewestMark(seen="", newest=["RE_kwDOKnBCDgg5toc"]),
    deployments=DeploymentsMark(
        seen="42f768f980293a64",
        newest=["DE_kwDOKnBCFVvKiRU"],
        walk=Walk("WyJ2MiIsIDZd", "d34cdb36d07766f9"),
        under_way=["DE_kwDOKnBCB1vKiQ4"],
    ),
    deployed_commits=DeployedMark("447733473bbc7feb", ["0000000000000000000000000000000000000001"]),
    rewritten="950a01b2e7c9b04954208e8fe602e67c382282eb",
    files_without=["C_kwDO2a7042071000056b50dfb3240945b802b06c5c73016ffa47"],
    full=FullRead("2026-10-01T13:01:59+00:00", "acme/web", "2026-09-01T00:00:00+00:00", ["commits"]),
    watermarks={"pull_requests": "2026-10-01T13:01:00Z"},
)
ACTIONS = RunsMark(
    name="acme/web",
    floor="2008-01-01T00:00:00+00:00",
    rules="12381f9ec6d32665",
    workflows=['0 W/"49f5b0db"', '0 W/"5124a116"'],
    windows=[
        WindowMark(
            "2026-09-01T00:00:00+00:00",
            "2026-10-08T13:56:00+00:00",
            [PageMark('0 W/"ece8afc8"', "2026-10-08T13:56:00+00:00")],
        )
    ],
    open=WindowMark("2026-10-08T13:56:01+00:00", None, [PageMark('0 W/"833fe36e"', "2026-10-30T13:06:03+00:00")]),
    asked_since="2026-09-25T13:06:03+00:00",
    unfinished={"7001": "2026-10-30T13:21:03+00:00"},
    visible_since="2026-10-02T14:01:00+00:00",
    watermarks={"runs": "2026-10-30T13:21:03+00:00"},
    load=Load(
        "acme/web",
        "2008-01-01T00:00:00+00:00",
        "2026-10-30T13:00:00+00:00",
        "2026-10-08T13:55:59+00:00",
        [
            WindowMark(
                "2026-10-08T13:56:00+00:00",
                "2026-10-30T13:00:00+00:00",
                [PageMark("", "2026-10-30T12:59:00+00:00")],
            )
        ],
    ),
    gap=Gap("2026-10-20T00:00:00+00:00", "2026-10-30T13:00:00+00:00"),
)
LINEAR = TeamMark(
    key="ENG",
    start=None,
    since="2026-12-05T12:55:03+00:00",
    recent={"issue-1": "2026-12-05T13:01:01.000Z"},
    labels={"label-1": "Incident"},
    watermarks={"issues": "2026-12-05T13:01:01.000Z"},
    full=FullReadOfTeam(
        "ENG", None, "2026-11-01T00:00:00+00:00", "2026-12-05T13:05:03+00:00", "2026-11-20T10:00:00.000Z"
    ),
)
MARKS: dict[str, Mark] = {"github": GITHUB, "github_actions": ACTIONS, "linear": LINEAR}


def saved(source: str) -> dict[str, Any]:
    file = Path(__file__).parent / "marks" / f"{source}_version_1.json"
    state: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return state


@pytest.mark.parametrize("source", MARKS)
def test_a_mark_of_version_1_is_read(source: str) -> None:
    assert type(MARKS[source]).from_state(saved(source)) == MARKS[source]


@pytest.mark.parametrize("source", MARKS)
def test_a_mark_is_read_as_it_was_saved(source: str) -> None:
    mark = MARKS[source]
    state = mark.to_state()
    assert json.loads(json.dumps(state)) == state
    assert type(mark).from_state(state) == mark
    assert state["version"] == type(mark).VERSION > 1
    assert state["watermarks"] == saved(source)["watermarks"]


def test_a_repository_of_which_nothing_is_saved_is_read_from_the_beginning() -> None:
    assert RepositoryMark.from_state({}) == RepositoryMark()
    # One that a later version saved says nothing that can be trusted.
    assert RepositoryMark.from_state({**GITHUB.to_state(), "version": 3}) == RepositoryMark()


def test_a_list_that_was_empty_when_it_was_read_is_read() -> None:
    # Version 1 saved newest: null for a repository without issues; without the key the list was never read to its end.
    assert RepositoryMark.from_state({"issues": {"newest": None, "count": 0}}).issues.is_read
    assert not RepositoryMark.from_state({"issues": {}}).issues.is_read


def test_what_is_saved_does_not_change_with_the_mark() -> None:
    mark = RepositoryMark(tags=TagsMark(newest=["v1"]))
    state = mark.to_state()
    mark.tags.newest.append("v2")
    assert state["tags"]["newest"] == ["v1"]


def test_a_mark_of_a_workspace_of_version_1_is_read() -> None:
    assert WorkspaceMark.from_state({"digests": {"teams": "fccf3b9a"}}) == WorkspaceMark({"teams": "fccf3b9a"})
