"""Commits of the default branch: from its head back until every parent of a known commit is known.

Commits that the head no longer leads to are marked as deleted: the branch was rewritten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from veelocity_pipeline.sources.github import queries, shape
from veelocity_pipeline.sources.github.reading import HERE, Node, Reading
from veelocity_pipeline.sources.kit.connector import Chunk, Progress
from veelocity_pipeline.sources.kit.follow.graph import HistoryWalk, Walks, reachable
from veelocity_pipeline.sources.kit.http.errors import BadAnswerError
from veelocity_pipeline.sources.kit.http.paging import Cursors, nodes
from veelocity_pipeline.sources.kit.skips import INCOMPLETE
from veelocity_pipeline.sources.kit.times import time


class History:
    """The commits that a commit leads to, page by page."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading

    def page(self, oid: str, after: str | None, most: int | None = None) -> Node | None:
        """Ask for a page of a commit's history, inner lists complete; None if there is no such commit (any more)."""
        reading = self.reading
        found = reading.page(queries.COMMITS, "object", "commits", {"oid": oid, "after": after}, most)
        page: Node | None = found.get("history")
        if page is None and oid == reading.head:
            # Not every server looks up objects by their id; to the branch's head the branch leads too.
            found = reading.page(queries.HEAD_COMMITS, "defaultBranchRef", "commits", {"after": after})
            target = found.get("target") or {}
            page = target.get("history") if target.get("oid") == oid else None
        if page is not None:
            reading.complete(nodes(page), (queries.PARENTS, queries.ASSOCIATED_PULL_REQUESTS), "commits")
        return page

    def pages(self, oid: str, after: str | None, is_optional: bool = False) -> Iterator[Node]:
        """Ask for pages of a commit's history.

        Raises:
            BadAnswerError: there is no such commit, and it is not optional.
        """
        name = self.reading.name
        cursors = Cursors("GitHub", f"the history of {oid[:9]} in {name}")
        while True:
            page = self.page(oid, after)
            if page is None:
                if is_optional:
                    return
                raise BadAnswerError(f"{name}: commit {oid[:9]} vanished while its history was read; refresh again.")
            following = cursors.following(page)
            yield page
            if following is None:
                return
            after = following


