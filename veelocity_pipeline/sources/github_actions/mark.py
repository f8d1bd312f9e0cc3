"""How far the runs of a repository were read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from veelocity_pipeline.sources.kit.mark import Mark
from veelocity_pipeline.sources.kit.skips import Skipped


@dataclass
class PageMark:
    """Of a page of a window: its ETag, and when the newest run on it was created."""

    etag: str
    newest: str


@dataclass
class WindowMark:
    """Of a window: when it begins and ends; without an end it is open."""

    start: str
    end: str | None
    pages: list[PageMark] = field(default_factory=list)


@dataclass
class Load:
    """A read of every run that is under way.

    Attributes:
        name: what the repository was called when it began.
        floor: what was created before this is not read.
        top: it began with what was created until then.
        upper: it goes on with what was created until then.
        windows: that were read, as far as they may change still.
    """

    name: str
    floor: str
    top: str
    upper: str
    windows: list[WindowMark] = field(default_factory=list)


@dataclass
class Gap:
    """What is still to be read of the open window, which began after ``top``: until ``upper``."""

    upper: str
    top: str


@dataclass
class RunsMark(Mark):
    """Of the runs of one repository. Version 1 was the same without a type.

    Attributes:
        name, rules: what the rows depend on: the repository's name, and a print of the rules.
        floor: what was created before this was not read.
        workflows: ETags of the pages of workflows.
        windows, open: the last weeks with their pages; None before everything was read once.
        asked_since: nothing older is on these pages.
        unfinished: when each run that had not ended was created, by id.
        visible_since: when the oldest run was created that the last read of all still found.
        watermarks: the newest change of a run.
        load: set while everything is read.
        gap: set while the open window is closed.
        skipped: what could not be read, by table and id.
    """

    VERSION: ClassVar[int] = 2

    name: str | None = None
    floor: str | None = None
    rules: str | None = None
    workflows: list[str] = field(default_factory=list)
    windows: list[WindowMark] = field(default_factory=list)
    open: WindowMark | None = None
    asked_since: str | None = None
    unfinished: dict[str, str] = field(default_factory=dict)
    visible_since: str | None = None
    watermarks: dict[str, str] = field(default_factory=dict)
    load: Load | None = None
    gap: Gap | None = None
    skipped: Skipped = field(default_factory=dict)
