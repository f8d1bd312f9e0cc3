"""The simulated GitHub behind HTTP: tokens, limits, faults."""

from __future__ import annotations

import asyncio
import copy
import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

import orjson
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from veelocity_pipeline.simulator.cost import count
from veelocity_pipeline.simulator.engine import ApiError, Engine
from veelocity_pipeline.simulator.faults import (
    Fault,
    common_fault,
    halve,
    json_response,
    lose,
    repeat,
    retry_after,
    with_other_headers,
)
from veelocity_pipeline.simulator.github.answers import Answer, ProblemError
from veelocity_pipeline.simulator.github.app import SimulatedApp
from veelocity_pipeline.simulator.github.graphql import engine
from veelocity_pipeline.simulator.github.objects import NODE_LIMIT, Budget, Context
from veelocity_pipeline.simulator.github.rest import Rest
from veelocity_pipeline.simulator.graphql_http import answer_graphql, first_field
from veelocity_pipeline.simulator.organization.whole import Organization
from veelocity_pipeline.simulator.world import Purse, World

GITHUB_TOKEN = "ghp_simulated000000000000000000000000000"
_TOKEN_START = GITHUB_TOKEN[:13]
GITHUB_LIMIT = 5_000
"""REST requests, and GraphQL points, per hour and token."""

_SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
_ABUSE = "You have triggered an abuse detection mechanism. Please wait a few minutes before you try again."
_GAVE_UP = (
    "Something went wrong while executing your query. This may be the result of a timeout, or it could be a GitHub bug."
)


