"""Pull requests and issues: lists in which what changes moves to the front.

What does not move ``updatedAt`` (a comment that is deleted, a link to an issue that is made or cut in the sidebar) is
found by a full refresh.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from veelocity_pipeline.sources.github.mark import RepositoryMark
from veelocity_pipeline.sources.github.reading import HERE, Node, Reading, total
from veelocity_pipeline.sources.github.tables import TABLES
from veelocity_pipeline.sources.kit.connector import Chunk, Progress
from veelocity_pipeline.sources.kit.follow.changes import Changes, ChangesMark, ChangingList
from veelocity_pipeline.sources.kit.http.paging import Cursors, nodes
from veelocity_pipeline.sources.kit.skips import INCOMPLETE
from veelocity_pipeline.sources.kit.tables import Row
from veelocity_pipeline.sources.kit.times import time


class Items(ChangingList):
    """A list of a repository that is ordered by change.

    Attributes:
        field: its name in GraphQL.
        document, documents_by_id, document_of_ids: what asks for it.
    """

    field: ClassVar[str]
    document: ClassVar[str]
    document_by_id: ClassVar[str]
    document_of_ids: ClassVar[str]
    variables: Mapping[str, Any] = {}

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.skips = reading.skips
        connection = reading.node.get(self.field)
        front = nodes(connection)
        self.newest = front[0].get("updatedAt") if front else None
        self.total = total(connection)

    @abstractmethod
    def mark_of(self, mark: RepositoryMark) -> ChangesMark:
        """Return this list's part of the mark."""

    @abstractmethod
    def rows(self, chunk: Chunk, items: Sequence[Node]) -> None:
        """Put items into a chunk with all that belongs to them."""

    def read(self, progress: Callable[[Progress], None]) -> Iterator[Chunk]:
        """Read what is new since the mark, or everything."""
        reading = self.reading
        return Changes(self, self.mark_of(reading.mark), reading.bounds, reading.checkpoint, progress).read()

    def page(self, after: str | None, most: int) -> Node:
        variables = {"after": after, **self.variables}
        return self.reading.page(self.document, self.field, self.table, variables, most=most)

    def cursors(self) -> Cursors:
        return self.reading.cursors(self.field)

    def open_items(self) -> Iterator[Sequence[Node]]:
        variables = {**self.variables, "states": ["OPEN"]}
        return map(nodes, self.reading.pages(self.document, self.field, self.table, variables))

    def by_id(self, ids: Iterable[str]) -> Iterator[list[Node]]:
        return self.reading.by_id(self.document_by_id, ids, self.table, self.variables)

    def ids(self) -> set[str]:
        pages = self.reading.pages(self.document_of_ids, self.field, "ids", {})
        return {node["id"] for page in pages for node in nodes(page)}

    def stored(self) -> set[str]:
        return {row["id"] for row in self.reading.rows(self.table, ("id",), HERE)}

    def add(self, chunk: Chunk, items: Sequence[Node]) -> None:
        """Put items into a chunk, their inner lists read to the end; not those that ended before the first day."""
        reading = self.reading
        if reading.start:
            items = [node for node in items if not reading.is_too_old(time(node.get("closedAt")))]
        self.rows(chunk, items)

    def add_set(self, chunk: Chunk, table: str, node: Node, fields: Collection[str], rows: Sequence[Row]) -> None:
        """Give the children of an item; those that are stored stay where only a part of them could be read."""
        is_whole = not set(fields) & set(node.get(INCOMPLETE) or ())
        if is_whole or not self._has_stored(table, node["id"]):
            chunk.add_set(table, node["id"], rows)

    def _has_stored(self, table: str, parent: str) -> bool:
        return parent in self.reading.values(table, TABLES[table].merge_key)

    def settled(self, newest: str | None) -> None:
        if newest:
            self.reading.mark.watermarks[self.table] = newest
