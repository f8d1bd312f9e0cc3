"""Linear against a small fake that executes the documents, and the shapes of its rows."""

from __future__ import annotations

import gzip
import json
import math
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import graphql
import httpx
import pytest
from pydantic import SecretStr

from veelocity_pipeline.config.sections import Team
from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.sources.kit.connector import Chunk, Known, RefreshRequest, Scope, ScopeFailure
from veelocity_pipeline.sources.kit.http.client import Client
from veelocity_pipeline.sources.kit.http.errors import AuthenticationError, BadAnswerError
from veelocity_pipeline.sources.kit.tables import Row
from veelocity_pipeline.sources.linear import ENTRY, queries, shape
from veelocity_pipeline.sources.linear.connector import LinearConnector
from veelocity_pipeline.sources.linear.provider import LINEAR

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SDL = (files("veelocity_pipeline.simulator.linear") / "schema.graphql").read_text(encoding="utf-8")
Node = dict[str, Any]


def text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


# ------------------------------------------------------------------------------------------- the fake


class FakeLinear:
    """A workspace: lists of nodes by root field; filters, pages and the limits on ``first`` are Linear's."""

    def __init__(self) -> None:
        self.schema = graphql.build_schema(SDL)
        self.now = NOW
        self.log: list[str] = []
        self.stop_after: int | None = None
        self.times = {"createdAt": text(NOW), "updatedAt": text(NOW), "archivedAt": None}
        self.lists: dict[str, list[Node]] = {
            name: [] for name in ("teams", "users", "workflowStates", "issueLabels", "cycles", "projects", "issues")
        }
        self.organization = {"id": "o", "name": "Acme", "urlKey": "acme", **self.times}
        self.viewer = {"id": "u1", "name": "Ada"}
        self.team("t1", "ENG")
        self.team("t2", "OPS")
        self.label("l1", "bug")
        self.label("l2", "incident")

    def team(self, number: str, key: str) -> Node:
        team = {"id": number, "key": key, "name": key.title(), "private": False, **self.times}
        self.lists["teams"].append(team)
        for name, kind in (("Todo", "unstarted"), ("Doing", "started"), ("Done", "completed")):
            state = {"id": f"{number} {kind}", "name": name, "type": kind, "position": 1.0, "team": team, **self.times}
            self.lists["workflowStates"].append(state)
        return team

    def label(self, number: str, name: str) -> Node:
        label = {"id": number, "name": name, "team": None, "parent": None, **self.times}
        self.lists["issueLabels"].append(label)
        return label

    def issue(self, number: int, created: datetime, team: str = "t1", **changes: Any) -> Node:
        owner = next(each for each in self.lists["teams"] if each["id"] == team)
        key = f"{owner['key']}-{number}"
        issue: Node = {
            "id": f"i{number}",
            "identifier": key,
            "number": float(number),
            "title": f"Issue {number}",
            "description": None,
            "url": f"https://linear.example/acme/issue/{key}",
            "branchName": f"ada/{key.lower()}-issue",
            "priority": 0.0,
            "estimate": None,
            "trashed": None,
            "previousIdentifiers": [],
            "labelIds": ["l1"],
            "createdAt": text(created),
            "updatedAt": text(created),
            "startedAt": None,
            "completedAt": None,
            "canceledAt": None,
            "archivedAt": None,
            "team": owner,
            "state": self.lists["workflowStates"][0],
            "assignee": None,
            "creator": None,
            "cycle": None,
            "project": None,
            "parent": None,
            "history": [],
            "attachments": [],
            "comments": [],
            **changes,
        }
        self.lists["issues"].append(issue)
        return issue

    def child(self, issue: Node, kind: str, number: str, moment: datetime, **changes: Any) -> Node:
        """A child of an issue, whose own ``updatedAt`` does not move."""
        own: dict[str, Node] = {
            "comments": {"user": {"id": "u1"}},
            "attachments": {"url": f"https://x/{number}", "title": number, "sourceType": "github"},
            "history": {"actorId": "u1", "fromStateId": None, "toStateId": None},
        }
        node = {
            "id": number,
            "createdAt": text(moment),
            "updatedAt": text(moment),
            "archivedAt": None,
            "issue": issue,
            "issueId": issue["id"],
            **own[kind],
            **changes,
        }
        issue[kind].append(node)
        return node

    def client(self) -> Client:
        return Client(
            "",
            "https://linear.example/graphql",
            [SecretStr("lin_api_key")],
            provider=LINEAR,
            transport=httpx.MockTransport(self.answer),
            sleep=lambda _seconds: None,
        )

    def answer(self, request: httpx.Request) -> httpx.Response:
        headers = {"Date": format_datetime(self.now, usegmt=True)}
        assert request.headers["Authorization"] == "lin_api_key"
        if self.stop_after is not None and len(self.log) >= self.stop_after:
            error = {"message": "Authentication required", "extensions": {"code": "AUTHENTICATION_ERROR"}}
            return httpx.Response(400, json={"errors": [error]}, headers=headers, request=request)
        body = json.loads(request.content)
        document = graphql.parse(body["query"])
        assert graphql.validate(self.schema, document) == []
        assert complexity(document, body["variables"]) < 10_000
        self.log.append(document.definitions[0].name.value)  # type: ignore[attr-defined]
        result = graphql.execute(
            self.schema, document, self, variable_values=body["variables"], field_resolver=self._resolve
        )
        assert isinstance(result, graphql.ExecutionResult)  # no resolver waits
        assert result.errors is None, result.errors
        # GraphQL's own serialisation: what was sent is plain JSON.
        return httpx.Response(200, json={"data": result.data}, headers=headers, request=request)

    def _resolve(self, source: Any, info: graphql.GraphQLResolveInfo, **arguments: Any) -> Any:
        name = info.field_name
        is_list = graphql.get_named_type(info.return_type).name.endswith("Connection")
        if source is not self:
            return _connection(source[name], arguments) if is_list else source.get(name)
        if name in ("comments", "attachments"):
            return _connection([child for issue in self.lists["issues"] for child in issue[name]], arguments)
        return _connection(self.lists[name], arguments) if is_list else getattr(self, name)

    def counted(self) -> list[str]:
        """The documents that were sent since the last time this was asked."""
        names, self.log = self.log, []
        return names


