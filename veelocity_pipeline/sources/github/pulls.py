"""Pull requests with all that belongs to them: reviews, comments, commits, labels, linked issues, paths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from veelocity_pipeline.sources.github import partial, queries, shape, trees
from veelocity_pipeline.sources.github.items import Items
from veelocity_pipeline.sources.github.mark import RepositoryMark
from veelocity_pipeline.sources.github.reading import Node, Reading
from veelocity_pipeline.sources.kit.connector import Chunk
from veelocity_pipeline.sources.kit.follow.changes import ChangesMark
from veelocity_pipeline.sources.kit.http.errors import BadAnswerError, NotFoundError, OverloadedError
from veelocity_pipeline.sources.kit.http.paging import nodes
from veelocity_pipeline.sources.kit.tables import Row

_FIELDS = {
    "pull_request_labels": ("labels",),
    "pull_request_closing_references": ("closingIssuesReferences",),
    "pull_request_draft_events": ("timelineItems",),
    "pull_request_reviews": ("reviews",),
    "pull_request_review_comments": ("reviews",),
    "pull_request_comments": ("comments",),
    "pull_request_commits": ("commits",),
    "pull_request_files": ("files",),
}
"""By table, the lists of a pull request that it is made of."""


class PullRequests(Items):
    """The pull requests of a repository."""

    table = "pull_requests"
    field = "pullRequests"
    document = queries.PULL_REQUESTS
    document_by_id = queries.PULL_REQUESTS_BY_ID
    document_of_ids = queries.PULL_REQUEST_IDS
    first = queries.PULL_REQUESTS_PER_PAGE

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        self.variables = {"files": reading.has_files}

    def mark_of(self, mark: RepositoryMark) -> ChangesMark:
        return mark.pull_requests

    def rows(self, chunk: Chunk, items: Sequence[Node]) -> None:
        reading = self.reading
        reading.complete(items, (*queries.NESTED_IN_PULL_REQUEST, queries.FILES), self.table)
        for node in items:
            try:
                self._complete_files(node)
            except (BadAnswerError, NotFoundError, OverloadedError) as error:
                # Two commits without a common one, or trees that cannot be had: the paths are not all there are.
                partial.mark(reading, self.table, node, ("files",), error)

        def shaped(node: Node) -> tuple[Node, Row, dict[str, list[Row]]]:
            return node, shape.pull_request_row(node, reading.id), shape.pull_request_sets(node, reading.id)

        for node, row, sets in reading.shaped(self.table, items, shaped):
            chunk.add("pull_requests", [row])
            for table, rows in sets.items():
                self.add_set(chunk, table, node, _FIELDS[table], rows)
                if table == "pull_request_commits":
                    reading.read_heads.update(each["sha"] for each in rows)

    def _complete_files(self, node: Any) -> None:
        """Take the paths of a pull request that touches more than GitHub lists from the two trees it lies between."""
        client, name = self.reading.client, self.reading.name
        listed = len(nodes(node.get("files")))
        if listed < trees.MOST_FILES or listed >= (node.get("changedFiles") or 0):
            return
        base = trees.merge_base(client, name, node["baseRefOid"], node["headRefOid"])
        before, _ = trees.tree_of(client, name, base)
        after, _ = trees.tree_of(client, name, node["headRefOid"])
        paths = trees.changed_paths(client, name, before, after)
        node["files"] = {"nodes": [{"path": path} for path in paths]}
