"""Releases, and those whose tag moved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from veelocity_pipeline.sources.github import queries, shape
from veelocity_pipeline.sources.github.newest import Newest
from veelocity_pipeline.sources.github.reading import HERE, moment
from veelocity_pipeline.sources.kit.connector import Chunk
from veelocity_pipeline.sources.kit.follow.changes import SETTLED


class Releases(Newest):
    """The releases of a repository."""

    table = "releases"
    field = "releases"
    document = queries.RELEASES

    def read(self) -> Iterator[Chunk]:
        """Read what is new since the mark, or everything."""
        reading = self.reading
        mark = reading.mark.releases
        moved = set(reading.mark.tags.moved)
        is_new = self.print != mark.seen or reading.is_full
        skipped = self.begin()
        if not is_new and not moved and not skipped:
            return
        rows = reading.rows("releases", ("id", "updated_at", "tag_name"), HERE)
        self.read_ids: set[str] = set()
        listed: set[str] | None = None
        if is_new:
            listed = yield from self.follow(mark, {row["id"]: row["updated_at"] for row in rows})
        again = [row["id"] for row in rows if row["tag_name"] in moved and row["id"] not in self.read_ids]
        again += sorted(skipped - self.read_ids)
        yield from self.some(queries.RELEASES_BY_ID, again)
        times = [moment(node["updatedAt"]) for node in self.front]
        is_settled = reading.now - max(times, default=datetime.min.replace(tzinfo=UTC)) >= SETTLED
        mark.seen = self.print if is_settled else ""
        reading.mark.tags.moved = []
        chunk = reading.checkpoint()
        if listed is not None:
            chunk.listed["releases"] = listed | reading.skips.of(self.table)
        yield chunk

    def add(self, chunk: Chunk, items: Sequence[Any]) -> dict[str, Any]:
        reading = self.reading
        found = reading.shaped(self.table, items, lambda node: shape.release_row(node, reading.id))
        chunk.add("releases", found)
        reading.released.update(
            row["sha"] for row in found if not row["is_draft"] and not reading.is_too_old(row["published_at"])
        )
        self.read_ids.update(row["id"] for row in found)
        return {row["id"]: row["updated_at"] for row in found}
