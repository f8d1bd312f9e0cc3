"""Follow a list by newest items: pages from the front until one ends in what is known and the total agrees."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from veelocity_pipeline.sources.kit.connector import Chunk
from veelocity_pipeline.sources.kit.follow.changes import SKIPPED
from veelocity_pipeline.sources.kit.http.errors import BadAnswerError
from veelocity_pipeline.sources.kit.http.paging import Cursors, nodes

Node = Mapping[str, Any]


@dataclass
class Walk:
    """A read that takes more than a page: where to go on, and what was in front when it began."""

    after: str | None
    front: str


@dataclass
class NewestMark:
    """How far a list was read.

    Attributes:
        seen: print of its front when it was last read to the end; empty where that may change within its second.
        newest: keys of the newest items then.
        walk: set while what is new is read.
        full_walk: set while everything is read again.
    """

    seen: str | None = None
    newest: list[str] = field(default_factory=list)
    walk: Walk | None = None
    full_walk: Walk | None = None


class NewestFirst(ABC):
    """A list that a provider orders by when its items were made.

    Attributes:
        key: the field of a node that tells it from the others.
        front: its newest nodes, as the scope was found.
        print: of its front: a short text that changes with it.
        total: how many items it has, as the scope was found.
        items_per_checkpoint: how many are read between two checkpoints at least.
    """

    key: str
    front: Sequence[Node]
    print: str
    total: int
    items_per_checkpoint: int = 1

    @abstractmethod
    def page(self, after: str | None) -> Node:
        """Ask for one page."""

    @abstractmethod
    def cursors(self) -> Cursors:
        """Begin a way along the list."""

    @abstractmethod
    def add(self, chunk: Chunk, items: Sequence[Any]) -> dict[str, Any]:
        """Put nodes into a chunk as rows; return by key what tells whether one has changed."""

    def save(self, chunk: Chunk) -> None:  # noqa: B027 - most have put all of it
        """Put into a chunk what ``add`` has not yet, so that it may be a checkpoint."""


def follow(
    followed: NewestFirst,
    mark: NewestMark,
    stored: Mapping[str, Any],
    is_full: bool,
    checkpoint: Callable[[], Chunk],
) -> Generator[Chunk, None, set[str] | None]:
    """Read pages until one ends in what is stored as it is and the total agrees; go on from where an earlier run was.

    Not before all was seen that is among the newest now or was when they were last read: it was then that what they
    are like was noted, and newer ones, or a tag's move, may have pushed them down since.

    Args:
        stored: what tells whether an item has changed, by its key.
        checkpoint: makes a chunk that saves the scope's mark as it stands.

    Returns:
        all keys if this refresh read from the first page to the last, else None.
    """
    if not followed.total:
        return set()
    current = [node[followed.key] for node in followed.front]
    looked_at = {*mark.newest, *current} & (stored.keys() | set(current))
    seen: set[str] = set()
    is_rest_read = False

    def put(walk: Walk | None) -> None:
        if is_full:
            mark.full_walk = walk
        else:
            mark.walk = walk

    while True:
        walk = mark.full_walk if is_full else mark.walk
        after = walk.after if walk else None
        is_whole = walk is None
        here: set[str] = set()
        waiting, is_first, is_at_end = 0, True, False
        cursors = followed.cursors()
        while True:
            try:
                page = followed.page(after)
            except BadAnswerError:
                if is_whole or not is_first:
                    raise
                # The cursor of an earlier run is no longer good.
                break
            is_first = False
            items = nodes(page)
            chunk = Chunk()
            states = followed.add(chunk, items)
            is_known = bool(states) and stored.get([*states][-1]) == [*states.values()][-1]
            skipped = set(page.get(SKIPPED) or ())
            here |= states.keys() | skipped
            seen |= states.keys() | skipped
            waiting += len(items)
            following = cursors.following(page)
            total = int(page.get("totalCount") or 0)
            may_stop = is_rest_read or not is_full
            agrees = looked_at <= seen and len(seen | stored.keys()) == total
            if following is None or (may_stop and is_known and agrees):
                yield chunk
                is_at_end = True
                break
            after = following
            if waiting >= followed.items_per_checkpoint:
                waiting = 0
                put(Walk(after, walk.front if walk else followed.print))
                followed.save(chunk)
                chunk.mark = checkpoint().mark
            yield chunk
        put(None)
        if is_whole:
            mark.newest = current
            return here if following is None else None
        if is_at_end and walk and walk.front == followed.print and len(seen | stored.keys()) == total:
            mark.newest = current
            return None
        is_rest_read = is_at_end
