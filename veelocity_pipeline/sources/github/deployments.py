"""Deployments with their statuses; those that can still change are asked by id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from veelocity_pipeline.sources.github import queries, shape
from veelocity_pipeline.sources.github.newest import Newest
from veelocity_pipeline.sources.github.reading import HERE, Node, Reading
from veelocity_pipeline.sources.kit.connector import Chunk
from veelocity_pipeline.sources.kit.skips import INCOMPLETE
from veelocity_pipeline.sources.kit.tables import Row

ENDED = frozenset({"INACTIVE", "FAILURE", "ERROR", "DESTROYED", "ABANDONED"})
"""States that a deployment does not leave."""

UNDER_WAY = frozenset({"PENDING", "QUEUED", "IN_PROGRESS", "WAITING"})

MOST_REPLACED = 10
"""How many of an environment's live deployments are looked at first when it has a new one, which may replace them:
GitHub makes all earlier ones inactive at once, or none (``auto_inactive``), so the newest of them tell."""


class Deployments(Newest):
    """The deployments of a repository."""

    table = "deployments"
    field = "deployments"
    document = queries.DEPLOYMENTS

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        self.stored: dict[str, tuple[Any, str | None]] = {}
        self.states: dict[str, str | None] = {}
        self.replacing: set[str | None] = set()  # environments in which something happened

    def read(self) -> Iterator[Chunk]:
        """Read what is new since the mark, or everything, and what was under way."""
        reading = self.reading
        mark = reading.mark.deployments
        is_new = self.print != mark.seen or reading.is_full
        skipped = self.begin()
        if not is_new and not mark.under_way and not skipped:
            return
        rows = reading.rows("deployments", ("id", "state", "environment", "created_at", "updated_at"), HERE)
        # Of two changes within a second the time alone tells only the first.
        self.stored = {row["id"]: (row["updated_at"], row["state"]) for row in rows}
        listed: set[str] | None = None
        if is_new:
            listed = yield from self.follow(mark, self.stored)
            current = set(self.states)
        else:
            # The newest were in the answer that says that nothing is new.
            current = {node["id"] for node in self.front}
        again = [key for key in sorted({*mark.under_way, *skipped}) if key not in current]
        yield from self.some(queries.DEPLOYMENTS_BY_ID, again)
        if listed is None:
            live = [row for row in rows if row["state"] not in ENDED | UNDER_WAY and row["id"] not in self.states]
            yield from self._replaced(live)
        under_way = set(mark.under_way) - set(again) - set(self.states)
        under_way |= {key for key, value in self.states.items() if value in UNDER_WAY or value is None}
        if is_new or again:
            mark.seen = self.print
            mark.under_way = sorted(under_way)
            chunk = reading.checkpoint()
            if listed is not None:
                chunk.listed["deployments"] = listed | reading.skips.of(self.table)
            yield chunk

    def add(self, chunk: Chunk, items: Sequence[Any]) -> dict[str, Any]:
        reading = self.reading
        reading.complete(items, (queries.STATUSES,), self.table)

        def shaped(node: Node) -> tuple[Node, Row, list[Row]]:
            return node, shape.deployment_row(node, reading.id), shape.deployment_status_rows(node, reading.id)

        read = reading.shaped(self.table, items, shaped)
        found = [row for _, row, _ in read]
        chunk.add("deployments", found)
        reading.released.update(
            row["sha"]
            for row in found
            if reading.is_production(row["environment"]) and not reading.is_too_old(row["created_at"])
        )
        for node, _, statuses in read:
            if not node.get(INCOMPLETE) or node["id"] not in self.stored:
                chunk.add_set("deployment_statuses", node["id"], statuses)
        for row in found:
            self.states[row["id"]] = row["state"]
            if self.stored.get(row["id"]) != (row["updated_at"], row["state"]):
                self.replacing.add(row["environment"])
        return {row["id"]: (row["updated_at"], row["state"]) for row in found}

    def _replaced(self, live: Sequence[Mapping[str, Any]]) -> Iterator[Chunk]:
        """Read what was live where something happened, newest first, for as long as it has become something else."""
        left: dict[str | None, list[str]] = {}
        for row in sorted(live, key=lambda row: row["created_at"], reverse=True):
            if row["environment"] in self.replacing:
                left.setdefault(row["environment"], []).append(row["id"])
        count = MOST_REPLACED
        while left:
            some = {environment: ids[:count] for environment, ids in left.items()}
            asked = [key for ids in some.values() for key in ids]
            updated = yield from self.some(queries.DEPLOYMENTS_BY_ID, asked)
            left = {
                environment: ids[count:]
                for environment, ids in left.items()
                if ids[count:] and any(updated.get(key) != self.stored[key] for key in some[environment])
            }
            count = queries.DEPLOYMENTS_PER_PAGE