def _connection(nodes: list[Node], arguments: Mapping[str, Any]) -> Node:
    found = [node for node in nodes if _matches(node, arguments.get("filter") or {})]
    found.sort(key=lambda node: node["createdAt"], reverse=True)
    if not arguments.get("includeArchived"):
        found = [node for node in found if not node["archivedAt"]]
    first = arguments.get("first") or 50
    assert first <= 250
    start = 0
    if after := arguments.get("after"):
        start = [node["id"] for node in found].index(after) + 1
    page = found[start : start + first]
    info = {"hasNextPage": start + first < len(found), "endCursor": page[-1]["id"] if page else None}
    return {"nodes": page, "pageInfo": info}


def _matches(value: Any, condition: Mapping[str, Any]) -> bool:
    """Linear's filters, as far as we send any."""
    tests: list[bool] = []
    for name, wanted in condition.items():
        match name:
            case "eq":
                tests.append(value == wanted)
            case "in":
                tests.append(value in wanted)
            case "gte":
                tests.append(value is not None and datetime.fromisoformat(value) >= datetime.fromisoformat(wanted))
            case "lte":
                tests.append(value is not None and datetime.fromisoformat(value) <= datetime.fromisoformat(wanted))
            case "null":
                tests.append((value is None) == wanted)
            case "or":
                tests.append(any(_matches(value, each) for each in wanted))
            case "labels":
                tests.append(any(_matches({"id": label}, wanted["some"]) for label in value["labelIds"]))
            case _:
                tests.append(_matches(value[name], wanted))
    return all(tests)


def complexity(document: graphql.DocumentNode, variables: Mapping[str, Any]) -> float:
    """No less than Linear charges: 0.1 a scalar, 1 an object, and all that is in a connection ``first`` times."""
    fragments = {
        each.name.value: each for each in document.definitions if isinstance(each, graphql.FragmentDefinitionNode)
    }

    def cost(selections: graphql.SelectionSetNode) -> float:
        total = 0.0
        for each in selections.selections:
            if isinstance(each, graphql.FragmentSpreadNode):
                total += cost(fragments[each.name.value].selection_set)
                continue
            assert isinstance(each, graphql.FieldNode)
            if each.selection_set is None:
                total += 0.1
                continue
            first = 1
            for argument in each.arguments:
                if argument.name.value == "first":
                    value = argument.value
                    first = variables[value.name.value] if isinstance(value, graphql.VariableNode) else int(value.value)  # type: ignore[attr-defined]
            total += 1 + first * cost(each.selection_set)
        return total

    (operation,) = [each for each in document.definitions if isinstance(each, graphql.OperationDefinitionNode)]
    return math.ceil(cost(operation.selection_set))


