"""Objects that could not be read: remembered in the mark, asked for again, counted in ``sync_status``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from veelocity_pipeline.safety.foreign import sentence
from veelocity_pipeline.sources.kit.http.errors import OverloadedError
from veelocity_pipeline.sources.kit.http.lost import Lost

T = TypeVar("T")

Skipped = dict[str, dict[str, str]]
"""By table, by the object's id, why it was skipped; what a mark has as ``skipped``."""

MOST_FAILING = 20
"""Objects of a table in one refresh that the provider cannot answer for; where there are more it is the provider."""

INCOMPLETE = "incomplete"
"""In a node, the names of its lists and fields that are not whole."""

UNEXPECTED = (KeyError, TypeError, ValueError, AttributeError, AssertionError, OverflowError)
"""What shaping raises of a node in which something is missing, or is of another kind."""

UNNAMED = "?"
"""Begins the key of an object whose id is not known either."""


class Skips:
    """What was skipped in one scope.

    Args:
        kept: in the scope's mark, changed as the read goes on.
    """

    def __init__(self, kept: Skipped) -> None:
        self.kept = kept
        self._failing: dict[str, int] = {}

    def add(self, table: str, key: str, said: object) -> None:
        """Skip an object, or a part of it."""
        self.kept.setdefault(table, {})[key] = sentence(str(said), 300)

    def fail(self, table: str, key: str, error: OverloadedError) -> None:
        """Skip an object that the provider cannot answer for.

        Raises:
            OverloadedError: there are too many of them.
        """
        self._failing[table] = self._failing.get(table, 0) + 1
        if self._failing[table] > MOST_FAILING:
            raise error
        self.add(table, key, error)

    def mark(self, table: str, item: Any, within: Sequence[str | int], said: object, key: str = "id") -> None:
        """Remember an object of which a part could not be read, and in it which."""
        item.setdefault(INCOMPLETE, []).append(next((part for part in within if isinstance(part, str)), ""))
        self.add(table, str(item[key]), f"{within[0] if within else table}: {said}")

    def shaped(self, table: str, items: Iterable[Any], shape: Callable[[Any], T], key: str = "id") -> list[T]:
        """Shape each object; one in which something is of another kind is skipped, one that is whole is no more."""
        rows = []
        for item in items:
            try:
                rows.append(shape(item))
            except UNEXPECTED as error:
                said = f"it has a value of an unexpected kind ({type(error).__name__}: {error})"
                named = item.get(key) if isinstance(item, Mapping) else None
                self.add(table, str(named or f"{UNNAMED}{item}"[:100]), said)
                continue
            if self.kept and not item.get(INCOMPLETE):
                self.done(table, [str(item[key])])
        return rows

    def done(self, table: str, keys: Iterable[str]) -> None:
        """Forget objects that were read."""
        kept = self.kept.get(table)
        if kept:
            for key in keys:
                kept.pop(key, None)
            if not kept:
                del self.kept[table]

    def begin(self, table: str) -> None:
        """Forget the objects without an id: all of the table is read again."""
        self.done(table, [key for key in self.kept.get(table, {}) if key.startswith(UNNAMED)])

    def has_unnamed(self, table: str) -> bool:
        """Whether there are objects of a table of which not even the id is known."""
        return any(key.startswith(UNNAMED) for key in self.kept.get(table, {}))

    def of(self, table: str) -> set[str]:
        """Return the ids of a table's skipped objects."""
        return {key for key in self.kept.get(table, {}) if not key.startswith(UNNAMED)}


def is_harmless(lost: Lost, lists: Collection[str]) -> bool:
    """Whether null is all that there is to know: who wrote something may be hidden, or gone.

    Args:
        lists: names of lists inside objects; one that failed is not an empty one.
    """
    last = lost.path[-1]
    return bool(lost.within) and lost.is_refusal and isinstance(last, str) and last not in lists


def note(
    skips: Skips, table: str, items: Sequence[Any], lost: Iterable[Lost], lists: Collection[str] = (), key: str = "id"
) -> dict[int, str]:
    """Remember what failed inside the items of a page; return which of them did not come at all, and why."""
    missing: dict[int, str] = {}
    for each in lost:
        item = items[each.index]
        if item is None:
            missing[each.index] = each.said
        elif not is_harmless(each, lists):
            skips.mark(table, item, each.within, each.said, key)
    return missing


def example(skipped: Mapping[str, str]) -> str:
    """Return one skipped object of a table with the reason."""
    key = min(skipped)
    return skipped[key] if key.startswith(UNNAMED) else f"{key}: {skipped[key]}"
