"""Follow a graph of commits: from one back to what is known. Dates say nothing about what was merged when."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from veelocity_pipeline.sources.kit.connector import Chunk
from veelocity_pipeline.sources.kit.http.errors import BadAnswerError
from veelocity_pipeline.sources.kit.http.paging import nodes

Node = Mapping[str, Any]

MOST_WALKS = 10_000
"""Commits from which history is read beside the branch's head, in one refresh."""


@dataclass
class HistoryWalk:
    """A read of the whole history that is under way: of which head, and the cursor to go on from."""

    head: str
    after: str | None
    is_full: bool


@dataclass
class GraphMark:
    """How far a branch was read.

    Attributes:
        head: the commit from which everything is known.
        walk: set while the whole history is read.
    """

    head: str | None = None
    walk: HistoryWalk | None = None


class Walks:
    """Walks through history, so many and no more.

    Args:
        what: whose history it is, for messages.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._count = 0

    def back(
        self,
        pages: Iterator[Node],
        wanted: set[str],
        seen: set[str],
        add: Callable[[Sequence[Node], Sequence[Node]], Chunk],
        parents: Callable[[Node], Sequence[str]],
        *,
        stops_at_known: bool,
    ) -> Generator[Chunk, None, bool]:
        """Read pages of a commit's history until every wanted commit is known.

        Args:
            wanted: commits that are to be read; what new ones have as parents is added, what is known taken away.
            seen: commits that are known; the new ones are added.
            add: makes a chunk of the new nodes of a page, given all of it as well.
            parents: commits to go on to from a new one.
            stops_at_known: a page that ends in a known commit is the last.

        Returns:
            whether there was a page.

        Raises:
            BadAnswerError: there were too many walks.
        """
        if self._count >= MOST_WALKS:
            raise BadAnswerError(f"The history of {self._what} does not end: its commits have ever more parents.")
        self._count += 1
        is_found = False
        for page in pages:
            is_found = True
            items = nodes(page)
            new = [node for node in items if node["oid"] not in seen]
            yield add(new, items)
            for node in new:
                seen.add(node["oid"])
                wanted.update(parents(node))
            wanted -= seen
            if not wanted or not new or (stops_at_known and items[-1]["oid"] != new[-1]["oid"]):
                break
        return is_found


def reachable(head: str, parents: Callable[[str], Sequence[str]]) -> set[str]:
    """Return the commits that one leads to, itself included."""
    reached: set[str] = set()
    ahead = [head]
    while ahead:
        sha = ahead.pop()
        if sha not in reached:
            reached.add(sha)
            ahead += parents(sha)
    return reached