class Store(Known):
    """What chunks leave behind: rows by table and key, sets by parent, the marks, and what is gone."""

    def __init__(self) -> None:
        self.rows_of: dict[str, dict[str, Row]] = {t.name: {} for t in ENTRY.tables.values() if t.primary_key}
        self.sets_of: dict[str, dict[str, list[Row]]] = {t.name: {} for t in ENTRY.tables.values() if t.merge_key}
        self.marks: dict[str, dict[str, Any]] = {}
        self.loaded = 0

    def take(self, scope: Scope, chunks: Iterable[Chunk], now: datetime) -> None:
        for chunk in chunks:
            self.loaded += chunk.size
            for name, rows in chunk.rows.items():
                self.rows_of[name] |= {row["id"]: row for row in rows}
            for name, sets in chunk.sets.items():
                self.sets_of[name] |= sets
            for name, ids in chunk.listed.items():
                for row in self.rows_of[name].values():
                    is_ours = name != "issues" or row["team_id"] == scope.id
                    if is_ours and row["id"] not in ids and row["deleted_at"] is None:
                        row["deleted_at"] = now
            if chunk.mark is not None:
                self.marks[scope.id] = json.loads(json.dumps(chunk.mark))

    def values(self, table: str, column: str, scope_id: str) -> set[Any]:
        return {row[column] for row in self.rows_of[table].values() if row["team_id"] == scope_id}

    def rows(self, table: str, columns: Iterable[str], scope_id: str, where: str = "") -> list[Row]:
        assert where == "deleted_at is null"
        found = [row for row in self.rows_of[table].values() if row["deleted_at"] is None]
        if table == "issues":
            found = [row for row in found if row["team_id"] == scope_id]
        return [{name: row[name] for name in columns} for row in found]

    def content(self) -> tuple[Any, Any]:
        return self.rows_of, self.sets_of


def settings(**changes: Any) -> Settings:
    return Settings.model_construct(**{**Settings.model_construct().__dict__, **changes})


def refresh(
    server: FakeLinear,
    store: Store,
    full: bool = False,
    only: Iterable[str] = (),
    since: date | None = None,
    **changes: Any,
) -> None:
    connector = LinearConnector(settings(**changes), server.client())
    request = RefreshRequest(full=full, scopes=tuple(only), since=since)
    connector.begin(store.marks)
    for scope in connector.scopes(request):
        assert isinstance(scope, Scope)
        mark = json.loads(json.dumps(store.marks.get(scope.id, {})))
        store.take(scope, connector.read(scope, mark, request, store), server.now)


def whole(server: FakeLinear, **changes: Any) -> tuple[Any, Any]:
    """What a first load reads."""
    store = Store()
    refresh(server, store, **changes)
    return store.content()


# ----------------------------------------------------------------------------------------------- shape


def test_an_issue_as_a_row() -> None:
    server = FakeLinear()
    issue = server.issue(
        7,
        NOW,
        description="It *breaks*",
        estimate=2.5,
        priority=2.0,
        trashed=True,
        assignee={"id": "u1"},
        completedAt="2026-06-02T00:00:00.123Z",
    )
    row = shape.issue_row(issue)
    assert set(row) == set(ENTRY.tables["issues"].columns)
    assert (row["identifier"], row["number"], row["priority"], row["estimate"]) == ("ENG-7", 7, 2, 2.5)
    assert (row["team_id"], row["state_id"], row["assignee_id"], row["creator_id"]) == (
        "t1",
        "t1 unstarted",
        "u1",
        None,
    )
    assert row["completed_at"] == datetime(2026, 6, 2, 0, 0, 0, 123_000, tzinfo=UTC)
    assert row["is_trashed"] is True
    assert [row[name] for name in ("cycle_id", "project_id", "parent_id", "archived_at", "deleted_at")] == [None] * 5


