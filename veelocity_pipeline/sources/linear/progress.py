"""What one read of a team has seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from veelocity_pipeline.sources.kit.skips import Skips
from veelocity_pipeline.sources.linear import queries, shape


class Seen:
    """What one read of a team has seen, for its mark.

    Attributes:
        since: the mark to be; what changed later is read again, and told from what is loaded by ``recent``.
        seen: ids of all issues that were listed.
        recent: ``updatedAt`` by id of issues, comments and attachments that changed since ``since``.
        newest: the latest ``updatedAt`` of an issue.
        skips: what could not be read.
        lengths: of each nested list, how many issues have had how many in it.
    """

    def __init__(self, since: datetime, newest: str | None, skips: Skips) -> None:
        self.since = since
        self.skips = skips
        self.seen: set[str] = set()
        self.recent: dict[str, str] = {}
        self.newest = newest
        self.lengths: dict[str, Counter[int]] = {name: Counter() for name in queries.NESTED_PER_PAGE}

    def note(self, node: shape.Node) -> None:
        """Remember a node, of whatever kind, if it changed lately."""
        if datetime.fromisoformat(node["updatedAt"]) >= self.since:
            self.recent[node["id"]] = node["updatedAt"]

    def add(self, issues: Iterable[shape.Node]) -> None:
        """Remember issues that are about to be loaded, and their children."""
        for issue in issues:
            for name, lengths in self.lengths.items():
                lengths[len(issue[name]["nodes"])] += 1
            if self.newest is None or datetime.fromisoformat(issue["updatedAt"]) > datetime.fromisoformat(self.newest):
                self.newest = issue["updatedAt"]
            self.note(issue)
            for child in (*issue["comments"]["nodes"], *issue["attachments"]["nodes"]):
                self.note(child)
