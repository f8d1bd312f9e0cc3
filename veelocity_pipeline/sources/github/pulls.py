"""Pull requests with all that belongs to them: reviews, comments, commits, labels, linked issues, paths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from veelocity_pipeline.sources.github import queries, shape, trees
from veelocity_pipeline.sources.github.items import Items
from veelocity_pipeline.sources.github.mark import RepositoryMark
from veelocity_pipeline.sources.github.reading import Node, Reading
from veelocity_pipeline.sources.kit.connector import Chunk
from veelocity_pipeline.sources.kit.follow.changes import ChangesMark
from veelocity_pipeline.sources.kit.http.paging import nodes


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
        reading.complete(items, (*queries.NESTED_IN_PULL_REQUEST, queries.FILES))
        for node in items:
            self._complete_files(node)
        chunk.add("pull_requests", [shape.pull_request_row(node, reading.id) for node in items])
        for node in items:
            for table, rows in shape.pull_request_sets(node, reading.id).items():
                chunk.add_set(table, node["id"], rows)
                if table == "pull_request_commits":
                    reading.read_heads.update(row["sha"] for row in rows)

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