def test_every_declared_column_is_filled() -> None:
    server = FakeLinear()
    issue = server.issue(1, NOW, previousIdentifiers=["OPS-9"])
    server.child(issue, "history", "h", NOW, toStateId="t1 started")
    server.child(issue, "attachments", "a", NOW)
    server.child(issue, "comments", "c", NOW)
    server.lists["users"].append(
        {
            **server.times,
            **{"id": "u1", "name": "Ada", "displayName": "ada", "email": "ada@example.com", "avatarUrl": None},
            **{"active": False, "app": False},
        }
    )
    team = server.lists["teams"][0]
    ends = {"startsAt": text(NOW), "endsAt": text(NOW), "completedAt": None}
    server.lists["cycles"].append({"id": "y", "number": 3.0, "name": None, "team": team, **ends, **server.times})
    done = {"startedAt": None, "completedAt": None, "canceledAt": None, "status": {"type": "planned"}}
    server.lists["projects"].append({"id": "p", "name": "P", "url": "https://x/p", **done, **server.times})
    rows, sets = whole(server)
    for name, table in ENTRY.tables.items():
        found = list(rows[name].values()) if table.primary_key else sets[name]["i1"]
        assert found, name
        assert set(found[0]) == set(table.columns), name
        table.arrow(found)


def test_only_entries_that_set_a_state_are_state_changes() -> None:
    server = FakeLinear()
    issue = server.issue(1, NOW)
    server.child(issue, "history", "h1", NOW - timedelta(days=2))
    server.child(issue, "history", "h2", NOW, actorId=None, fromStateId="t1 unstarted", toStateId="t1 started")
    server.child(issue, "history", "h3", NOW - timedelta(days=1), toStateId="unknown")
    _, sets = whole(server)
    assert {row["id"]: (row["to_state_type"], row["actor_id"]) for row in sets["issue_state_changes"]["i1"]} == {
        "h2": ("started", None),
        "h3": (None, "u1"),
    }


@pytest.mark.parametrize(
    ("child", "issue", "is_removed"),
    [
        (None, None, False),
        (NOW, None, True),
        (None, NOW, False),
        (NOW, NOW, False),
        (NOW + timedelta(seconds=1), NOW, False),
        (NOW - timedelta(days=1), NOW, True),
    ],
)
def test_what_was_taken_away_by_itself(child: datetime | None, issue: datetime | None, is_removed: bool) -> None:
    def archived(moment: datetime | None) -> Node:
        return {"archivedAt": text(moment) if moment else None}

    assert shape.is_removed(archived(child), archived(issue)) is is_removed


# --------------------------------------------------------------------------------------------- first load


def test_a_thousand_issues_cost_few_requests() -> None:
    server = FakeLinear()
    for number in range(1000):
        issue = server.issue(number, NOW - timedelta(hours=number + 1))
        for entry in range(30 if number % 3 == 0 else 9):
            server.child(issue, "history", f"h{number}.{entry}", NOW - timedelta(hours=entry), toStateId="t1 started")
        for entry in range(number % 8):
            server.child(issue, "comments", f"c{number}.{entry}", NOW - timedelta(hours=entry + 1))
        for entry in range(number % 5):
            server.child(issue, "attachments", f"a{number}.{entry}", NOW - timedelta(hours=entry + 1))
    store = Store()
    refresh(server, store)
    requests = server.counted()
    assert len(store.rows_of["issues"]) == 1000
    for table, kind in (("issue_state_changes", "history"), ("comments", "comments"), ("attachments", "attachments")):
        for issue in server.lists["issues"]:
            assert {row["id"] for row in store.sets_of[table][issue["id"]]} == {node["id"] for node in issue[kind]}
    assert len(requests) <= 40
    assert requests.count("Issues") == 10 + 1


@pytest.mark.parametrize(
    ("lengths", "first"),
    [
        ({}, queries.NESTED_PER_PAGE["history"]),
        ({0: 100}, 1),
        ({4: 90, 60: 1}, 4),
        ({2: 50, 7: 50}, 7),
        ({1: 95, 30: 5}, 1),
        ({12: 10}, 12),
        ({40: 10}, 1),
    ],
)
def test_as_many_children_are_asked_for_as_issues_have(lengths: dict[int, int], first: int) -> None:
    assert queries.cheapest_first("history", lengths) == first


def test_a_list_of_many_pages_is_followed_to_its_end() -> None:
    server = FakeLinear()
    issue = server.issue(1, NOW - timedelta(days=9))
    for number in range(173):
        server.child(issue, "comments", f"c{number}", NOW - timedelta(minutes=number))
    _, sets = whole(server)
    assert len(sets["comments"]["i1"]) == 173


