"""Pages of lists: how much to ask for at once, and that they end, whatever the server says."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from veelocity_pipeline.sources.kit.http.errors import BadAnswerError, OverloadedError

Json = Any
S = TypeVar("S")
T = TypeVar("T")

MOST_PAGES = 100_000
"""Of a list that does not say how long it is: ten million commits."""

MOST_PAGES_OF_FEW = 5_000
"""Of a list that nobody has a million of: an owner's repositories, a workspace's labels."""

MOST_BARREN = 10
"""Pages in a row that bring nothing new. A provider hides what the token may not see, and moves what changes while it
is read; of cursors not even a whole page of either is likely."""

_KEYS = ("id", "node_id", "oid", "sha", "path", "filename", "name")
"""What tells one item of a list from the others, the first that it has."""


def identity(item: Json) -> object:
    """What tells an item of a list from the others; None where nothing does."""
    if not isinstance(item, Mapping):
        return None
    found = next((item[key] for key in _KEYS if item.get(key) is not None), None)
    return found if isinstance(found, str | int) else None


class Pages:
    """What the pages of one list have brought so far.

    Args:
        title: the provider's, for messages.
        what: the list's.
        most: pages at most.

    Attributes:
        brought: how many items that were not on an earlier page.
    """

    def __init__(self, title: str, what: str, *, most: int = MOST_PAGES, most_barren: int = MOST_BARREN) -> None:
        self._title = title
        self._what = what
        self._most = most
        self._most_barren = most_barren
        self._seen: set[int] = set()
        self._pages = 0
        self._barren = 0
        self.brought = 0

    def note(self, items: Iterable[Json], total: int | None = None) -> None:
        """Note a page.

        Args:
            total: how many items there are in all, as far as is known; some more may be made meanwhile.

        Raises:
            BadAnswerError: so many pages brought nothing new, or all together more than there is, that they have no
                end.
        """
        before = self.brought
        for item in items:
            key = identity(item)
            mark = None if key is None else hash(key)  # a number takes less room than a text
            if mark is not None and mark in self._seen:
                continue
            if mark is not None:
                self._seen.add(mark)
            self.brought += 1
        self._pages += 1
        self._barren = 0 if self.brought > before else self._barren + 1
        if self._barren >= self._most_barren:
            raise self.endless("what they bring is there already")
        if self._pages > self._most:
            raise self.endless(f"there were {self._most:,}")
        if total is not None and self.brought > total + max(1_000, total // 10):
            raise self.endless(f"there are {total:,} in all, and they brought {self.brought:,}")

    def endless(self, why: str) -> BadAnswerError:
        """The error that says that they have no end."""
        return BadAnswerError(f"{self._title}'s pages of {self._what} do not end: {why}.")


def nodes(connection: Mapping[str, Any] | None) -> list[Any]:
    """Return the nodes of a connection of GraphQL that are not null."""
    return [node for node in (connection or {}).get("nodes") or () if node]


class Cursors:
    """The way along one list by cursors; one that comes again, or none where more is promised, would have no end.

    Args:
        title, what, most: as ``Pages`` has them.
        total: how many items there are in all, where that is known.
    """

    def __init__(self, title: str, what: str, total: int | None = None, *, most: int = MOST_PAGES) -> None:
        self._title = title
        self._what = what
        self._total = total
        self._pages = Pages(title, what, most=most)
        self._seen: set[str] = set()

    def following(self, connection: Mapping[str, Any]) -> str | None:
        """Where the next page begins; None at the end.

        Raises:
            BadAnswerError: the list leads in a circle or on and on, or does not say whether it ends.
        """
        info = connection.get("pageInfo")
        if not info:
            raise BadAnswerError(f"{self._title} does not say whether its pages of {self._what} end.")
        if not info["hasNextPage"]:
            return None
        cursor = info["endCursor"]
        if not cursor or str(cursor) in self._seen:
            raise self._pages.endless(f"the cursor {str(cursor)[:100]} comes again")
        self._seen.add(str(cursor))
        self._pages.note(connection.get("nodes") or (), self._total)
        return str(cursor)


class PageSize:
    """How much to ask for at once: half as much when the server cannot manage, slowly more again after.

    Shared by threads that read the same kind of page.
    """

    def __init__(self, most: int, least: int = 1, patience: int = 3) -> None:
        self.most = most
        self.least = least
        self._patience = patience
        self._current = most
        self._good = 0
        self._lock = threading.Lock()

    @property
    def current(self) -> int:
        """The size that the next page is asked with."""
        return self._current

    def ask(self, send: Callable[[int, bool], T], pause: Callable[[], None]) -> T:
        """Call ``send(size, is_least)`` with ever smaller sizes until it does not raise OverloadedError.

        Raises:
            OverloadedError: not even the least can be had.
        """
        while True:
            size = self._current
            try:
                answer = send(size, size <= self.least)
            except OverloadedError:
                if size <= self.least:
                    raise
                with self._lock:
                    self._current = max(self.least, min(self._current, size // 2))
                    self._good = 0
                pause()
                continue
            with self._lock:
                self._good += 1
                if self._good >= self._patience and self._current < self.most:
                    self._current = min(self.most, max(self._current + 1, self._current * 3 // 2))
                    self._good = 0
            return answer

    def portions(
        self,
        items: Iterable[S],
        send: Callable[[list[S], bool], T],
        lost: Callable[[S, OverloadedError], None] | None = None,
    ) -> Iterator[tuple[list[S], T]]:
        """Call ``send(some, is_least)`` with as many of the items at once as go, until all were sent.

        Args:
            lost: told of each item that cannot be had even by itself, which is left out then.

        Raises:
            OverloadedError: an item cannot be had even by itself, and nobody is to be told.
        """
        left = list(items)
        while left:
            try:
                some, answer = self.ask(functools.partial(_portion, left, send), lambda: None)
            except OverloadedError as error:
                if lost is None:
                    raise
                lost(left.pop(0), error)
                continue
            left = left[len(some) :]
            yield some, answer


def _portion(items: list[S], send: Callable[[list[S], bool], T], count: int, is_least: bool) -> tuple[list[S], T]:
    some = items[:count]
    return some, send(some, is_least or len(some) == 1)
