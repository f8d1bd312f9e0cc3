"""Items of a repository's lists that come in part or not at all: what is kept of them, and what is remembered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from veelocity_pipeline.sources.github import alone
from veelocity_pipeline.sources.kit import skips
from veelocity_pipeline.sources.kit.follow.changes import SKIPPED
from veelocity_pipeline.sources.kit.http.errors import OverloadedError
from veelocity_pipeline.sources.kit.http.lost import Lost
from veelocity_pipeline.sources.kit.skips import INCOMPLETE, UNNAMED

if TYPE_CHECKING:
    from veelocity_pipeline.sources.github.reading import Reading

_KEYS = {"commits": "oid", "tags": "name"}


def key_of(kind: str) -> str:
    """Return the field that tells items of a list apart."""
    return _KEYS.get(kind, "id")


def is_harmless(lost: Lost) -> bool:
    """Whether null is all that there is to know; see ``skips``."""
    return skips.is_harmless(lost, alone.LISTS_WITHIN)


def mark(reading: Reading, kind: str, item: Any, within: Sequence[str | int], said: object) -> None:
    """Remember an item of which a part could not be read."""
    reading.skips.mark(kind, item, within, said, key_of(kind))


def note(
    reading: Reading,
    document: str,
    field: str,
    kind: str,
    variables: Mapping[str, Any],
    found: Any,
    lost: Iterable[Lost],
) -> None:
    """Remember what failed of a page, and find out what the items are that did not come at all."""
    page = _page(found)
    items = page["nodes"]
    missing = skips.note(reading.skips, kind, items, lost, alone.LISTS_WITHIN, key_of(kind))
    if not missing:
        return
    named: list[Any] = []
    if document in alone.ALONE:
        named = _page(reading.alone(document, field, variables, len(items)))["nodes"]
    for number, said in missing.items():
        item = named[number] if number < len(named) else None
        if item is None:
            reading.skips.add(kind, f"{UNNAMED}{variables.get('after') or ''}/{number}", f"one of {kind}: {said}")
            continue
        reading.skips.add(kind, str(item[key_of(kind)]), said)
        page.setdefault(SKIPPED, []).append(item[key_of(kind)])
        if kind == "commits":
            # Without it what lies behind it would not be reached.
            items[number] = {**item, INCOMPLETE: ["message"]}


def skip(reading: Reading, kind: str, found: Any, error: OverloadedError) -> None:
    """Remember the items of a page that cannot be had whole."""
    page = _page(found)
    for item in page["nodes"]:
        if item:
            reading.skips.fail(kind, str(item[key_of(kind)]), error)
            item[INCOMPLETE] = ["message"]
    page[SKIPPED] = [item[key_of(kind)] for item in page["nodes"] if item]
    if kind != "commits":
        page["nodes"] = []


def _page(found: Any) -> Any:
    """The connection: a commit's history is one field further down."""
    if "nodes" in found:
        return found
    page = found.get("history") or (found.get("target") or {}).get("history")
    return page if page is not None else {"nodes": []}