def test_an_issue_that_vanishes_meanwhile_is_left_out() -> None:
    server = FakeLinear()
    for number in (1, 2):
        issue = server.issue(number, NOW - timedelta(days=number))
        for entry in range(9):
            server.child(issue, "comments", f"c{number}.{entry}", NOW - timedelta(minutes=entry))
    answer = server.answer

    def vanish(request: httpx.Request) -> httpx.Response:
        if b"MoreOfIssues" in request.content:
            server.lists["issues"] = [each for each in server.lists["issues"] if each["id"] != "i1"]
        return answer(request)

    server.answer = vanish  # type: ignore[method-assign]
    rows, sets = whole(server)
    assert set(rows["issues"]) == {"i2"}
    assert len(sets["comments"]["i2"]) == 9


def test_long_lists_of_the_workspace_are_followed() -> None:
    server = FakeLinear()
    for number in range(460):
        server.label(f"more {number}", f"Label {number}")
    rows, _ = whole(server)
    assert len(rows["labels"]) == 462


def test_a_label_made_while_reading_has_its_name() -> None:
    server = FakeLinear()
    server.issue(1, NOW - timedelta(days=1), labelIds=["l1", "late", "never"])
    connector = LinearConnector(settings(), server.client())
    request = RefreshRequest()
    scope = next(each for each in connector.scopes(request) if isinstance(each, Scope) and each.name == "ENG")
    server.label("late", "Late")
    store = Store()
    store.take(scope, connector.read(scope, {}, request, store), NOW)
    assert [row["name"] for row in store.sets_of["issue_labels"]["i1"]] == ["bug", "Late", None]


def test_an_interrupted_first_load_goes_on_where_it_was() -> None:
    server = FakeLinear()
    for number in range(1000):
        server.issue(number, NOW - timedelta(hours=number + 1))
    store = Store()
    for _ in range(2):
        server.stop_after = len(server.log) + 5
        with pytest.raises(AuthenticationError):
            refresh(server, store, only=["ENG"])
        server.now += timedelta(hours=1)
        # One of those that were read changes in between.
        server.lists["issues"][3] |= {"title": "Another", "updatedAt": text(server.now)}
        server.issue(5000 + len(store.rows_of["issues"]), server.now)
    server.stop_after = None
    server.counted()
    refresh(server, store, only=["ENG"])
    assert store.rows_of["issues"] == whole(server)[0]["issues"]
    # The workspace, three pages that were left (each page that was last is read again), then what changed.
    names = server.counted()
    assert names[: names.index("Changed")].count("Issues") <= 6


def test_start_date_leaves_out_what_ended_before() -> None:
    server = FakeLinear()
    old = NOW - timedelta(days=400)
    server.issue(1, old)
    server.issue(2, old, completedAt="2026-02-01T00:00:00.000Z")
    server.issue(3, old, completedAt="2026-03-01T00:00:00.000Z")
    server.issue(4, old, canceledAt="2025-12-01T00:00:00.000Z")
    server.issue(5, old, canceledAt="2026-05-01T00:00:00.000Z")
    store = Store()
    refresh(server, store, start_date=date(2026, 3, 1), timezone="Europe/Berlin")
    assert set(store.rows_of["issues"]) == {"i1", "i3", "i5"}
    server.child(server.lists["issues"][1], "comments", "c", NOW)
    server.now += timedelta(hours=1)
    refresh(server, store, start_date=date(2026, 3, 1), timezone="Europe/Berlin")
    assert set(store.rows_of["issues"]) == {"i1", "i3", "i5"}
    refresh(server, store, full=True, start_date=date(2026, 3, 1), timezone="Europe/Berlin")
    assert {row["deleted_at"] for row in store.rows_of["issues"].values()} == {None}
    # Without a start date the rest is uncovered.
    refresh(server, store)
    assert set(store.rows_of["issues"]) == {"i1", "i2", "i3", "i4", "i5"}


def test_a_backfill_reads_again_what_changed_since_a_day_and_finds_what_is_gone() -> None:
    server, store = FakeLinear(), Store()
    for number, days in ((1, 300), (2, 200), (3, 50), (4, 20)):
        server.issue(number, NOW - timedelta(days=days))
    refresh(server, store)
    mark = dict(store.marks["t1"])
    for issue in server.lists["issues"]:
        issue["title"] = f"{issue['title']}, again"
    titles = {issue["id"]: issue["title"] for issue in server.lists["issues"]}
    before = {key: row["title"] for key, row in store.rows_of["issues"].items()}
    server.lists["issues"] = [issue for issue in server.lists["issues"] if issue["id"] != "i1"]
    refresh(server, store, full=True, since=(NOW - timedelta(days=100)).date())
    rows = store.rows_of["issues"]
    assert {key: row["title"] for key, row in rows.items()} == {
        **before,
        "i3": titles["i3"],
        "i4": titles["i4"],
    }
    assert [key for key, row in rows.items() if row["deleted_at"]] == ["i1"]
    assert store.marks["t1"]["watermarks"] == mark["watermarks"]