class Commits:
    """The commits of a repository's default branch."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.history = History(reading)

    def read(self, progress: Callable[[Progress], None]) -> Iterator[Chunk]:
        """Read the whole history at first, then from the head to what is known."""
        reading = self.reading
        head = reading.head
        if not head:
            return  # an empty repository
        mark = reading.mark.commits
        walk = mark.walk
        if reading.is_full and not (walk and walk.is_full):
            walk = HistoryWalk(head, None, True)
        elif mark.head is None and walk is None:
            walk = HistoryWalk(head, None, False)
        if walk is None:
            yield from self._again()
        if walk and (reading.is_full or not walk.is_full):
            yield from self._whole(walk, head, progress)
        if mark.head != head:
            yield from self._new(head)
            mark.head = head
            yield reading.checkpoint()
        elif not reading.is_full:
            return
        yield from self._unreachable(head)

    def _whole(self, walk: HistoryWalk, head: str, progress: Callable[[Progress], None]) -> Iterator[Chunk]:
        """Read the whole history, each page a checkpoint."""
        reading, mark = self.reading, self.reading.mark.commits
        if walk.head != head and self.history.page(walk.head, walk.after) is None:
            walk.head, walk.after = head, None  # the branch was rewritten since, and cleaned up
        mark.walk = walk
        walked = pages = 0
        for page in self.history.pages(walk.head, walk.after):
            items = nodes(page)
            walk.after = page["pageInfo"]["endCursor"]
            walked, pages = walked + len(items), pages + 1
            progress(Progress("commits", walked, None, pages))
            is_last = not page["pageInfo"]["hasNextPage"] or (bool(items) and all(map(self._is_before_floor, items)))
            if is_last:
                mark.head, mark.walk = walk.head, None
            chunk = reading.checkpoint()
            self._add(chunk, items, items)
            yield chunk
            if is_last:
                break

    def _is_before_floor(self, node: Node) -> bool:
        return self.reading.bounds.is_before_floor(time(node.get("committedDate")))

    def _unreachable(self, head: str) -> Iterator[Chunk]:
        """Mark the commits as deleted that the default branch no longer leads to."""
        reading = self.reading
        loaded = {row["sha"]: row for row in reading.rows("commits", ("id", "sha", "parent_shas"), HERE)}

        def parents(sha: str) -> Sequence[str]:
            if sha in reading.read_parents:
                return reading.read_parents[sha]
            return (loaded[sha]["parent_shas"] or "").split() if sha in loaded else ()

        reached = reachable(head, parents)
        reading.lost = loaded.keys() - reached
        if reading.lost:
            reading.mark.rewritten = head
            chunk = reading.checkpoint()
            chunk.listed["commits"] = {row["id"] for sha, row in loaded.items() if sha in reached}
            chunk.listed["commits"] |= reading.read_ids
            yield chunk

    def _new(self, head: str) -> Iterator[Chunk]:
        """Read from the head back until every parent of a known commit is known, whatever the dates say.

        Rows come without a mark: what is stored need not be closed for the next refresh to go on from it.
        """
        reading = self.reading
        seen: set[str] = set()
        wanted: set[str] = set()
        for row in reading.rows("commits", ("sha", "parent_shas", "committed_at"), HERE):
            seen.add(row["sha"])
            if not reading.is_too_old(row["committed_at"]):
                wanted.update((row["parent_shas"] or "").split())
        seen |= reading.read_commits.keys()
        for parents in reading.read_commits.values():
            wanted.update(parents)
        wanted -= seen
        oid = head
        if head not in seen:
            wanted.add(head)
        elif wanted:
            oid = next(iter(wanted))

        def add(new: Sequence[Node], items: Sequence[Node]) -> Chunk:
            chunk = Chunk()
            self._add(chunk, new, items)
            return chunk

        walks = Walks(reading.name)
        while wanted:
            pages = self.history.pages(oid, None, is_optional=oid != head)
            yield from walks.back(
                pages, wanted, seen, add, lambda node: reading.read_commits[node["oid"]], stops_at_known=True
            )
            # An object that cannot be had (a history that was cut off) is not asked for twice.
            wanted.discard(oid)
            oid = next(iter(wanted), "")

    def _add(self, chunk: Chunk, new: Sequence[Node], associated: Sequence[Node]) -> None:
        reading = self.reading
        whole = [node for node in new if self._is_to_be_stored(node)]
        chunk.add("commits", reading.shaped("commits", whole, lambda node: shape.commit_row(node, reading.id)))
        for node in new:
            parents = [parent["oid"] for parent in nodes(node.get("parents"))]
            reading.read_parents[node["oid"]] = parents
            reading.read_commits[node["oid"]] = [] if reading.is_old(node) else parents
            reading.read_ids.add(node["id"])
        for node in associated:
            if reading.has_files:
                is_carried = bool(nodes(node.get("associatedPullRequests")) or node.get(INCOMPLETE))
                reading.direct.pop(node["id"], None)
                if not is_carried and not reading.is_old(node):
                    reading.direct[node["id"]] = node["oid"]
            if self._is_to_be_stored(node):
                chunk.add_set("commit_pull_requests", node["id"], shape.commit_pull_request_rows(node, reading.id))

    def _is_to_be_stored(self, node: Node) -> bool:
        """Whether a commit is whole, or nothing of it is stored: without it, what lies behind it is not reached."""
        return not node.get(INCOMPLETE) or node["id"] not in self.reading.values("commits", "id")

    def _again(self) -> Iterator[Chunk]:
        """Ask again for commits that could not be had whole."""
        reading = self.reading
        skipped = reading.skips.of("commits")
        for oid in sorted(skipped):
            page = self.history.page(oid, None, most=1)
            found = [node for node in nodes(page) if node["oid"] == oid and not node.get(INCOMPLETE)]
            if found:
                chunk = Chunk()
                self._add(chunk, found, found)
                yield chunk
        if skipped:
            yield reading.checkpoint()
