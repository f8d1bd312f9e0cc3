"""Tags, whatever they lead to."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from veelocity_pipeline.sources.github import queries, shape
from veelocity_pipeline.sources.github.newest import Newest
from veelocity_pipeline.sources.github.reading import Node, Reading
from veelocity_pipeline.sources.github.tables import TABLES
from veelocity_pipeline.sources.kit.connector import Chunk
from veelocity_pipeline.sources.kit.http.errors import BadAnswerError
from veelocity_pipeline.sources.kit.skips import INCOMPLETE
from veelocity_pipeline.sources.kit.tables import Row

MOST_DEEP = 100
"""Tags of tags of tags at most."""

TAGS_PER_CHECKPOINT = 1_000
"""Tags are one set for dlt, loaded whole each time: a checkpoint with every page would load them over and over."""


Lead = tuple[str, str | None]


class Tags(Newest):
    """The tags of a repository."""

    table = "tags"
    field = "refs"
    document = queries.TAGS
    key = "name"

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        self.items_per_checkpoint = TAGS_PER_CHECKPOINT
        self.stored: dict[str, Row] = {}
        self.known: dict[str, Lead] = {}
        self.found: dict[str, Row] = {}
        self.loaded: set[str] = set()
        self.tagged: set[str] = set()

    def read(self) -> Iterator[Chunk]:
        """Read what is new since the mark, or everything."""
        reading = self.reading
        mark = reading.mark.tags
        skipped = self.begin()
        deploy = any(reading.settings.rules_for(name)[0].source == "tags" for name in reading.names)
        is_whole = reading.is_full or (deploy and not mark.is_dated)
        if self.print == mark.seen and not is_whole and not skipped:
            return
        self.stored = {row["name"]: row for row in reading.rows("tags", TABLES["tags"].schema.names)}
        self.known = {name: _lead(row) for name, row in self.stored.items()}
        self.loaded = reading.read_commits.keys() | reading.values("commits", "sha")
        self.tagged = set(mark.tagged)
        if skipped:
            # There is no asking for a tag by what it leads to: all are read again.
            mark.newest = sorted({*mark.newest, *skipped})
        listed = yield from self.follow(mark, self.known, is_full=is_whole)
        mark.tagged = sorted(self.tagged)
        mark.seen = self.print
        known = {**self.stored, **self.found}
        if listed is not None:
            mark.is_dated = True
            listed |= reading.skips.of(self.table)
            self._moved(self.stored.keys() - listed)
        chunk = reading.checkpoint()
        chunk.add_set("tags", reading.id, [row for name, row in known.items() if listed is None or name in listed])
        yield chunk

    def add(self, chunk: Chunk, items: Sequence[Any]) -> dict[str, Any]:
        del chunk  # they are one set, and loaded as one
        refs = self.peeled(items)
        for commit in map(shape.tagged, refs):
            if commit.get("committedDate") and not self.reading.is_old(commit) and commit["oid"] not in self.loaded:
                self.tagged.add(commit["oid"])
        found = {row["name"]: row for row in shape.tag_rows(refs, self.reading.id)}
        self.reading.skips.done(self.table, [ref["name"] for ref in refs if not ref.get(INCOMPLETE)])
        self.found.update(found)
        leads = {name: _lead(row) for name, row in found.items()}
        if self.known:
            self._moved(name for name, lead in leads.items() if self.known.get(name) != lead)
        return leads

    def save(self, chunk: Chunk) -> None:
        # Not every tag is dated in what is loaded: which of them lead elsewhere must outlast an interruption.
        self.reading.mark.tags.tagged = sorted(self.tagged)
        chunk.add_set("tags", self.reading.id, {**self.stored, **self.found}.values())

    def _moved(self, tags: Iterable[str]) -> None:
        """Remember tags whose releases are to be asked: a release tells where its tag leads, and its time does not."""
        mark = self.reading.mark.tags
        mark.moved = sorted({*mark.moved, *tags})

    def peeled(self, refs: Sequence[Node]) -> Sequence[Node]:
        """Follow tags of tags of tags … to what they lead to, in place."""
        name = self.reading.name
        deep = [target for ref in refs if (target := _innermost(ref)).get("__typename") == "Tag"]
        for level in itertools.count():
            if not deep:
                break
            if level == MOST_DEEP:
                raise BadAnswerError(f"The tag {deep[0]['oid']} in {name} leads to other tags without end.")
            found: dict[str, Node] = {}
            for some in self.reading.by_id(queries.TAG_TARGETS, [target["id"] for target in deep], "ids", {}):
                found.update((node["id"], node) for node in some)
            for target in deep:
                if target["id"] not in found:
                    raise BadAnswerError(f"GitHub does not say in {name} what the tag {target['oid']} leads to.")
                target["target"] = found[target["id"]]["target"]
            deep = [target for target in map(_innermost, deep) if target.get("__typename") == "Tag"]
        return refs


def _lead(row: Row) -> Lead:
    """Return where a tag leads. Its dates are left out: tags that earlier versions loaded have none."""
    return row["id"], row["sha"]


def _innermost(target: Any) -> dict[str, Any]:
    """Return what a ref, or a tag that is being followed, leads to as far as is known."""
    while target.get("target"):
        target = target["target"]
    found: dict[str, Any] = target
    return found