# -------------------------------------------------------------------------------------------- increments


def moved_on() -> tuple[FakeLinear, Store]:
    """A workspace that was read an hour ago."""
    server, store = FakeLinear(), Store()
    for number in range(30):
        server.issue(number, NOW - timedelta(hours=number + 1), team="t1" if number % 2 else "t2")
    refresh(server, store)
    server.now += timedelta(hours=1)
    server.counted()
    store.loaded = 0
    return server, store


def test_an_idle_increment_is_cheap_and_changes_nothing() -> None:
    server, store = moved_on()
    marks = json.dumps(store.marks)
    refresh(server, store)
    assert server.counted() == ["Workspace", "Changed"]
    assert store.loaded == 0
    assert json.dumps(store.marks) == marks


def test_what_changed_within_the_overlap_is_not_loaded_again() -> None:
    server, store = moved_on()
    issue = server.issue(100, NOW + timedelta(minutes=59))
    server.child(issue, "comments", "c", NOW + timedelta(minutes=59))
    server.child(issue, "attachments", "a", NOW + timedelta(minutes=59))
    refresh(server, store)
    store.loaded = 0
    for _ in range(2):
        server.now += timedelta(minutes=1)
        server.counted()
        refresh(server, store)
        # One team's mark moved; one question does for both all the same.
        assert server.counted() == ["Workspace", "Changed"]
        assert store.loaded == 0
    # Yet a change in there is seen.
    issue |= {"title": "Another", "updatedAt": text(server.now)}
    refresh(server, store)
    assert store.content() == whole(server)


@pytest.mark.parametrize("kind", ["comments", "attachments"])
def test_a_child_that_does_not_move_its_issue(kind: str) -> None:
    server, store = moved_on()
    server.child(server.lists["issues"][3], kind, "new", NOW + timedelta(minutes=30))
    refresh(server, store)
    assert store.content() == whole(server)
    assert [row["id"] for row in store.sets_of[kind]["i3"]] == ["new"]
    server.now += timedelta(hours=1)
    server.lists["issues"][3][kind][0]["archivedAt"] = server.lists["issues"][3][kind][0]["updatedAt"] = text(
        server.now
    )
    refresh(server, store)
    assert store.sets_of[kind]["i3"] == []


def test_a_long_increment_that_is_cut_off_goes_on_at_the_page() -> None:
    server, store = FakeLinear(), Store()
    for number in range(1000):
        server.issue(number, NOW - timedelta(hours=number + 1))
    refresh(server, store, only=["ENG"])
    server.now += timedelta(days=40)
    for number, issue in enumerate(server.lists["issues"]):
        issue |= {"title": f"Now {number}", "updatedAt": text(server.now - timedelta(minutes=number))}
    server.counted()
    server.stop_after = len(server.log) + 11
    with pytest.raises(AuthenticationError):
        refresh(server, store, only=["ENG"])
    server.stop_after = None
    before = server.counted().count("Issues")
    refresh(server, store, only=["ENG"])
    after = server.counted().count("Issues")
    assert before >= 3
    assert before + after <= 11
    assert store.rows_of["issues"] == whole(server)[0]["issues"]


def test_many_changed_comments_are_all_looked_at() -> None:
    server, store = moved_on()
    for number, issue in enumerate(server.lists["issues"] * 20):
        server.child(issue, "comments", f"c{number}", NOW + timedelta(minutes=30))
    refresh(server, store)
    assert store.content() == whole(server)


def test_a_renamed_label_reaches_its_issues() -> None:
    server, store = moved_on()
    server.lists["issues"][4]["labelIds"] = ["l2"]
    server.lists["issueLabels"][0]["name"] = "Defect"
    refresh(server, store)
    assert store.sets_of["issue_labels"]["i3"] == [{"issue_id": "i3", "label_id": "l1", "name": "Defect"}]
    assert store.rows_of["labels"]["l1"]["name"] == "Defect"
    server.counted()
    refresh(server, store)
    assert "Issues" not in server.counted()


