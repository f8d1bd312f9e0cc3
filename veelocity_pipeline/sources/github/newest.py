"""What tags, releases and deployments have in common: lists of a repository with the newest item first."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from typing import Any, ClassVar

from veelocity_pipeline.sources.github.reading import Node, Reading, fingerprint, total
from veelocity_pipeline.sources.kit.connector import Chunk
from veelocity_pipeline.sources.kit.follow.newest import NewestFirst, NewestMark, follow
from veelocity_pipeline.sources.kit.http.paging import Cursors, nodes


class Newest(NewestFirst):
    """A list of a repository that is ordered by when its items were made.

    Attributes:
        table, field: its table and its name in GraphQL.
        document, document_by_id: what asks for it.
    """

    table: ClassVar[str]
    field: ClassVar[str]
    document: ClassVar[str]
    key = "id"

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        connection = reading.node.get(self.field)
        self.front = nodes(connection)
        self.print = fingerprint(connection)
        self.total = total(connection)

    def begin(self) -> set[str]:
        """Return the keys of items that were skipped, to be asked again, before anything is read."""
        skips = self.reading.skips
        if self.reading.is_full:
            skips.begin(self.table)
        return skips.of(self.table)

    def page(self, after: str | None) -> Node:
        return self.reading.page(self.document, self.field, self.table, {"after": after})

    def cursors(self) -> Cursors:
        return self.reading.cursors(self.field)

    def follow(
        self, mark: NewestMark, stored: Mapping[str, Any], *, is_full: bool = False
    ) -> Generator[Chunk, None, set[str] | None]:
        """Read what is new since the mark, or everything; see ``kit.follow.newest``."""
        return follow(self, mark, stored, is_full or self.reading.is_full, self.reading.checkpoint)

    def some(self, document: str, ids: Iterator[str] | list[str]) -> Generator[Chunk, None, dict[str, Any]]:
        """Read some items by their ids, those left out that no longer exist; return what ``add`` does."""
        states: dict[str, Any] = {}
        for found in self.reading.by_id(document, ids, self.table, {}):
            chunk = Chunk()
            states |= self.add(chunk, found)
            yield chunk
        return states
