"""What all teams of a workspace share: small, and read whole each time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any, TypeVar

from veelocity_pipeline.sources.kit.connector import Chunk, Known, RefreshRequest
from veelocity_pipeline.sources.kit.http.client import Client
from veelocity_pipeline.sources.kit.http.errors import OverloadedError
from veelocity_pipeline.sources.kit.http.lost import Lost
from veelocity_pipeline.sources.kit.http.paging import MOST_PAGES_OF_FEW, Cursors, PageSize, nodes
from veelocity_pipeline.sources.kit.skips import UNNAMED, Skips, note
from veelocity_pipeline.sources.kit.tables import Row
from veelocity_pipeline.sources.linear import queries, shape
from veelocity_pipeline.sources.linear.mark import WorkspaceMark
from veelocity_pipeline.sources.linear.tables import TABLES

T = TypeVar("T")

WORKSPACE = "*"
"""Id and name of the scope that holds what all teams share."""

_ROWS: Mapping[str, tuple[str, Callable[[shape.Node], Row]]] = {
    "teams": ("teams", shape.team_row),
    "users": ("users", shape.user_row),
    "workflowStates": ("workflow_states", shape.workflow_state_row),
    "issueLabels": ("labels", shape.label_row),
    "cycles": ("cycles", shape.cycle_row),
    "projects": ("projects", shape.project_row),
}


class Workspace:
    """A workspace while it is read.

    Attributes:
        organization: its own node.
        lists: the nodes of each list.
        names: of labels their names, of states their types, by id.
        started: the server's time when it was read, before any team was.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self.skips = Skips({})
        self.organization: shape.Node = {}
        self.lists: dict[str, list[shape.Node]] = {}
        self.names: dict[str, dict[str, str]] = {}
        self.started = datetime.min.replace(tzinfo=UTC)

    def read(self) -> None:
        """Read what all teams share, before any team, so that its time is a lower bound for all of them."""
        first = {"first": queries.WORKSPACE_PER_PAGE}
        about = "the Linear workspace"
        try:
            data, lost = self.client.graphql_partial(queries.WORKSPACE, first, about=about, attempts=2)
        except OverloadedError:
            # Too much at once, or one thing in it that cannot be had.
            data, lost = self.client.graphql_partial(queries.WORKSPACE_ALONE, about=about)
        self.started = self.client.server_date or datetime.now(UTC)
        self.organization = data["organization"]
        for name in queries.WORKSPACE_LISTS:
            found = data.get(name)
            ours = [each for each in lost if each.path[0] == name]
            listed = [] if found is None else self._whole(name, found, ours, {**first, "after": None})
            after = None if found is None else Cursors("Linear", f"Linear's {name}").following(found)
            if found is None or after:
                listed += self._rest_of(name, after)
            self.lists[name] = list({node["id"]: node for node in listed}.values())
        self.names = {
            "issueLabels": {node["id"]: node["name"] for node in self.lists["issueLabels"]},
            "workflowStates": {node["id"]: node["type"] for node in self.lists["workflowStates"]},
        }

    def _rest_of(self, name: str, after: str | None) -> list[shape.Node]:
        """Everything of a list from a cursor on; what cannot be had is left out and remembered."""
        about = f"Linear's {name}"
        cursors = Cursors("Linear", about, most=MOST_PAGES_OF_FEW)
        size = PageSize(queries.IDS_PER_PAGE)
        listed: list[shape.Node] = []
        while True:
            variables = {"after": after}
            try:
                data, lost = self.client.graphql_page(queries.workspace_page(name), variables, size, about=about)
                found = data[name]
                listed += self._whole(name, found, lost, {**variables, "first": len(found["nodes"])})
            except OverloadedError as error:
                found = self._alone(name, {**variables, "first": 1})
                for node in nodes(found):
                    self.skips.fail(_ROWS[name][0], node["id"], error)
            after = cursors.following(found)
            if after is None:
                return listed

    def _alone(self, name: str, variables: Mapping[str, Any]) -> Any:
        data, _ = self.client.graphql_partial(queries.workspace_alone(name), variables, about=f"Linear's {name}")
        return data[name]

    def _whole(self, name: str, found: Any, lost: Sequence[Lost], variables: Mapping[str, Any]) -> list[shape.Node]:
        """The nodes of a page; what failed of it is remembered."""
        table = _ROWS[name][0]
        missing = note(self.skips, table, found["nodes"], lost)
        if missing:
            named = self._alone(name, {**variables, "first": len(found["nodes"])})["nodes"]
            for number, said in missing.items():
                node = named[number] if number < len(named) else None
                self.skips.add(table, node["id"] if node else f"{UNNAMED}{number}", said)
        return nodes(found)

    def further(
        self, document: str, name: str, variables: Mapping[str, Any], first: Mapping[str, Any], about: str
    ) -> Iterator[list[shape.Node]]:
        """The nodes of each page of a root connection after its first one."""
        cursors = Cursors("Linear", about, most=MOST_PAGES_OF_FEW)
        after = cursors.following(first)
        while after is not None:
            data, _ = self.client.graphql_partial(document, {**variables, "after": after}, about=about)
            answer = data[name]
            yield nodes(answer)
            after = cursors.following(answer)

    def by_ids(self, document: str, name: str, ids: Sequence[str], about: str) -> list[shape.Node]:
        """Those of some nodes that there are."""
        variables = {"filter": {"id": {"in": ids}}, "first": queries.IDS_PER_PAGE}
        data, _ = self.client.graphql_partial(document, {**variables, "after": None}, about=about)
        first = data[name]
        more = self.further(document, name, variables, first, about)
        return [node for some in chain([nodes(first)], more) for node in some]

    def chunk(self, mark: WorkspaceMark, request: RefreshRequest, known: Known) -> Chunk:
        """The rows that the workspace shares; of a table that is as it was, none.

        The lists are complete, so what is loaded and not on them is gone. Not so a team, with all that is its own: one
        that the key may no longer read looks the same.
        """
        tables: dict[str, list[Row]] = {"organization": [shape.organization_row(self.organization)]}
        for name, (table, row) in _ROWS.items():
            tables[table] = self.skips.shaped(table, self.lists[name], row)
        digests = {table: _digest(rows) for table, rows in tables.items()}
        teams = {node["id"] for node in self.lists["teams"]}
        chunk = Chunk(mark=WorkspaceMark(digests, self.skips.kept).to_state())
        for table, rows in tables.items():
            if not request.full and digests[table] == mark.digests.get(table):
                continue
            chunk.add(table, rows)
            columns = TABLES[table].columns
            if "deleted_at" in columns:
                chunk.listed[table] = {row["id"] for row in rows} | self.skips.of(table)
            if "deleted_at" in columns and "team_id" in columns:
                loaded = known.rows(table, ("id", "team_id"), WORKSPACE, "deleted_at is null")
                chunk.listed[table] |= {row["id"] for row in loaded if row["team_id"] not in {*teams, None}}
        return chunk

    def named(self, name: str, ids: set[str]) -> Mapping[str, str]:
        """Names of labels, types of states; those made since the workspace was read are looked up."""
        known = self.names[name]
        field = "name" if name == "issueLabels" else "type"
        for batch in batches(sorted(ids - known.keys()), queries.IDS_PER_PAGE):
            found = self.by_ids(queries.lookup(name), name, batch, f"Linear's {name}")
            # Replaced, not changed: other threads are reading it.
            known = known | {node["id"]: node[field] for node in found}
            self.names[name] = known
        return known


def _digest(rows: list[Row]) -> str:
    """A fingerprint of rows, whatever order they came in."""
    lines = sorted(json.dumps(row, default=str, sort_keys=True) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut items into parts of a size."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