def test_a_team_with_another_key_is_read_again() -> None:
    server, store = moved_on()
    server.lists["teams"][0]["key"] = "CORE"
    for issue in server.lists["issues"]:
        if issue["team"]["id"] == "t1":
            issue["previousIdentifiers"] = [issue["identifier"]]
            issue["identifier"] = issue["identifier"].replace("ENG", "CORE")
    refresh(server, store)
    assert store.content() == whole(server)


def test_an_issue_that_moved_to_another_team() -> None:
    server, store = moved_on()
    issue = server.lists["issues"][3]
    issue |= {
        "team": server.lists["teams"][1],
        "identifier": "OPS-300",
        "previousIdentifiers": ["ENG-3"],
        "updatedAt": text(NOW + timedelta(minutes=30)),
    }
    refresh(server, store)
    assert store.content() == whole(server)
    assert store.sets_of["issue_previous_identifiers"]["i3"] == [{"issue_id": "i3", "identifier": "ENG-3"}]


# ------------------------------------------------------------------------------------------ full refresh


def test_a_full_refresh_finds_what_is_gone() -> None:
    server, store = moved_on()
    server.lists["issues"] = [issue for issue in server.lists["issues"] if issue["id"] != "i3"]
    refresh(server, store)
    assert store.rows_of["issues"]["i3"]["deleted_at"] is None
    refresh(server, store, full=True)
    assert store.rows_of["issues"]["i3"]["deleted_at"] == server.now
    assert sum(row["deleted_at"] is not None for row in store.rows_of["issues"].values()) == 1


@pytest.mark.parametrize("order", [("OPS", "ENG"), ("ENG", "OPS")])
def test_an_issue_that_moves_during_a_full_refresh_is_neither_gone_nor_loaded_twice(order: tuple[str, str]) -> None:
    server, store = moved_on()
    connector = LinearConnector(settings(), server.client())
    request = RefreshRequest(full=True)
    teams = {scope.name: scope for scope in connector.scopes(request) if isinstance(scope, Scope)}
    given: list[str] = []
    for number, key in enumerate(order):
        chunks = list(connector.read(teams[key], store.marks[teams[key].id], request, store))
        given += [row["id"] for chunk in chunks for row in chunk.rows.get("issues", ())]
        store.take(teams[key], chunks, server.now)
        if number == 0:
            server.now += timedelta(seconds=5)
            moved = {"team": server.lists["teams"][1], "identifier": "OPS-300", "updatedAt": text(server.now)}
            server.lists["issues"][3] |= moved
    assert sorted(given) == sorted(
        issue["id"] for issue in server.lists["issues"] if order[0] == "ENG" or issue["id"] != "i3"
    )
    assert store.rows_of["issues"]["i3"]["deleted_at"] is None
    server.now += timedelta(minutes=1)
    refresh(server, store)
    assert store.content() == whole(server)


def test_an_issue_that_moved_before_a_full_refresh_is_loaded_once() -> None:
    server, store = moved_on()
    moved = {"team": server.lists["teams"][1], "identifier": "OPS-300", "updatedAt": text(NOW + timedelta(minutes=9))}
    server.lists["issues"][3] |= moved
    store.loaded = 0
    refresh(server, store, full=True)
    # 30 issues with their sets of previous keys, labels, state changes, attachments and comments; the workspace's rows.
    assert store.loaded == 30 * 6 + 1 + 2 + 6 + 2
    assert store.content() == whole(server)


def test_an_interrupted_full_refresh_marks_nothing_and_goes_on() -> None:
    server = FakeLinear()
    for number in range(500):
        server.issue(number, NOW - timedelta(hours=number + 1))
    store = Store()
    refresh(server, store)
    server.now += timedelta(hours=1)
    del server.lists["issues"][450]
    server.stop_after = len(server.log) + 4
    with pytest.raises(AuthenticationError):
        refresh(server, store, full=True, only=["ENG"])
    assert {row["deleted_at"] for row in store.rows_of["issues"].values()} == {None}
    server.stop_after = None
    # An increment in between keeps the place.
    server.now += timedelta(hours=1)
    refresh(server, store)
    server.counted()
    refresh(server, store, full=True, only=["ENG"])
    assert server.counted().count("Issues") <= 4
    assert [row["id"] for row in store.rows_of["issues"].values() if row["deleted_at"]] == ["i450"]


# -------------------------------------------------------------------------------------- scopes and check


