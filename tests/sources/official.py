"""GitHub and Linear as their official schemas allow them to be: our requests answered with made-up values.

GraphQL documents are executed by graphql-core against the whole official schema. What is nullable is sometimes null,
an interface is any of its members, an enum any of its values, a list short, long or empty and cut into small pages.
REST bodies are made from the official OpenAPI schemas. All of it follows from a seed: the same object says the same
however often and by whatever way it is asked for.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from graphql import (
    ExecutionResult,
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    execute,
    get_named_type,
    parse,
)

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
"""The servers' clock."""

TEXTS = (
    "",
    "Fix the `UTF-8` of naïve 🚀 — «quotes»",
    "nul \u0000 inside",
    "'; drop table x; -- \"\\ \r\n\t",
    "\u202eright to left \u200b\ufeff",
    "<script>alert(1)</script>",
    "x" * 40_000,
    "NULL",
    "👩‍👩‍👧‍👦",
    'Revert "Close #12"\n\nThis reverts commit 0123456789abcdef0123456789abcdef01234567. Fixes ENG-1',
)
SIZES = (0, 0, 1, 1, 2, 3, 7)
MORE_THAN_32_BITS = (0, 1, 2**31 - 1, 2**31, 2**53 - 1, 2**62)


class Thing:
    """One object of a schema. ``key`` says which one: everything about it follows from the seed and the key."""

    def __init__(self, kind: str, key: str, /, **fixed: Any) -> None:
        self.kind = kind
        self.key = key
        self.fixed = fixed

    @property
    def id(self) -> str:
        return f"{self.kind}:{self.key}"


class Listed:
    """A connection, already cut to the page that was asked for."""

    def __init__(self, things: list[Any], total: int, start: int, has_next: bool) -> None:
        self.things = things
        self.total = total
        self.start = start
        self.has_next = has_next


