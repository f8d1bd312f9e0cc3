"""Issues with their labels."""

from __future__ import annotations

from collections.abc import Sequence

from veelocity_pipeline.sources.github import queries, shape
from veelocity_pipeline.sources.github.items import Items
from veelocity_pipeline.sources.github.mark import RepositoryMark
from veelocity_pipeline.sources.github.reading import Node
from veelocity_pipeline.sources.kit.connector import Chunk
from veelocity_pipeline.sources.kit.follow.changes import ChangesMark
from veelocity_pipeline.sources.kit.tables import Row


class Issues(Items):
    """The issues of a repository."""

    table = "issues"
    field = "issues"
    document = queries.ISSUES
    document_by_id = queries.ISSUES_BY_ID
    document_of_ids = queries.ISSUE_IDS
    first = queries.ISSUES_PER_PAGE

    def mark_of(self, mark: RepositoryMark) -> ChangesMark:
        return mark.issues

    def rows(self, chunk: Chunk, items: Sequence[Node]) -> None:
        reading = self.reading
        reading.complete(items, (queries.ISSUE_LABELS,), self.table)

        def shaped(node: Node) -> tuple[Node, Row, list[Row]]:
            return node, shape.issue_row(node, reading.id), shape.issue_label_rows(node, reading.id)

        for node, row, labels in reading.shaped(self.table, items, shaped):
            chunk.add("issues", [row])
            self.add_set(chunk, "issue_labels", node, ("labels",), labels)
