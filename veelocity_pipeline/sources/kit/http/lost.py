"""What failed inside an answer of GraphQL that is good otherwise: a field of an item of a list, or the item."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from veelocity_pipeline.safety.foreign import sentence
from veelocity_pipeline.sources.kit.http.provider import error_code, is_too_large

Path = tuple[str | int, ...]

_WHOLE_PAGE = re.compile(r"RESOURCE_LIMIT|RATE.?LIMIT|NODE_LIMIT|COMPLEX")
"""Codes of errors that say that the page is not whole, whatever path they name."""


_REFUSED = re.compile(r"not found|could not find|does not exist|permission|forbidden|not allowed", re.IGNORECASE)

_ALIAS = re.compile(r"[a-z]+(\d+)")
"""What many things that are asked for at once are called."""


@dataclass(frozen=True)
class Lost:
    """Something that is null because it failed.

    Attributes:
        path: where the null is.
        item: how much of the path leads to the outermost item of a list that has it.
        code: the provider's, in upper case.
        said: the provider's words.
        error: as it came.
    """

    path: Path
    item: int
    code: str
    said: str
    error: Mapping[str, Any]

    @property
    def index(self) -> int:
        """Which item of the list, or of what was asked for at once, it is or belongs to."""
        found = self.path[self.item - 1]
        alias = None if isinstance(found, int) else _ALIAS.fullmatch(found)
        return int(alias[1]) if alias else int(found)

    @property
    def within(self) -> Path:
        """Where in the item the null is; empty where the item itself is null."""
        return self.path[self.item :]

    @property
    def is_refusal(self) -> bool:
        """Whether it is not for this token, or is not there; then null is what there is to know."""
        if self.code in ("FORBIDDEN", "NOT_FOUND", "INSUFFICIENT_SCOPES"):
            return True
        # Some call both an input error.
        return self.code in ("INPUT_ERROR", "BAD_USER_INPUT") and bool(_REFUSED.search(self.said))


def lost_of(data: Mapping[str, Any], errors: Iterable[Mapping[str, Any]]) -> list[Lost]:
    """Return those errors that cost no more than a field of one item of a list, or the item."""
    found = []
    for error in errors:
        path = error.get("path")
        code = error_code(error)
        if not isinstance(path, list) or is_too_large(error) or _WHOLE_PAGE.search(code):
            continue
        null = _null(data, path)
        item = next((place for place, part in enumerate(null, 1) if isinstance(part, int)), 0)
        if null and isinstance(null[0], str) and _ALIAS.fullmatch(null[0]):
            item = 1
        if item:
            found.append(Lost(null, item, code, sentence(str(error.get("message") or code), 300), error))
    return found


def _null(data: Any, path: Sequence[Any]) -> Path:
    """Where on the way along a path the first null is; empty where there is none."""
    value = data
    for place, part in enumerate(path):
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return ()
        if value is None:
            return tuple(path[: place + 1])
    return ()
