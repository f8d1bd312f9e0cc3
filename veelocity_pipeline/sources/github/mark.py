"""How far a repository was read, list by list."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from veelocity_pipeline.sources.kit.follow.changes import ChangesMark
from veelocity_pipeline.sources.kit.follow.graph import GraphMark
from veelocity_pipeline.sources.kit.follow.newest import NewestMark
from veelocity_pipeline.sources.kit.mark import Mark, State
from veelocity_pipeline.sources.kit.skips import Skipped


@dataclass
class TagsMark(NewestMark):
    """Of tags.

    Attributes:
        tagged: commits of tags that the default branch does not lead to, while these are to be read.
        moved: names of tags that moved or vanished, whose releases are to be asked.
        is_dated: every tag that is loaded has its dates; those of earlier versions had none.
    """

    tagged: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    is_dated: bool = False


@dataclass
class DeploymentsMark(NewestMark):
    """Of deployments; ``under_way`` are ids of those that may still change."""

    under_way: list[str] = field(default_factory=list)


@dataclass
class DeployedMark:
    """Of commits beside the default branch.

    Attributes:
        seen: print of the lists that name such commits, when they were read.
        missing: commits that cannot be had.
    """

    seen: str | None = None
    missing: list[str] = field(default_factory=list)


@dataclass
class FullRead:
    """A full refresh that is under way.

    Attributes:
        begun: when.
        name: what the repository was called then.
        since: only what changed at or after this is read again.
        done: lists that are read.
    """

    begun: str
    name: str
    since: str | None
    done: list[str] = field(default_factory=list)


@dataclass
class RepositoryMark(Mark):
    """Of one repository.

    Attributes:
        name: what it was called in every address that is loaded; None until everything was read once.
        start: the first day in force.
        has_files: paths of files are read.
        row: print of its own row.
        rewritten: the head to which the default branch last lost commits.
        files_without: commits that touch no file.
        full: set while everything is read again.
        watermarks: by table the newest change that was read.
        skipped: what could not be read, by table and id.
    """

    VERSION: ClassVar[int] = 2

    name: str | None = None
    start: str | None = None
    has_files: bool = False
    row: str | None = None
    commits: GraphMark = field(default_factory=GraphMark)
    pull_requests: ChangesMark = field(default_factory=ChangesMark)
    issues: ChangesMark = field(default_factory=ChangesMark)
    tags: TagsMark = field(default_factory=TagsMark)
    releases: NewestMark = field(default_factory=NewestMark)
    deployments: DeploymentsMark = field(default_factory=DeploymentsMark)
    deployed_commits: DeployedMark = field(default_factory=DeployedMark)
    rewritten: str | None = None
    files_without: list[str] = field(default_factory=list)
    full: FullRead | None = None
    watermarks: dict[str, str] = field(default_factory=dict)
    skipped: Skipped = field(default_factory=dict)

    @classmethod
    def upgraded(cls, state: State) -> State:
        """Return state of version 1, which kept parts of several lists together, in the form of version 2."""

        def changes(name: str) -> dict[str, Any]:
            part = state.get(name, {})
            return {**part, "is_read": "newest" in part}

        def newest(name: str) -> dict[str, Any]:
            walks = state.get("walks", {})
            return {
                "newest": state.get("newest", {}).get(name, []),
                "walk": walks.get(name),
                "full_walk": walks.get(f"{name} in full"),
            }

        deployments = state.get("deployments", {})
        same = ("name", "start", "commits", "deployed_commits", "rewritten", "full", "watermarks")
        return {
            **{name: state[name] for name in same if name in state},
            "has_files": state.get("files", False),
            "row": state.get("repository"),
            "pull_requests": changes("pull_requests"),
            "issues": changes("issues"),
            "tags": {
                **newest("tags"),
                "seen": state.get("tags"),
                "tagged": state.get("tagged", []),
                "moved": state.get("moved_tags", []),
            },
            "releases": {**newest("releases"), "seen": state.get("releases")},
            "deployments": {**newest("deployments"), **deployments},
            "files_without": state.get("commit_files", {}).get("without", []),
        }
