"""Follow a list by change time: newest change first, each page a checkpoint.

A first or full read goes to the end; later ones stop a little below the newest change of the last read. What changes
while pages are read moves to the front, so the front is read again afterwards; and the total must agree with what is
stored, or all ids are listed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from veelocity_pipeline.sources.kit.connector import Chunk, Progress
from veelocity_pipeline.sources.kit.http.errors import BadAnswerError
from veelocity_pipeline.sources.kit.http.paging import Cursors, nodes
from veelocity_pipeline.sources.kit.skips import Skips

Node = Mapping[str, Any]

SKIPPED = "skipped"
"""In a page, keys of items that it should have had."""

OVERLAP = timedelta(minutes=5)
"""How far below the newest known change an increment reads: replicas behind an API lag by seconds."""

SETTLED = timedelta(minutes=1)
"""A newest change that was this old when it was read is the last of its second."""

FIRST_OF_INCREMENT = 10
"""Items on the first page of an increment: mostly a few have changed, and the price is by what is asked for."""


@dataclass
class Sweep:
    """A read of everything that is under way.

    Attributes:
        after: the cursor to go on from.
        newest: the newest change when it began.
    """

    after: str | None
    newest: str | None
    is_full: bool


@dataclass
class Increment:
    """A read of what is new that takes more than a page: where to go on, and what was newest when it began."""

    after: str | None = None
    newest: str | None = None


@dataclass
class ChangesMark:
    """How far a list was read.

    Attributes:
        is_read: all of it was read once.
        newest: the newest change that was read; None where the list was empty.
        seen_at: the server's time of the last read that came to its end.
        count: how many items there were then.
        surplus: of the total over what is listed: a provider may count what it hides.
        sweep: set while everything is read.
        increment: set while what is new is read.
    """

    is_read: bool = False
    newest: str | None = None
    seen_at: str | None = None
    count: int | None = None
    surplus: int = 0
    sweep: Sweep | None = None
    increment: Increment | None = None


class ChangingList(ABC):
    """A list that a provider orders by change. Its nodes have ``id`` and ``updatedAt``.

    Attributes:
        table: where its items are loaded.
        first: items on a page at most.
        newest: its newest change, as the scope was found.
        total: how many items it has, as the scope was found.
        skips: what could not be read.
    """

    table: str
    first: int
    newest: str | None
    total: int
    skips: Skips

    @abstractmethod
    def page(self, after: str | None, most: int) -> Node:
        """Ask for one page; ids of items that are left out of it may be under ``skipped``."""

    @abstractmethod
    def cursors(self) -> Cursors:
        """Begin a way along the list."""

    @abstractmethod
    def open_items(self) -> Iterator[Sequence[Node]]:
        """Ask for what has not ended, page by page."""

    @abstractmethod
    def by_id(self, ids: Iterable[str]) -> Iterator[list[Node]]:
        """Ask for some items, without those that no longer exist."""

    @abstractmethod
    def ids(self) -> set[str]:
        """Ask for all ids."""

    @abstractmethod
    def stored(self) -> set[str]:
        """Return the ids that are loaded and not marked as deleted."""

    @abstractmethod
    def add(self, chunk: Chunk, items: Sequence[Node]) -> None:
        """Put items into a chunk as rows, their inner lists complete."""

    @abstractmethod
    def settled(self, newest: str | None) -> None:
        """Told the newest change when a read comes to its end, before the mark is saved."""


@dataclass(frozen=True)
class Bounds:
    """What of a list is read.

    Attributes:
        is_full: everything again.
        start: what ended before this is not read.
        since: of a full read, only what changed at or after this is read again.
        now: the server's time when the refresh began.
    """

    is_full: bool
    start: datetime | None
    since: datetime | None
    now: datetime

    def is_before_floor(self, moment: datetime | None) -> bool:
        """Whether something is older than all that is to be read."""
        floor = max(filter(None, (self.start, self.since)), default=None)
        return floor is not None and moment is not None and moment < floor


def time(text: str) -> datetime:
    """Return a moment as a provider writes it."""
    return datetime.fromisoformat(text)


class Changes:
    """One read of one list.

    Args:
        mark: changed as the read goes on.
        checkpoint: makes a chunk that saves the scope's mark as it stands.
        progress: told how far the read has come.
    """

    def __init__(
        self,
        followed: ChangingList,
        mark: ChangesMark,
        bounds: Bounds,
        checkpoint: Callable[[], Chunk],
        progress: Callable[[Progress], None],
    ) -> None:
        self.list = followed
        self.mark = mark
        self.bounds = bounds
        self.checkpoint = checkpoint
        self.progress = progress

    def read(self) -> Generator[Chunk, None, None]:
        """Read what is new since the mark, or everything; the mark moves with it."""
        mark, newest, total = self.mark, self.list.newest, self.list.total
        if self.bounds.is_full or not mark.is_read or (mark.sweep and not mark.sweep.is_full):
            yield from self._sweep()
            return
        yield from self._again()
        # Neither is there yet where a first read was killed between its last page and its end.
        settled = newest is None or (mark.seen_at is not None and time(mark.seen_at) - time(newest) >= SETTLED)
        is_same = newest == mark.newest and total == mark.count and mark.increment is None
        if is_same and settled and not self.list.skips.has_unnamed(self.list.table):
            return
        seen: set[str] = set()
        if total:
            seen = yield from self._increment()
        yield from self._settle(seen)

    def _again(self) -> Iterator[Chunk]:
        """Ask again for what was skipped."""
        wanted = self.list.skips.of(self.list.table)
        if not wanted:
            return
        for found in self.list.by_id(sorted(wanted)):
            yield self._rows(found)
        yield self.checkpoint()

    def _sweep(self) -> Iterator[Chunk]:
        """Read everything, newest change first, each page a checkpoint; afterwards what changed meanwhile."""
        mark, total = self.mark, self.list.total
        sweep = mark.sweep
        if sweep is None or sweep.is_full != self.bounds.is_full:
            sweep = Sweep(None, self.list.newest, self.bounds.is_full)
        mark.sweep, mark.increment = sweep, None
        is_resumed = sweep.after is not None
        if not is_resumed:
            self.list.skips.begin(self.list.table)
        seen: set[str] = set()
        pages = 0
        cursors = self.list.cursors()
        while total:
            try:
                page = self.list.page(sweep.after, total)
            except BadAnswerError:
                if not is_resumed or pages:
                    raise
                # The cursor of an earlier run is no longer good.
                sweep.after, is_resumed = None, False
                continue
            pages += 1
            items = nodes(page)
            seen.update(node["id"] for node in items)
            seen.update(page.get(SKIPPED) or ())
            self.progress(Progress(self.list.table.replace("_", " "), len(seen), total, pages))
            following = cursors.following(page)
            if following is None or any(self.bounds.is_before_floor(time(node["updatedAt"])) for node in items[-1:]):
                yield self._rows(items)
                break
            sweep.after = following
            chunk = self.checkpoint()
            self.list.add(chunk, items)
            yield chunk
        if self.bounds.start and total and not self.bounds.since:
            # Below that day only what is still open matters.
            for some in self.list.open_items():
                seen.update(node["id"] for node in some)
                yield self._rows(some)
        mark.newest, mark.is_read = sweep.newest, True
        if pages > 1 or is_resumed:
            seen |= yield from self._increment()
        mark.sweep, mark.surplus = None, 0
        yield from self._settle(seen, is_complete=not is_resumed and not self.bounds.since)

    def _increment(self) -> Generator[Chunk, None, set[str]]:
        """Read what changed since ``newest`` in the mark, and move it. Return the ids that were read.

        One that takes more pages leaves ``increment`` in the mark.
        """
        mark = self.mark
        floor = time(mark.newest) - OVERLAP if mark.newest else None
        seen: set[str] = set()
        is_resumed = mark.increment is not None
        while True:
            walk = mark.increment or Increment()
            cursors = self.list.cursors()
            is_first = True
            while True:
                try:
                    page = self.list.page(walk.after, FIRST_OF_INCREMENT if walk.after is None else self.list.first)
                except BadAnswerError:
                    if not (is_resumed and is_first):
                        raise
                    # The cursor of an earlier run is no longer good.
                    walk, is_first = Increment(), False
                    continue
                is_first = False
                items = nodes(page)
                if walk.newest is None and items:
                    walk.newest = items[0]["updatedAt"]
                new = [node for node in items if floor is None or time(node["updatedAt"]) >= floor]
                seen.update(node["id"] for node in new)
                seen.update(page.get(SKIPPED) or ())
                following = cursors.following(page)
                if len(new) < len(items) or following is None:
                    yield self._rows(new)
                    break
                walk.after = following
                mark.increment = walk
                chunk = self.checkpoint()
                self.list.add(chunk, new)
                yield chunk
            mark.increment = None
            newest = walk.newest
            if newest and (mark.newest is None or time(newest) > time(mark.newest)):
                mark.newest = newest
            if not is_resumed:
                return seen
            # What changed since the earlier run moved to the front, above where it went on.
            is_resumed = False
            floor = time(mark.newest) - OVERLAP if mark.newest else None

    def _settle(self, seen: set[str], is_complete: bool = False) -> Iterator[Chunk]:
        """Save the mark; where the total does not agree with what is stored, list what there is first.

        Args:
            seen: ids that were read in this refresh; their rows may not be loaded yet.
            is_complete: everything was read from the first page to the last in this refresh.
        """
        mark, total, start = self.mark, self.list.total, self.bounds.start
        stored = self.list.stored()
        skips, table = self.list.skips, self.list.table
        seen |= skips.of(table)
        listed: set[str] | None = None
        if self.bounds.is_full:
            listed = set(seen)
            if not is_complete or (stored - listed if start else total != len(listed)):
                listed |= self.list.ids()
        elif start is None and (total != len(stored | seen) + mark.surplus or skips.has_unnamed(table)):
            listed = self.list.ids()
        if listed is not None:
            missing = listed - stored - seen if start is None else set()
            # What is stored but was not listed may have moved between two pages: it is asked for by its id.
            there: set[str] = set()
            for found in self.list.by_id(sorted(missing | (stored - listed))):
                asked = [node for node in found if node.get("id") in missing | stored]
                there.update(node["id"] for node in asked)
                yield self._rows(asked)
            for key in sorted(missing - there - skips.of(table)):
                skips.add(table, key, "it is listed, and not there where it is asked for")
            # One that cannot be read exists all the same.
            listed |= there | skips.of(table)
            if total <= len(listed):
                skips.begin(table)
            # A provider may count what it does not list, of accounts it has hidden; that is no news next time.
            mark.surplus = total - len(listed)
        mark.count = total
        mark.seen_at = self.bounds.now.isoformat()
        self.list.settled(mark.newest)
        chunk = self.checkpoint()
        if listed is not None:
            chunk.listed[self.list.table] = listed
        yield chunk

    def _rows(self, items: Sequence[Node]) -> Chunk:
        chunk = Chunk()
        self.list.add(chunk, items)
        return chunk