class GitHub:
    """A GitHub over an organisation.

    Attributes:
        app: a GitHub App that may sign in; None: there is none.
        token_scopes: of the token, if it is a classic one; empty: it is fine-grained.
        token_permissions: what a fine-grained token may read, by GitHub's names; None: everything.
        token_repositories: by token, the names of the repositories that it sees; one that is not in here sees all.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.engine: Engine = engine()
        self.app: SimulatedApp | None = None
        self.token_scopes = ""
        self.token_permissions: Mapping[str, str] | None = None
        self.token_repositories: Mapping[str, Collection[str]] = {}
        self.routes = [
            Route("/github/graphql", self._answer_graphql, methods=["POST"]),
            Route("/github{path:path}", self._answer_rest, methods=["GET", "POST"]),
        ]

    async def _answer_rest(self, request: Request) -> Response:
        fault = self._world.fault(f"{request.url.path}?{request.url.query}")
        if fault is not None and fault.kind in ("slow", "timeout"):
            await asyncio.sleep(fault.seconds)
        with self._world.lock:
            self._world.arrive()
            response = with_other_headers(fault, self._rest_answer(request, fault), request)
            return self._world.note("rest", request, response)

    def _rest_answer(self, request: Request, fault: Fault | None) -> Response:
        headers = self._headers()
        token = self._token(request)
        broken = common_fault(fault, headers, request.headers.get("authorization", ""))
        if broken is not None:
            return broken
        kind = fault.kind if fault else ""
        path = request.path_params["path"]
        if kind != "unauthorized" and self.app is not None and (path == "/app" or path.startswith("/app/")):
            return self._app_answer(request, self.app, path, token, headers)
        access = self._access(token)
        if kind == "unauthorized" or access is None:
            message = "Bad credentials" if request.headers.get("authorization") else "Requires authentication"
            return json_response(401, ProblemError(401, message).body, {**headers, **self._nobodys()})
        if request.method != "GET":
            return json_response(404, ProblemError(404, "Not Found").body, headers)
        seen, permissions, holder = access
        purse = self._world.purse("core", holder, GITHUB_LIMIT)
        reset = self._world.now + timedelta(hours=1)
        if fault is not None and kind in ("secondary_limit", "abuse"):
            return self._limited(fault, {**headers, **self._limit_headers("core", purse, reset)})
        is_free = path == "/rate_limit"
        if kind in ("primary_limit", "respelt_limit") or (not is_free and not purse.take(1)):
            spent = Purse(GITHUB_LIMIT, GITHUB_LIMIT)
            message = f"API rate limit exceeded for user ID {self._world.organization.viewer.database_id}."
            return json_response(
                403, ProblemError(403, message).body, {**headers, **self._limit_headers("core", spent, self._world.now)}
            )
        headers |= self._limit_headers("core", purse, reset)
        try:
            if kind == "forbidden":
                raise ProblemError(403, "Resource not accessible by personal access token")
            if kind == "not_found":
                raise ProblemError(404, "Not Found")
            if permissions is not None and "/actions/" in path and "actions" not in permissions:
                raise ProblemError(
                    403, "Resource not accessible by integration", {"x-accepted-github-permissions": "actions=read"}
                )
            rest = self._rest(request, seen)
            answer = self._rate_limit(holder, reset) if is_free else rest.get(path, request.query_params)
        except ProblemError as problem:
            return json_response(problem.status, problem.body, {**headers, **problem.headers})
        if kind == "duplicated":
            for value in answer.body.values() if isinstance(answer.body, dict) else ():
                if isinstance(value, list) and value:
                    value.insert(0, value[0])
        if self._is_spoilt(answer.body):
            return common_fault(Fault("502"), headers, "") or Response(status_code=502)
        body = orjson.dumps(answer.body)
        headers["content-type"] = "application/json; charset=utf-8"
        headers["etag"] = f'W/"{hashlib.sha256(token.encode() + body).hexdigest()}"'
        headers["cache-control"] = "private, max-age=60, s-maxage=60"
        link = self._links(request, answer)
        if link:
            headers["link"] = link
        if headers["etag"] in request.headers.get("if-none-match", ""):
            purse.used = max(0, purse.used - 1)  # a 304 is free
            headers |= self._limit_headers("core", purse, reset)
            return Response(b"", 304, {name: value for name, value in headers.items() if name != "content-type"})
        return Response(body, 200, headers)

    def _is_spoilt(self, body: Any) -> bool:
        """Whether something is in a list, or is all of it, that the server cannot answer for."""
        wanted = {each.object for each in self._world.spoilt if each.code == "502" and not each.field}
        if not wanted:
            return False
        lists = [value for value in body.values() if isinstance(value, list)] if isinstance(body, dict) else [body]
        items = [item for items in (*lists, [body]) for item in items if isinstance(item, dict)]
        return any({item.get("node_id"), str(item.get("id"))} & wanted for item in items)

    def _app_answer(
        self, request: Request, app: SimulatedApp, path: str, token: str, headers: dict[str, str]
    ) -> Response:
        """What an App asks with its signature."""
        repositories = self._rest(request, self._world.organization).repositories
        purse = self._world.purse("core", "app", GITHUB_LIMIT)
        purse.take(1)
        headers |= self._limit_headers("core", purse, self._world.now + timedelta(hours=1))
        try:
            if request.method == "POST":
                return json_response(201, app.create_token(path, token, repositories), headers)
            answer = app.get(path, request.query_params, token, repositories)
        except ProblemError as problem:
            return json_response(problem.status, problem.body, {**headers, **problem.headers})
        link = self._links(request, answer)
        return json_response(200, answer.body, {**headers, **({"link": link} if link else {})})

    def _rest(self, request: Request, seen: Organization) -> Rest:
        return Rest(seen, f"{request.url.scheme}://{request.url.netloc}/github")

    def _rate_limit(self, token: str, reset: datetime) -> Answer:
        def shown(kind: str) -> dict[str, int]:
            purse = self._world.purse(kind, token, GITHUB_LIMIT)
            return {
                "limit": purse.limit,
                "used": purse.limit - purse.remaining,
                "remaining": purse.remaining,
                "reset": int(reset.timestamp()),
            }

        search = {"limit": 30, "used": 0, "remaining": 30, "reset": int(reset.timestamp())}
        return Answer(
            {"resources": {"core": shown("core"), "search": search, "graphql": shown("graphql")}, "rate": shown("core")}
        )

    @staticmethod
    def _links(request: Request, answer: Answer) -> str:
        """The Link header of a page of a list."""
        if answer.last_page <= 1 and answer.page <= 1:
            return ""
        wanted: dict[str, int] = {}
        if answer.page > 1:
            wanted |= {"prev": min(answer.page - 1, answer.last_page), "first": 1}
        if answer.page < answer.last_page:
            wanted |= {"next": answer.page + 1, "last": answer.last_page}
        base = str(request.url).partition("?")[0]
        parts = []
        for relation, page in wanted.items():
            query = {**dict(request.query_params), "page": str(page)}
            parts.append(f'<{base}?{urlencode(query)}>; rel="{relation}"')
        return ", ".join(parts)

    async def _answer_graphql(self, request: Request) -> Response:
        return await answer_graphql(self._world, "graphql", request, self._graphql_answer, self._malformed)

    def _graphql_answer(self, body: dict[str, Any], authorization: str, fault: Fault | None) -> tuple[Response, int]:
        headers = self._headers()
        broken = common_fault(fault, headers, authorization)
        if broken is not None:
            return broken, 0
        kind = fault.kind if fault else ""
        token = authorization.partition(" ")[2].strip()
        access = self._access(token)
        if kind == "unauthorized" or access is None:
            message = "Bad credentials" if authorization else "This endpoint requires you to be authenticated."
            return json_response(401, ProblemError(401, message).body, {**headers, **self._nobodys()}), 0
        seen, permissions, holder = access
        purse = self._world.purse("graphql", holder, GITHUB_LIMIT)
        reset = self._world.now + timedelta(hours=1)
        limits = self._limit_headers("graphql", purse, reset)
        if fault is not None and kind in ("secondary_limit", "abuse"):
            return self._limited(fault, {**headers, **limits}), 0
        document, problems = self.engine.prepare(body["query"])
        if document is None or problems:
            errors = [_error(each) for each in problems]
            return json_response(
                200, {"errors": errors}, {**headers, **self._limit_headers("graphql", purse, reset)}
            ), 0
        variables, operation = body.get("variables") or {}, body.get("operationName")
        cost = count(self.engine.schema, document, variables, operation, must_page=True)
        refusals = [{"type": kind_, "message": message} for message, kind_ in cost.problems]
        if not refusals and cost.nodes > NODE_LIMIT:
            message = f"This query requests up to {cost.nodes:,} possible nodes which exceeds the maximum limit"
            message += f" of {NODE_LIMIT:,}."
            refusals = [{"type": "MAX_NODE_LIMIT_EXCEEDED", "message": message}]
        if refusals:
            return json_response(
                200, {"errors": refusals}, {**headers, **self._limit_headers("graphql", purse, reset)}
            ), 0
        if kind in ("primary_limit", "respelt_limit") or not purse.take(cost.points):
            spent = Purse(GITHUB_LIMIT, GITHUB_LIMIT)
            user = self._world.organization.viewer.database_id
            code = "RATE_LIMIT" if kind == "respelt_limit" else "RATE_LIMITED"
            errors = [{"type": code, "message": f"API rate limit already exceeded for user ID {user}."}]
            limited = {**headers, **self._limit_headers("graphql", spent, self._world.now)}
            return json_response(200, {"errors": errors}, limited), 0
        headers |= self._limit_headers("graphql", purse, reset)
        if kind in ("forbidden", "not_found"):
            code, message = {
                "forbidden": ("FORBIDDEN", "Resource not accessible by personal access token"),
                "not_found": ("NOT_FOUND", "Could not resolve to a Repository."),
            }[kind]
            name = first_field(body["query"])
            refusal = {"data": {name: None}, "errors": [{"type": code, "path": [name], "message": message}]}
            return json_response(200, refusal, headers), cost.points
        budget = Budget(purse.limit, purse.remaining, reset)
        context = Context(seen, budget, cost.points, cost.nodes, permissions)
        result = self.engine.run(document, None, context, variables, operation)
        answer: dict[str, Any] = {"data": result.data}
        if result.errors:
            answer["errors"] = [_error(each) for each in result.errors]
        if kind == "partial":
            halve(result.data)
            message = "Resource limits for this query exceeded."
            answer["errors"] = [{"type": "RESOURCE_LIMITS_EXCEEDED", "message": message}]
        if kind in ("lost_field", "lost_node") and (path := lose(answer["data"], kind == "lost_field")):
            answer["errors"] = [{"type": "SERVICE_UNAVAILABLE", "path": path, "message": "Try again later."}]
        if kind == "gave_up":
            answer = {"data": None, "errors": [{"message": _GAVE_UP}]}
        if kind == "duplicated":
            repeat(answer["data"])
        return json_response(200, answer, headers), cost.points

    def _malformed(self) -> Response:
        problem = {"message": "Problems parsing JSON", "documentation_url": "https://docs.github.com/graphql"}
        return json_response(400, problem, self._headers())

    def _nobodys(self) -> dict[str, str]:
        """The limits of someone without a token, which an answer to a wrong one has."""
        return self._limit_headers("core", Purse(60, 60), self._world.now + timedelta(hours=1))

    def _access(self, token: str) -> tuple[Organization, Mapping[str, str] | None, str] | None:
        """What a token reaches, an installation's permissions, and who has its budget; None: it is not accepted."""
        if token in self.token_repositories:
            whole = self._world.organization
            names = self.token_repositories[token]
            seen = copy.copy(whole)
            seen.repositories = [each for each in whole.repositories if each.full_name in names]
            return seen, self.token_permissions, token
        if token.startswith(_TOKEN_START):
            return self._world.organization, self.token_permissions, token
        installation = self.app.installation(token, self._world.now) if self.app else None
        if self.app is None or installation is None:
            return None
        seen = self.app.seen(self._world.organization, installation)
        return seen, installation.permissions, f"installation {installation.id}"

    def _limited(self, fault: Fault, headers: dict[str, str]) -> Response:
        """GitHub's answer to too much at once."""
        message = _ABUSE if fault.kind == "abuse" else _SECONDARY
        return json_response(403, ProblemError(403, message).body, headers | retry_after(fault))

    @staticmethod
    def _token(request: Request) -> str:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        return token.strip() if kind.lower() in ("bearer", "token") else ""

    def _headers(self) -> dict[str, str]:
        self._world.served += 1
        request_id = hashlib.sha1(str(self._world.served).encode()).hexdigest().upper()
        return {
            "date": format_datetime(self._world.now, usegmt=True),
            "x-github-request-id": f"{request_id[:4]}:{request_id[4:10]}:{request_id[10:17]}:{request_id[17:24]}",
        }

    def _limit_headers(self, resource: str, purse: Purse, reset: datetime) -> dict[str, str]:
        return {
            "x-ratelimit-limit": str(purse.limit),
            "x-ratelimit-remaining": str(purse.remaining),
            "x-ratelimit-used": str(purse.limit - purse.remaining),
            "x-ratelimit-reset": str(int(reset.timestamp())),
            "x-ratelimit-resource": resource,
        } | ({"x-oauth-scopes": self.token_scopes} if self.token_scopes else {})


def _error(error: GraphQLError) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    origin = error.original_error if isinstance(error.original_error, ApiError) else error
    if isinstance(origin, ApiError) and origin.kind:
        shown["type"] = origin.kind
    if error.path:
        shown["path"] = error.path
    if error.locations:
        shown["locations"] = [{"line": each.line, "column": each.column} for each in error.locations]
    shown["message"] = error.message
    return shown
