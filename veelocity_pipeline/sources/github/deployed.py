"""Commits that releases, tags and production deployments name beside the default branch: a release branch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from veelocity_pipeline.sources.github import queries, shape
from veelocity_pipeline.sources.github.commits import History
from veelocity_pipeline.sources.github.reading import HERE, Node, Reading, fingerprint
from veelocity_pipeline.sources.github.tables import TABLES
from veelocity_pipeline.sources.kit.connector import Chunk
from veelocity_pipeline.sources.kit.follow.graph import Walks
from veelocity_pipeline.sources.kit.http.paging import Cursors, nodes

_COLUMNS = tuple(TABLES["deployed_commits"].columns)


class DeployedCommits:
    """What is built on beside the default branch, and what is on branches from which the settings deploy."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.history = History(reading)

    def read(self) -> Iterator[Chunk]:
        """Read from each such commit back until every parent is known; what cannot be had is not asked for twice."""
        reading = self.reading
        mark = reading.mark
        lists = [mark.tags.seen, mark.releases.seen, mark.deployments.seen]
        if mark.rewritten is not None:
            lists.append(mark.rewritten)
        heads = self._branch_heads()
        seen_lists = fingerprint([*lists, reading.production, heads])
        if seen_lists == mark.deployed_commits.seen and not reading.is_full:
            return
        seen = reading.read_commits.keys() | reading.read_heads
        # What a rewritten branch lost may still be what was deployed.
        seen |= {row["sha"] for row in reading.rows("commits", ("sha",), HERE)} - reading.lost
        for table in ("pull_request_commits", "deployed_commits"):
            seen |= reading.values(table, "sha")
        missing = set() if reading.is_full else set(mark.deployed_commits.missing)
        # What an interrupted run began to read has parents that it did not come to.
        gaps: set[str] = set()
        for row in reading.rows("deployed_commits", ("parent_shas", "committed_at")):
            if not reading.is_too_old(row["committed_at"]):
                gaps.update((row["parent_shas"] or "").split())
        walks = Walks(reading.name)
        for sha in sorted((self._released() | gaps | set(heads)) - seen - missing):
            wanted = {sha} - seen
            while wanted:
                oid = next(iter(wanted))
                pages = self.history.pages(oid, None, is_optional=True)
                is_found = yield from walks.back(pages, wanted, seen, self._chunk, self._parents, stops_at_known=False)
                if not is_found and oid == sha:
                    missing.add(sha)
                wanted.discard(oid)
        mark.deployed_commits.seen, mark.deployed_commits.missing = seen_lists, sorted(missing)
        mark.tags.tagged = []
        yield reading.checkpoint()

    def _chunk(self, new: Sequence[Node], items: Sequence[Node]) -> Chunk:
        del items
        chunk = Chunk()
        rows = self.reading.shaped("commits", new, lambda node: shape.commit_row(node, self.reading.id))
        chunk.add("deployed_commits", [{name: row[name] for name in _COLUMNS} for row in rows])
        return chunk

    def _parents(self, node: Node) -> list[str]:
        return [] if self.reading.is_old(node) else [parent["oid"] for parent in nodes(node.get("parents"))]

    def _branch_heads(self) -> list[str]:
        """Return the commits at the head of branches from which the settings deploy, beside the default one."""
        reading = self.reading
        settings, names = reading.settings, reading.names
        if not any(settings.rules_for(name)[0].branches for name in names):
            return []
        cursors = Cursors("GitHub", f"the branches of {reading.name}")
        heads: set[str] = set()
        after: str | None = None
        while True:
            page = reading.page(queries.BRANCHES, "refs", "branches", {"after": after})
            heads.update(
                ref["target"]["oid"]
                for ref in nodes(page)
                if any(settings.is_deployment_branch(name, ref["name"]) for name in names)
            )
            after = cursors.following(page)
            if after is None:
                return sorted(heads)

    def _released(self) -> set[str]:
        """Return what tags, published releases and production deployments name; not of before the first day."""
        reading = self.reading
        shas = reading.released | set(reading.mark.tags.tagged)
        newer = f" and {{}} >= '{reading.start.isoformat()}'" if reading.start else ""
        published = f"{HERE} and not is_draft" + newer.format("coalesce(published_at, created_at)")
        shas.update(row["sha"] for row in reading.rows("releases", ("sha",), published))
        deployed = HERE + newer.format("created_at")
        for row in reading.rows("deployments", ("sha", "environment"), deployed):
            if reading.is_production(row["environment"]):
                shas.add(row["sha"])
        return {sha for sha in shas if sha}