class GraphQLServer:
    """Answers documents against a schema; what a subclass does not decide is left to chance."""

    def __init__(self, schema: GraphQLSchema, seed: int, *, nulls: float = 0.3) -> None:
        self.schema = schema
        self.seed = seed
        self.nulls = nulls
        self.known: dict[str, Thing] = {}
        self.page = self.random("page").choice((2, 3, 100))

    def random(self, *key: Any) -> Random:
        return Random(repr((self.seed, *key)))

    def answer(self, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        result = execute(
            self.schema,
            _parsed(document),
            root_value=Thing("Query", ""),
            variable_values=dict(variables),
            field_resolver=self._resolve,
            type_resolver=lambda value, _info, _type: value.kind,
        )
        assert isinstance(result, ExecutionResult)  # no resolver waits
        body: dict[str, Any] = {"data": result.data}
        for error in result.errors or ():
            # A strict server says of a number that is too large for Int that it is, and gives null.
            if not (error.path and error.path[-1] == "databaseId"):
                raise AssertionError(f"the server itself made a mistake: {error}") from error.original_error
            body.setdefault("errors", []).append(error.formatted)
        return body

    def _resolve(self, source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        if isinstance(source, Listed):
            return self._of_list(source, info, arguments)
        return self.value(source, info.field_name, arguments, info.return_type)

    def value(self, thing: Thing, field: str, arguments: Mapping[str, Any], kind: Any = None) -> Any:
        """One field of a thing."""
        if field == "id":
            self.known[thing.id] = thing
            return thing.id
        if field in thing.fixed:
            return thing.fixed[field]
        if kind is None:
            owner = self.schema.type_map[thing.kind]
            kind = owner.fields[field].type  # type: ignore[attr-defined]
        own = self.field(thing, field, arguments)
        if own is not ...:
            return own
        named = get_named_type(kind)
        if named.name.endswith("Connection"):
            if not isinstance(kind, GraphQLNonNull) and self.random(thing.key, field, "null").random() < self.nulls / 3:
                return None
            return self.cut(self.things(thing, field, named), arguments)
        return self._made(kind, thing, field, arguments)

    def field(self, thing: Thing, field: str, arguments: Mapping[str, Any]) -> Any:
        """What is not left to chance; Ellipsis where it is."""
        return ...

    def things(self, thing: Thing, field: str, connection: Any) -> list[Any]:
        """Everything in a connection, some of it null where the schema allows that."""
        count = self.random(thing.key, field, "count").choice(SIZES)
        kind = connection.fields["nodes"].type
        item = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        return [self._made(item.of_type, thing, f"{field}[{number}]", {}) for number in range(count)]

    def cut(self, things: list[Any], arguments: Mapping[str, Any]) -> Listed:
        order = arguments.get("orderBy")
        if isinstance(order, dict) and order["field"] in ("UPDATED_AT", "CREATED_AT"):
            name = {"UPDATED_AT": "updatedAt", "CREATED_AT": "createdAt"}[order["field"]]
            present = [each for each in things if each is not None]
            present.sort(
                key=lambda each: datetime.fromisoformat(self.value(each, name, {}) or NOW.isoformat()),
                reverse=order["direction"] == "DESC",
            )
            things = [*present, *(each for each in things if each is None)]
        start = int(arguments["after"].removeprefix("cursor ")) if arguments.get("after") else 0
        end = min(len(things), start + min(arguments.get("first") or 50, self.page))
        return Listed(things[start:end], len(things), start, end < len(things))

    def _of_list(self, listed: Listed, info: GraphQLResolveInfo, arguments: Mapping[str, Any]) -> Any:
        if info.field_name == "nodes":
            return listed.things
        if info.field_name == "totalCount":
            return listed.total
        assert info.field_name == "pageInfo", info.field_name
        end = f"cursor {listed.start + len(listed.things)}" if listed.things else None
        return Thing("PageInfo", "", hasNextPage=listed.has_next, endCursor=end)

    def _made(self, kind: Any, thing: Thing, field: str, arguments: Mapping[str, Any]) -> Any:
        random = self.random(thing.kind, thing.key, field)
        if isinstance(kind, GraphQLNonNull):
            kind = kind.of_type
        elif random.random() < self.nulls:
            return None
        if isinstance(kind, GraphQLList):
            return [
                self._made(kind.of_type, thing, f"{field}[{number}]", arguments)
                for number in range(random.choice(SIZES))
            ]
        if isinstance(kind, GraphQLEnumType):
            return random.choice(list(kind.values.values())).value
        if isinstance(kind, GraphQLScalarType):
            return self.scalar(kind.name, random)
        if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            members = sorted(self.schema.get_possible_types(kind), key=lambda each: each.name)
            kind = random.choice(members)
        assert isinstance(kind, GraphQLObjectType)
        return Thing(kind.name, f"{thing.key}/{field}")

    def scalar(self, name: str, random: Random) -> Any:
        """A value of a scalar as it is in JSON."""
        if name in ("DateTime", "GitTimestamp", "PreciseDateTime"):
            return moment(random)
        if name == "Int":
            return random.choice((0, 1, 7, 2**31 - 1, -1))
        if name == "Float":
            return random.choice((0, 1, 2.5, 13, -0.25))
        if name == "Boolean":
            return random.random() < 0.5
        if name == "BigInt":
            return str(random.choice(MORE_THAN_32_BITS))
        if name == "GitObjectID":
            return f"{random.getrandbits(160):040x}"
        if name in ("URI", "ID"):
            return f"https://example.test/{random.getrandbits(32)}"
        return random.choice(TEXTS)


@cache
def _parsed(document: str) -> Any:
    return parse(document)


def moment(random: Random, until: datetime = NOW) -> str:
    """A time before ``until``, with or without fractions."""
    at = until - timedelta(seconds=random.randrange(1, 60_000_000), microseconds=random.randrange(1_000_000))
    kind = random.choice(("seconds", "seconds", "milliseconds", "microseconds"))
    return at.isoformat(timespec=kind).replace("+00:00", random.choice(("Z", "Z", "+00:00")))


# ------------------------------------------------------------------------------------------------- GitHub


class GitHubServer(GraphQLServer):
    """GitHub: repositories of ``acme``, each with a history that hangs together; REST for Actions and paths."""

    def __init__(
        self, schema: GraphQLSchema, openapi: OpenAPI, seed: int, *, nulls: float = 0.3, root: str = ""
    ) -> None:
        super().__init__(schema, seed, nulls=nulls)
        self.openapi = openapi
        self.root = root
        self.has_links = True
        self.finds_objects = True
        self.requests: list[str] = []
        self.runs: dict[str, list[dict[str, Any]]] = {}

    def field(self, thing: Thing, field: str, arguments: Mapping[str, Any]) -> Any:
        if thing.kind == "Query":
            return self._root(field, arguments)
        if thing.kind == "Repository":
            commits = self._commits(thing)
            if field == "nameWithOwner":
                return thing.key
            if field == "databaseId":
                return _number(thing.key)
            if field == "object" and not self.finds_objects:
                return None
            if field == "object":
                return next((each for each in commits if each.fixed["oid"] == arguments["oid"]), None)
            if field == "defaultBranchRef":
                return Thing("Ref", f"{thing.key}/head", name="main", target=commits[0]) if commits else None
            if field == "refs":
                return self.cut([Thing("Ref", f"{thing.key}/tag/{number}") for number in range(5)], arguments)
        if thing.kind == "Ref" and field == "name":
            return f"v{thing.key.rsplit('/', 1)[-1]}"
        if thing.kind == "Commit" and "history" in thing.fixed and field == "parents":
            return self.cut(thing.fixed["ancestors"], arguments)
        return ...

    def value(self, thing: Thing, field: str, arguments: Mapping[str, Any], kind: Any = None) -> Any:
        if thing.kind == "Commit" and field == "history" and "history" in thing.fixed:
            return self.cut(thing.fixed["history"], arguments)
        return super().value(thing, field, arguments, kind)

    def _root(self, field: str, arguments: Mapping[str, Any]) -> Any:
        if field == "repository":
            return self._repository(f"{arguments['owner']}/{arguments['name']}")
        if field == "repositoryOwner":
            return ...
        if field == "node":
            return self.known.get(arguments["id"])
        if field == "nodes":
            return [self.known.get(each) for each in arguments["ids"]]
        return ...

    def _repository(self, name: str) -> Thing:
        found = Thing("Repository", name)
        return self.known.setdefault(found.id, found)

    @cache  # noqa: B019 - a server lives as long as its test
    def _commits(self, repository: Thing) -> list[Thing]:
        """A history, newest first: each commit's parents are among those after it."""
        random = self.random(repository.key, "commits")
        commits: list[Thing] = []
        for number in reversed(range(random.choice((0, 1, 4, 9)))):
            parents = random.sample(commits, min(len(commits), random.choice((1, 1, 2, 3))))
            if commits and commits[0] not in parents:
                parents = [commits[0], *parents]
            oid = f"{random.getrandbits(160):040x}"
            commit = Thing("Commit", f"{repository.key}/commit/{number}", oid=oid, ancestors=parents)
            commits.insert(0, commit)
            commit.fixed["history"] = list(commits)
        return commits

    # -- REST

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Any request of a connector."""
        path = urlsplit(str(request.url)).path.removeprefix(self.root)
        self.requests.append(f"{request.method} {path}")
        if request.method == "POST":
            posted = json.loads(request.content)
            return httpx.Response(200, json=self.answer(posted["query"], posted["variables"]))
        query = {key: values[0] for key, values in parse_qs(request.url.query.decode()).items()}
        body = self.rest(path, query)
        if body is None:
            return httpx.Response(404, json={"message": "Not Found"})
        size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
        links = {}
        if body.get("total_count", 0) > size * page and self.has_links:
            links["Link"] = self.link(str(request.url.copy_merge_params({"page": page + 1})))
        return httpx.Response(200, json=body, headers=links)

    def link(self, following: str) -> str:
        """The header that leads to the next page."""
        return f'<{following}>; rel="next"'

    def rest(self, path: str, query: Mapping[str, str]) -> Any:
        """A body, from the schema of the path's answer; None: there is no such thing."""
        if found := re.fullmatch(r"/repos/(acme/[^/]+)(/.*)?", path):
            name, rest = found[1], found[2] or ""
        else:
            return None
        size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
        if rest == "":
            return self._repository_body(name)
        if rest == "/actions/workflows":
            random = self.random(name, "workflows")
            items = [self._workflow(name, number) for number in range(random.choice((0, 1, 4)))]
            return {"total_count": len(items), "workflows": items[(page - 1) * size : page * size]}
        runs = self._runs(name)
        if rest == "/actions/runs":
            found_runs = [run for run in runs if _is_in(run["created_at"], query.get("created", ""))]
            return {"total_count": len(found_runs), "workflow_runs": found_runs[(page - 1) * size : page * size]}
        if part := re.fullmatch(r"/actions/runs/(\d+)(/jobs|/attempts/\d+)?", rest):
            run = next((run for run in runs if run["id"] == int(part[1])), None)
            if run is None or (part[2] or "").startswith("/attempts/1"):
                return None
            if part[2] == "/jobs":
                return {"total_count": 2, "jobs": [self._job(run, number) for number in range(2)]}
            return run if part[2] is None else {**run, "run_attempt": int(part[2].rsplit("/", 1)[1])}
        if rest.startswith("/commits/"):
            body = self.openapi.make("commit", self.random(name, rest))
            return body | {"files": body.get("files") or []}
        return None

    def _repository_body(self, name: str) -> dict[str, Any]:
        return {**self.openapi.make("minimal-repository", self.random(name)), "id": _number(name), "full_name": name}

    def _workflow(self, name: str, number: int) -> dict[str, Any]:
        # ids are unique over all repositories, as the runs' are
        made: dict[str, Any] = self.openapi.make("workflow", self.random(name, "workflow", number))
        return made | {"id": 1000 * sum(map(ord, name)) + number}

    def _runs(self, name: str) -> list[dict[str, Any]]:
        if name not in self.runs:
            random = self.random(name, "runs")
            runs = []
            for number in range(random.choice((0, 1, 30, 230))):
                run = self.openapi.make("workflow-run", random)
                run["id"] = 2**33 + 1000 * sum(map(ord, name)) + number
                run["run_attempt"] = random.choice((1, 1, 2, 3))
                run["workflow_id"] = random.choice((0, 1, 2**33))
                run["event"] = random.choice(("push", "workflow_dispatch", "pull_request", "schedule", "dynamic"))
                run["status"] = random.choice(("completed", "completed", "queued", "in_progress", "waiting", None))
                run["repository"] = self._repository_body(name)
                # As the real one does beyond its own description: null where the fork, or the account, is gone.
                run["head_repository"] = random.choice((run["repository"], run["head_repository"], None))
                run["actor"] = random.choice((run.get("actor"), None))
                if random.random() < 0.3:
                    run.pop("run_started_at", None)
                    run.pop("run_attempt", None)
                runs.append(run)
            runs.sort(key=lambda run: str(run["created_at"]), reverse=True)
            self.runs[name] = runs
        return self.runs[name]

    def _job(self, run: Mapping[str, Any], number: int) -> dict[str, Any]:
        job: dict[str, Any] = self.openapi.make("job", self.random(run["id"], number))
        return job | {"id": run["id"] * 10 + number, "run_id": run["id"]}


def _number(name: str) -> int:
    return 2**32 + sum(map(ord, name))


def _is_in(created: str, search: str) -> bool:
    at = datetime.fromisoformat(created)
    if found := re.fullmatch(r"(.*)\.\.(.*)", search):
        end = datetime.fromisoformat(found[2]) + timedelta(seconds=1)
        return datetime.fromisoformat(found[1]) <= at < end
    return not search or at >= datetime.fromisoformat(search.removeprefix(">="))


class OpenAPI:
    """Bodies from the schemas of GitHub's OpenAPI description."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.schemas = document["components"]["schemas"]

    def make(self, name: str, random: Random) -> Any:
        """A body of one of the named schemas."""
        return self._make({"$ref": f"#/components/schemas/{name}"}, random, 0)

    def _make(self, schema: Mapping[str, Any], random: Random, depth: int) -> Any:
        if "$ref" in schema:
            return self._make(self.schemas[schema["$ref"].rsplit("/", 1)[1]], random, depth)
        if schema.get("nullable") and random.random() < 0.3:
            return None
        for several in ("oneOf", "anyOf"):
            if several in schema:
                return self._make(random.choice(schema[several]), random, depth)
        if "allOf" in schema:
            body: dict[str, Any] = {}
            for part in schema["allOf"]:
                body |= self._make(part, random, depth) or {}
            return body
        if "enum" in schema:
            return random.choice(schema["enum"])
        kind = schema.get("type", "object")
        if kind == "object":
            required = set(schema.get("required", ()))
            body = {
                name: self._make(part, random, depth + 1)
                for name, part in schema.get("properties", {}).items()
                if name in required or (depth < 3 and random.random() < 0.5)
            }
            return body | {"a_field_of_tomorrow": {"nested": [1, None]}}
        if kind == "array":
            count = 0 if depth > 3 else random.choice((0, 1, 3))
            return [self._make(schema["items"], random, depth + 1) for _ in range(count)]
        if kind == "integer":
            return random.choice(MORE_THAN_32_BITS)
        if kind == "number":
            return random.random()
        if kind == "boolean":
            return random.random() < 0.5
        if schema.get("format") == "date-time":
            return moment(random)
        return (
            f"https://example.test/{random.getrandbits(32)}" if schema.get("format") == "uri" else random.choice(TEXTS)
        )


@cache
def openapi(folder: str) -> OpenAPI:
    """GitHub's official description."""
    with gzip.open(Path(folder) / "github.openapi.json.gz", "rt", encoding="utf-8") as file:
        return OpenAPI(json.load(file))


# ------------------------------------------------------------------------------------------------- Linear


class LinearServer(GraphQLServer):
    """Linear: teams with issues, and the workspace's lists; filters hold."""

    def __init__(self, schema: GraphQLSchema, seed: int, *, nulls: float = 0.3, teams: int | None = None) -> None:
        super().__init__(schema, seed, nulls=nulls)
        random = self.random("teams")
        count = random.choice((1, 2, 4)) if teams is None else teams
        self.teams = [Thing("Team", f"team {number}", key=f"T{number}") for number in range(count)]
        self.lists: dict[str, list[Thing]] = {"teams": self.teams}

    def field(self, thing: Thing, field: str, arguments: Mapping[str, Any]) -> Any:
        if thing.kind == "Query":
            if field in ("organization", "viewer"):
                return ...
            found = self.all(field)
            wanted = arguments.get("filter")
            if wanted:
                found = [each for each in found if self.matches(each, wanted)]
            return self.cut(found, {**arguments, "orderBy": None})
        if thing.kind == "Issue":
            if field == "team":
                return self.teams[self.random(thing.key).randrange(len(self.teams))]
            if field == "identifier":
                return f"{self.value(thing, 'team', {}).fixed['key']}-{_number(thing.key)}"
            if field == "number":
                return _number(thing.key)
        return ...

    def all(self, field: str) -> list[Thing]:
        """Everything in a root connection."""
        if field not in self.lists:
            kind = get_named_type(self.schema.type_map["Query"].fields[field].type).fields["nodes"].type  # type: ignore[attr-defined]
            name = get_named_type(kind).name
            count = 0 if not self.teams else self.random(field).choice((0, 1, 5, 12))
            self.lists[field] = [Thing(name, f"{field} {number}") for number in range(count)]
        return self.lists[field]

    def matches(self, thing: Thing, wanted: Mapping[str, Any]) -> bool:
        """Whether a filter holds."""
        for name, rule in wanted.items():
            if name == "or":
                if not any(self.matches(thing, each) for each in rule):
                    return False
                continue
            value = self.value(thing, name, {})
            if isinstance(value, Listed):
                some = rule["some"]
                if not any(self.matches(each, some) for each in value.things):
                    return False
            elif isinstance(value, Thing):
                if not self.matches(value, rule):
                    return False
            elif not all(_holds(value, operator, operand) for operator, operand in rule.items()):
                return False
        return True

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Any request of the connector."""
        posted = json.loads(request.content)
        return httpx.Response(200, json=self.answer(posted["query"], posted["variables"]))


def _holds(value: Any, operator: str, operand: Any) -> bool:
    if operator == "null":
        return (value is None) is operand
    if value is None:
        return False
    if operator == "in":
        return value in operand
    if operator == "eq":
        return bool(value == operand)
    left, right = datetime.fromisoformat(value), datetime.fromisoformat(operand)
    return left >= right if operator == "gte" else left <= right