def test_teams_are_chosen_by_key() -> None:
    connector = LinearConnector(settings(), FakeLinear().client())
    found = connector.scopes(RefreshRequest(scopes=("eng", "acme/web", "nope")))
    assert [each.name for each in found] == ["*", "ENG", "NOPE"]
    assert isinstance(found[2], ScopeFailure)
    assert connector.scopes(RefreshRequest(scopes=("acme/web",))) == []


def test_check_names_the_workspace_and_its_teams() -> None:
    connector = LinearConnector(
        settings(teams=(Team(name="Platform", linear_teams=("ENG", "QA")),)), FakeLinear().client()
    )
    good, bad = connector.check()
    assert good.ok
    assert good.detail == "Acme, read as Ada: 2 teams (ENG, OPS)."
    assert not bad.ok
    assert "QA" in bad.subject


def test_check_says_what_is_wrong_with_the_key() -> None:
    server = FakeLinear()
    server.stop_after = 0
    (result,) = LinearConnector(settings(), server.client()).check()
    assert not result.ok
    assert "LINEAR_API_KEY is wrong, expired or revoked" in result.detail


def test_check_without_a_team() -> None:
    server = FakeLinear()
    server.lists["teams"] = []
    (result,) = LinearConnector(settings(), server.client()).check()
    assert not result.ok


def test_without_a_key_nothing_is_asked() -> None:
    with pytest.raises(AuthenticationError, match="LINEAR_API_KEY"):
        LinearConnector(settings(linear_api_key=None, linear_api_url="https://linear.example/graphql"))


def test_pages_that_do_not_end_are_noticed() -> None:
    server = FakeLinear()
    for number in range(250):
        server.issue(number, NOW - timedelta(hours=number + 1))
    answer = server.answer

    def stuck(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        body["variables"].pop("after", None)
        again = httpx.Request("POST", request.url, content=json.dumps(body), headers={"Authorization": "lin_api_key"})
        return answer(again)

    server.answer = stuck  # type: ignore[method-assign]
    with pytest.raises(BadAnswerError, match="do not end"):
        whole(server)


# --------------------------------------------------------------------------------------------- contract


def documents() -> dict[str, str]:
    """Every document that is ever sent."""
    names = tuple(queries.NESTED_PER_PAGE)
    more, _ = queries.more_of_issues([(f"i{n}", names[n % 3], "c") for n in range(queries.MORE_LISTS_PER_QUERY)])
    fixed = ("ISSUES", "ISSUES_ALONE", "CHANGED", "EXISTING", "WORKSPACE", "WORKSPACE_ALONE", "VIEWER")
    return {name: getattr(queries, name) for name in fixed} | {
        **{f"page of {name}": queries.workspace_page(name) for name in queries.WORKSPACE_LISTS},
        **{f"ids of {name}": queries.workspace_alone(name) for name in queries.WORKSPACE_LISTS},
        **{f"page of changed {name}": queries.changed_page(name) for name in queries.CHANGED_LISTS},
        **{f"lookup of {name}": queries.lookup(name) for name in ("issueLabels", "workflowStates")},
        "more": more,
    }


@pytest.fixture(scope="module")
def official() -> graphql.GraphQLSchema:
    folder = os.environ.get("VEELOCITY_CONTRACTS")
    if not folder:
        pytest.skip("VEELOCITY_CONTRACTS is not set: the official schema is not there to compare with")
    return graphql.build_schema(gzip.decompress((Path(folder) / "linear.schema.graphql.gz").read_bytes()).decode())


@pytest.mark.parametrize("name", documents())
def test_documents_are_valid_in_the_official_schema(name: str, official: graphql.GraphQLSchema) -> None:
    assert graphql.validate(official, graphql.parse(documents()[name])) == []


@pytest.mark.parametrize(
    ("name", "first", "most"),
    [
        ("ISSUES", queries.ISSUES_PER_PAGE, 8_300),
        ("CHANGED", queries.CHANGED_PER_PAGE, 640),
        ("page of changed comments", queries.IDS_PER_PAGE, 1_160),
        ("EXISTING", queries.IDS_PER_PAGE, 900),
        ("WORKSPACE", queries.WORKSPACE_PER_PAGE, 2_700),
        ("more", 0, 3_900),
    ],
)
def test_documents_are_within_linears_complexity(name: str, first: int, most: int) -> None:
    assert complexity(graphql.parse(documents()[name]), {"first": first, **queries.MOST_NESTED}) <= most
