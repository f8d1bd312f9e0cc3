"""The server: a GitHub and a Linear on loopback, with authentication, limits, faults and a log."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import math
import random
import re
import socket
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

import orjson
import uvicorn
from graphql import GraphQLError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from veelocity_pipeline.simulator.changes import Changes, Told
from veelocity_pipeline.simulator.cost import Cost, count
from veelocity_pipeline.simulator.engine import ApiError, Engine, page_limit
from veelocity_pipeline.simulator.github import graphql as github_graphql
from veelocity_pipeline.simulator.github import objects
from veelocity_pipeline.simulator.github.answers import Answer, ProblemError
from veelocity_pipeline.simulator.github.app import SimulatedApp
from veelocity_pipeline.simulator.github.objects import NODE_LIMIT, Budget
from veelocity_pipeline.simulator.github.rest import Rest
from veelocity_pipeline.simulator.linear import graphql as linear_graphql_graphql
from veelocity_pipeline.simulator.linear.graphql import Allowance
from veelocity_pipeline.simulator.organization.life import Life, Still
from veelocity_pipeline.simulator.organization.plan import CI_ACCOUNT, OWNER
from veelocity_pipeline.simulator.organization.whole import Organization

GITHUB_TOKEN = "ghp_simulated000000000000000000000000000"
LINEAR_KEY = "lin_api_simulated000000000000000000000000"
_TOKEN_START, _KEY_START = GITHUB_TOKEN[:13], LINEAR_KEY[:17]

GITHUB_LIMIT = 5_000
"""REST requests, and GraphQL points, per hour and token."""
LINEAR_REQUESTS, LINEAR_COMPLEXITY, LINEAR_QUERY = 5_000, 250_000, 10_000
"""Per hour and key; the last per query."""

_SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
_ABUSE = "You have triggered an abuse detection mechanism. Please wait a few minutes before you try again."
_GAVE_UP = (
    "Something went wrong while executing your query. This may be the result of a timeout, or it could be a GitHub bug."
)
_GATEWAY = {"502": "Bad Gateway", "504": "Gateway Time-out"}
_TELLING = ("date", "link", "etag", "retry-after", "x-ratelimit-", "x-complexity")
"""Beginnings of the names of headers that a client steers by."""


@dataclass
class Fault:
    """Something that is going to go wrong.

    Attributes:
        kind: one of ``KINDS``, each with what happens then.
        match: a piece of the path, query string, GraphQL document or its variables; "" is every request.
        times: how many requests it spoils; None is one, and with a rate all that it meets.
        after: how many matching requests it lets pass first.
        rate: the share of matching requests that it spoils, from 0 to 1; which ones follows from the seed and the
            request, whatever order they come in.
        seed: another seed spoils others.
        seconds: how long a slow answer takes, and how long nothing comes before a timeout's connection is closed.
        retry_after: what a secondary limit says in ``Retry-After``; None sends no such header.
        spoilt: how many requests it has met.
    """

    kind: str
    match: str = ""
    times: int | None = None
    after: int = 0
    rate: float | None = None
    seed: int = 0
    seconds: float = 0.2
    retry_after: int | None = 0

    KINDS: ClassVar[Mapping[str, str]] = {
        "502": "an HTML page of a server in between",
        "504": "the same, when GitHub took too long",
        "drop": "the connection breaks in the middle of the answer",
        "timeout": "nothing comes, then the connection is closed",
        "slow": "the answer takes its time",
        "primary_limit": "the hour's budget is spent",
        "secondary_limit": "too much at once",
        "abuse": "the same in its older words, and without a Retry-After",
        "partial": "half of the data, and the error RESOURCE_LIMITS_EXCEEDED",
        "gave_up": "no data, and an error that has no type: something went wrong while executing the query",
        "not_json": "a page to sign in, with status 200",
        "empty": "status 200 and no body",
        "not_modified": "304, whatever was asked",
        "bare": "a good answer without any header that tells a limit, the time, the next page or an ETag",
        "garbled": "a good answer with such headers that make no sense",
        "duplicated": "each list gives its first item twice, as where one page overlaps the next",
        "moved": "a good answer, but something changed just before it, which moves it to the front of its list",
        "forbidden": "the token may not read it",
        "not_found": "there is no such thing",
        "unauthorized": "the token is wrong",
        "echo": "a server in between refuses, and repeats the Authorization header in every way that it can",
        "parrot": "a good answer whose headers repeat it, the ETag among them",
    }

    def __post_init__(self) -> None:
        if self.kind not in self.KINDS:
            raise ValueError(f"kind must be one of {', '.join(self.KINDS)}, not {self.kind!r}")
        self._left = math.inf if self.times is None and self.rate is not None else self.times or 1
        self._met: Counter[str] = Counter()
        self.spoilt = 0

    def meets(self, request: str) -> bool:
        """Whether this request is spoilt; counts it."""
        if self._left <= 0 or self.match.lower() not in request.lower():
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.rate is not None:
            self._met[request] += 1
            if random.Random(f"{self.seed}/{self.kind}/{self._met[request]}/{request}").random() >= self.rate:
                return False
        self._left -= 1
        self.spoilt += 1
        return True


@dataclass(frozen=True)
class LoggedRequest:
    """A request that was answered; ``points`` are GitHub's points or Linear's complexity."""

    api: str
    method: str
    path: str
    status: int
    points: int
    operation: str


class _Broken(Response):
    """An answer that ends in the middle: the connection is closed before the promised length."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"10000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"data": {', "more_body": False})


@dataclass
class _Purse:
    """What one token has left in its hour. The clock stands still between advances, so an hour that is
    spent is refused once and over then."""

    limit: int
    used: int = 0

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    def take(self, amount: int) -> bool:
        if self.used + amount > self.limit:
            self.used = 0
            return False
        self.used += amount
        return True


class Simulator:
    """A GitHub and a Linear over one deterministic organisation.

    Args:
        size: demo (what ``make demo`` shows), medium, small (two repositories, made in a moment) or tiny (three, in
            which nothing happens but what ``change`` makes).
        seed: another seed is another organisation of the same kind; the same one is the same, byte for byte.
        port: 0 takes a free one.
        page_limit: the most that a page of GraphQL holds, however many are asked for; it may be changed.
        organization: serve this one instead; nothing happens in it by itself, and ``change`` cannot change it.

    Use as a context manager, or ``start`` and ``stop``.

    Attributes:
        faults: what is going to go wrong; append to it.
        log: every request answered so far.
        github_app: a GitHub App that may sign in; None: there is none.
        token_scopes: of the token, if it is a classic one; empty: it is fine-grained.
        token_permissions: what a fine-grained token may read, by GitHub's names; None: everything.
    """

    def __init__(
        self,
        size: str = "demo",
        seed: int = 7,
        port: int = 0,
        page_limit: int | None = None,
        organization: Organization | None = None,
    ) -> None:
        self._life = Life(size, seed) if organization is None else Still(organization)
        self.page_limit = page_limit
        self._changes = Changes(self._life, min(page_limit or 10, 10)) if isinstance(self._life, Life) else None
        self._planned: list[list[Any]] = []
        self._port = port
        self._socket: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.RLock()
        self._github: Engine = github_graphql.engine()
        self._linear: Engine = linear_graphql_graphql.engine()
        self._purses: dict[tuple[str, str], _Purse] = {}
        self._served = 0
        self.faults: list[Fault] = []
        self.log: list[LoggedRequest] = []
        self.github_app: SimulatedApp | None = None
        self.token_scopes = ""
        self.token_permissions: Mapping[str, str] | None = None
        self.app = Starlette(
            routes=[
                Route("/github/graphql", self._github_graphql, methods=["POST"]),
                Route("/github{path:path}", self._github_rest, methods=["GET", "POST"]),
                Route("/linear/graphql", self._linear_graphql, methods=["POST"]),
            ]
        )

    # -- life cycle

    def start(self) -> Simulator:
        """Listen on loopback, in a thread of its own."""
        self._bind()
        config = uvicorn.Config(
            self.app, log_level="critical", access_log=False, date_header=False, server_header=False, lifespan="off"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="simulator", daemon=True
        )
        self._thread.start()
        return self

    def _bind(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind(("127.0.0.1", self._port))
        except OSError as error:
            raise OSError(f"port {self._port} cannot be listened on: {error.strerror}") from error
        self._socket.listen(128)
        self._port = self._socket.getsockname()[1]

    def serve(self) -> None:
        """Listen in the foreground, until interrupted; ``start``'s alternative for a program of its own."""
        assert self._socket is not None
        config = uvicorn.Config(
            self.app, log_level="warning", access_log=False, date_header=False, server_header=False, lifespan="off"
        )
        uvicorn.Server(config).run(sockets=[self._socket])

    def bind(self) -> Simulator:
        """Take the port without serving yet, so that the addresses are known."""
        self._bind()
        return self

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._server.force_exit = True
            self._thread.join(timeout=10)
        if self._socket is not None:
            self._socket.close()
        self._server = self._thread = self._socket = None

    def __enter__(self) -> Simulator:
        return self.start()

    def __exit__(self, *_details: object) -> None:
        self.stop()

    # -- what callers see

    @property
    def github_url(self) -> str:
        """GitHub's REST root; GraphQL is at ``<root>/graphql``."""
        return f"http://127.0.0.1:{self._port}/github"

    @property
    def linear_url(self) -> str:
        """Linear's GraphQL endpoint."""
        return f"http://127.0.0.1:{self._port}/linear/graphql"

    @property
    def organization(self) -> Organization:
        """The truth, as of now in simulated time."""
        return self._life.organization

    @property
    def now(self) -> datetime:
        """The server's clock."""
        return self.organization.now

    def environment(self) -> dict[str, str]:
        """The settings that point the pipeline here. A renamed repository is named by its former name."""
        names = [
            each.former_names[0] if each.former_names else each.full_name for each in self.organization.repositories
        ]
        return {
            "GITHUB_TOKEN": GITHUB_TOKEN,
            "GITHUB_API_URL": self.github_url,
            "GITHUB_REPOSITORIES": ",".join(names),
            "LINEAR_API_KEY": LINEAR_KEY,
            "LINEAR_API_URL": self.linear_url,
        }

    def configuration(self) -> str:
        """A veelocity.toml that says of this organisation what its APIs cannot: machines, services, teams.

        Raises:
            ValueError: the organisation was given, and what its settings are only the giver knows.
        """
        if isinstance(self._life, Still):
            raise ValueError("the settings of an organisation that was given are the giver's")
        lines = ["[people]", f"bots = {json.dumps([CI_ACCOUNT])}"]
        plan = self._life.plan
        for repository in plan.repositories:
            for service in repository.services:
                lines += [
                    "",
                    "[[services]]",
                    f"name = {json.dumps(service.name)}",
                    f"repository = {json.dumps(f'{OWNER}/{repository.name}')}",
                    f"paths = {json.dumps([f'{service.prefix}/**'])}",
                    f"workflow_patterns = {json.dumps([service.file.removesuffix('.yml')])}",
                ]
        for team, linear in zip(plan.teams, self.organization.workspace.teams, strict=True):
            theirs = [repository for repository in plan.repositories if repository.team == team.key]
            members = [user.account.login for user in linear.members if user.account]
            lines += [
                "",
                "[[teams]]",
                f"name = {json.dumps(team.name)}",
                f"members = {json.dumps(members)}",
                f"repositories = {json.dumps([f'{OWNER}/{each.name}' for each in theirs])}",
                f"services = {json.dumps([service.name for each in theirs for service in each.services])}",
                f"linear_teams = {json.dumps([linear.key])}",
            ]
        return "\n".join(lines) + "\n"

    def advance(self, days: float = 0, hours: float = 0, minutes: float = 0) -> None:
        """Let time pass: the organisation lives on, and the hourly budgets are full again."""
        with self._lock:
            self._life.advance_to(self.now + timedelta(days=days, hours=hours, minutes=minutes))
            self._purses.clear()

    def change(self, name: str, picks: Sequence[int] = ()) -> Told | None:
        """Make one of ``changes.SHOWN`` now; None where there is nothing that it could be made to."""
        if self._changes is None:
            raise ValueError("an organisation that was given does not change")
        with self._lock:
            return self._changes.make(name, picks)

    def settle(self) -> None:
        """From now on nothing happens by itself."""
        with self._lock:
            self._life.settle()

    def before_request(self, number: int, action: Callable[[], object]) -> None:
        """Have something done just before the ``number``-th request from now on is answered, 0 being the next."""
        with self._lock:
            self._planned.append([number, action])

    def forget_plans(self) -> None:
        """Do nothing of what ``before_request`` planned any more."""
        with self._lock:
            self._planned.clear()

    # -- requests

    def _arrive(self) -> None:
        """A request is about to be answered."""
        due = [action for number, action in self._planned if number == 0]
        self._planned = [[number - 1, action] for number, action in self._planned if number > 0]
        for action in due:
            action()

    def _fault(self, haystack: str) -> Fault | None:
        """The first fault that this request meets. Those that only wait count it too."""
        with self._lock:
            fault = next((fault for fault in self.faults if fault.meets(haystack)), None)
            if fault is not None and fault.kind == "moved":
                self._touch(random.Random(f"{fault.seed}/{self._served}"))
            return fault

    def _touch(self, chance: random.Random) -> None:
        """Let a pull request, an issue and a Linear issue be changed now."""
        repository, workspace = chance.choice(self.organization.repositories), self.organization.workspace
        lists: tuple[list[Any], ...] = (repository.pull_requests, repository.issues, workspace.issues)
        for items in lists:
            if items:
                chance.choice(items).updated_at = self.now

    def _purse(self, kind: str, token: str, limit: int) -> _Purse:
        return self._purses.setdefault((kind, token), _Purse(limit))

    def _headers(self) -> dict[str, str]:
        self._served += 1
        request_id = hashlib.sha1(str(self._served).encode()).hexdigest().upper()
        return {
            "date": format_datetime(self.now, usegmt=True),
            "x-github-request-id": f"{request_id[:4]}:{request_id[4:10]}:{request_id[10:17]}:{request_id[17:24]}",
        }

    def _limit_headers(self, resource: str, purse: _Purse, reset: datetime) -> dict[str, str]:
        return {
            "x-ratelimit-limit": str(purse.limit),
            "x-ratelimit-remaining": str(purse.remaining),
            "x-ratelimit-used": str(purse.limit - purse.remaining),
            "x-ratelimit-reset": str(int(reset.timestamp())),
            "x-ratelimit-resource": resource,
        } | ({"x-oauth-scopes": self.token_scopes} if self.token_scopes else {})

    @staticmethod
    def _json(status: int, body: Any, headers: dict[str, str]) -> Response:
        return Response(orjson.dumps(body), status, {**headers, "content-type": "application/json; charset=utf-8"})

    def _note(self, api: str, request: Request, response: Response, points: int = 0, operation: str = "") -> Response:
        path = request.url.path.removeprefix("/github").removeprefix("/linear")
        if request.url.query:
            path += f"?{request.url.query}"
        self.log.append(LoggedRequest(api, request.method, path, response.status_code, points, operation))
        return response

    def _common_fault(self, fault: Fault | None, headers: dict[str, str], authorization: str) -> Response | None:
        """Faults that look the same everywhere."""
        if fault is None:
            return None
        if fault.kind in _GATEWAY:
            page = f"<html><body>{fault.kind} {_GATEWAY[fault.kind]}</body></html>"
            return Response(page, int(fault.kind), {**headers, "content-type": "text/html"})
        if fault.kind in ("drop", "timeout"):
            return _Broken()
        if fault.kind == "empty":
            return Response(b"", 200, {**headers, "content-type": "application/json; charset=utf-8"})
        if fault.kind == "not_modified":
            return Response(b"", 304, headers)
        if fault.kind == "echo":
            return self._json(403, {"message": _echo(authorization)}, headers)
        if fault.kind == "not_json":
            return Response("<html>Please sign in</html>", 200, {**headers, "content-type": "text/html"})
        return None

    def _limited(self, fault: Fault, headers: dict[str, str]) -> Response:
        """GitHub's answer to too much at once."""
        message = _ABUSE if fault.kind == "abuse" else _SECONDARY
        return self._json(403, ProblemError(403, message).body, headers | _retry_after(fault))

    @staticmethod
    def _token(request: Request) -> str:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        return token.strip() if kind.lower() in ("bearer", "token") else ""

    def _access(self, token: str) -> tuple[Organization, Mapping[str, str] | None, str] | None:
        """What a token reaches, an installation's permissions, and who has its budget; None: it is not accepted."""
        if token.startswith(_TOKEN_START):
            return self.organization, self.token_permissions, token
        installation = self.github_app.installation(token, self.now) if self.github_app else None
        if self.github_app is None or installation is None:
            return None
        seen = self.github_app.seen(self.organization, installation)
        return seen, installation.permissions, f"installation {installation.id}"

    # -- GitHub: REST

    async def _github_rest(self, request: Request) -> Response:
        fault = self._fault(f"{request.url.path}?{request.url.query}")
        if fault is not None and fault.kind in ("slow", "timeout"):
            await asyncio.sleep(fault.seconds)
        with self._lock:
            self._arrive()
            response = _with_other_headers(fault, self._rest_answer(request, fault), request)
            return self._note("rest", request, response)

    def _rest_answer(self, request: Request, fault: Fault | None) -> Response:
        headers = self._headers()
        token = self._token(request)
        broken = self._common_fault(fault, headers, request.headers.get("authorization", ""))
        if broken is not None:
            return broken
        kind = fault.kind if fault else ""
        path = request.path_params["path"]
        if kind != "unauthorized" and self.github_app is not None and (path == "/app" or path.startswith("/app/")):
            return self._app_answer(request, self.github_app, path, token, headers)
        access = self._access(token)
        if kind == "unauthorized" or access is None:
            message = "Bad credentials" if request.headers.get("authorization") else "Requires authentication"
            return self._json(401, ProblemError(401, message).body, headers)
        if request.method != "GET":
            return self._json(404, ProblemError(404, "Not Found").body, headers)
        seen, permissions, holder = access
        purse = self._purse("core", holder, GITHUB_LIMIT)
        reset = self.now + timedelta(hours=1)
        if fault is not None and kind in ("secondary_limit", "abuse"):
            return self._limited(fault, {**headers, **self._limit_headers("core", purse, reset)})
        is_free = path == "/rate_limit"
        if kind == "primary_limit" or (not is_free and not purse.take(1)):
            spent = _Purse(GITHUB_LIMIT, GITHUB_LIMIT)
            message = f"API rate limit exceeded for user ID {self.organization.viewer.database_id}."
            return self._json(
                403, ProblemError(403, message).body, {**headers, **self._limit_headers("core", spent, self.now)}
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
            return self._json(problem.status, problem.body, {**headers, **problem.headers})
        if kind == "duplicated":
            for value in answer.body.values() if isinstance(answer.body, dict) else ():
                if isinstance(value, list) and value:
                    value.insert(0, value[0])
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

    def _app_answer(
        self, request: Request, app: SimulatedApp, path: str, token: str, headers: dict[str, str]
    ) -> Response:
        """What an App asks with its signature."""
        repositories = self._rest(request, self.organization).repositories
        purse = self._purse("core", "app", GITHUB_LIMIT)
        purse.take(1)
        headers |= self._limit_headers("core", purse, self.now + timedelta(hours=1))
        try:
            if request.method == "POST":
                return self._json(201, app.create_token(path, token, repositories), headers)
            answer = app.get(path, request.query_params, token, repositories)
        except ProblemError as problem:
            return self._json(problem.status, problem.body, {**headers, **problem.headers})
        link = self._links(request, answer)
        return self._json(200, answer.body, {**headers, **({"link": link} if link else {})})

    def _rest(self, request: Request, seen: Organization) -> Rest:
        return Rest(seen, f"{request.url.scheme}://{request.url.netloc}/github")

    def _rate_limit(self, token: str, reset: datetime) -> Answer:
        def shown(kind: str) -> dict[str, int]:
            purse = self._purse(kind, token, GITHUB_LIMIT)
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

    # -- GraphQL

    async def _graphql(
        self, api: str, request: Request, answer: Callable[[dict[str, Any], str, Fault | None], tuple[Response, int]]
    ) -> Response:
        try:
            body = json.loads(await request.body())
            if not isinstance(body, dict) or not isinstance(body.get("query"), str):
                raise ValueError("no query")
        except ValueError:
            problem = {"message": "Problems parsing JSON", "documentation_url": "https://docs.github.com/graphql"}
            return self._note(api, request, self._json(400, problem, self._headers()))
        operation = body.get("operationName") or ""
        fault = self._fault(f"{request.url.path} {operation} {body['query']} {json.dumps(body.get('variables') or {})}")
        if fault is not None and fault.kind in ("slow", "timeout"):
            await asyncio.sleep(fault.seconds)
        with self._lock:
            self._arrive()
            page_limit.set(self.page_limit)
            response, points = answer(body, request.headers.get("authorization", ""), fault)
            response = _with_other_headers(fault, response, request)
            return self._note(api, request, response, points, operation or _operation(body["query"]))

    async def _github_graphql(self, request: Request) -> Response:
        return await self._graphql("graphql", request, self._github_answer)

    def _github_answer(self, body: dict[str, Any], authorization: str, fault: Fault | None) -> tuple[Response, int]:
        headers = self._headers()
        broken = self._common_fault(fault, headers, authorization)
        if broken is not None:
            return broken, 0
        kind = fault.kind if fault else ""
        token = authorization.partition(" ")[2].strip()
        access = self._access(token)
        if kind == "unauthorized" or access is None:
            message = "Bad credentials" if authorization else "This endpoint requires you to be authenticated."
            return self._json(401, ProblemError(401, message).body, headers), 0
        seen, permissions, holder = access
        purse = self._purse("graphql", holder, GITHUB_LIMIT)
        reset = self.now + timedelta(hours=1)
        if fault is not None and kind in ("secondary_limit", "abuse"):
            return self._limited(fault, {**headers, **self._limit_headers("graphql", purse, reset)}), 0
        document, problems = self._github.prepare(body["query"])
        if document is None or problems:
            errors = [_github_error(each) for each in problems]
            return self._json(200, {"errors": errors}, {**headers, **self._limit_headers("graphql", purse, reset)}), 0
        variables, operation = body.get("variables") or {}, body.get("operationName")
        cost = count(self._github.schema, document, variables, operation, must_page=True)
        refusals = [{"type": kind_, "message": message} for message, kind_ in cost.problems]
        if not refusals and cost.nodes > NODE_LIMIT:
            message = f"This query requests up to {cost.nodes:,} possible nodes which exceeds the maximum limit"
            message += f" of {NODE_LIMIT:,}."
            refusals = [{"type": "MAX_NODE_LIMIT_EXCEEDED", "message": message}]
        if refusals:
            return self._json(200, {"errors": refusals}, {**headers, **self._limit_headers("graphql", purse, reset)}), 0
        if kind == "primary_limit" or not purse.take(cost.points):
            spent = _Purse(GITHUB_LIMIT, GITHUB_LIMIT)
            user = self.organization.viewer.database_id
            errors = [{"type": "RATE_LIMITED", "message": f"API rate limit already exceeded for user ID {user}."}]
            limited = {**headers, **self._limit_headers("graphql", spent, self.now)}
            return self._json(200, {"errors": errors}, limited), 0
        headers |= self._limit_headers("graphql", purse, reset)
        if kind in ("forbidden", "not_found"):
            code, message = {
                "forbidden": ("FORBIDDEN", "Resource not accessible by personal access token"),
                "not_found": ("NOT_FOUND", "Could not resolve to a Repository."),
            }[kind]
            name = _first_field(body["query"])
            refusal = {"data": {name: None}, "errors": [{"type": code, "path": [name], "message": message}]}
            return self._json(200, refusal, headers), cost.points
        budget = Budget(purse.limit, purse.remaining, reset)
        context = objects.Context(seen, budget, cost.points, cost.nodes, permissions)
        result = self._github.run(document, None, context, variables, operation)
        answer: dict[str, Any] = {"data": result.data}
        if result.errors:
            answer["errors"] = [_github_error(each) for each in result.errors]
        if kind == "partial":
            _halve(result.data)
            message = "Resource limits for this query exceeded."
            answer["errors"] = [{"type": "RESOURCE_LIMITS_EXCEEDED", "message": message}]
        if kind == "gave_up":
            answer = {"data": None, "errors": [{"message": _GAVE_UP}]}
        if kind == "duplicated":
            _repeat(answer["data"])
        return self._json(200, answer, headers), cost.points

    # -- Linear

    async def _linear_graphql(self, request: Request) -> Response:
        return await self._graphql("linear", request, self._linear_answer)

    def _linear_answer(self, body: dict[str, Any], authorization: str, fault: Fault | None) -> tuple[Response, int]:
        headers = {"date": format_datetime(self.now, usegmt=True)}
        broken = self._common_fault(fault, headers, authorization)
        if broken is not None:
            return broken, 0
        kind = fault.kind if fault else ""
        key = authorization.removeprefix("Bearer ").strip()
        if kind == "unauthorized" or not key.startswith(_KEY_START):
            return self._linear_error(
                401, "Authentication required, not authenticated", "AUTHENTICATION_ERROR", headers
            ), 0
        requests = self._purse("requests", key, LINEAR_REQUESTS)
        complexity = self._purse("complexity", key, LINEAR_COMPLEXITY)
        reset = self.now + timedelta(hours=1)
        document, problems = self._linear.prepare(body["query"])
        if document is None or problems:
            errors = [_linear_error_body(each.message, "GRAPHQL_VALIDATION_FAILED") for each in problems]
            return self._json(400, {"errors": errors}, headers), 0
        variables, operation = body.get("variables") or {}, body.get("operationName")
        cost: Cost = count(self._linear.schema, document, variables, operation, must_page=False)
        points = int(cost.complexity)
        if points > LINEAR_QUERY:
            message = f"Query too complex: {points} is more than {LINEAR_QUERY}"
            return self._linear_error(400, message, "INPUT_ERROR", headers), points
        if fault is not None and kind in ("secondary_limit", "abuse"):
            return self._linear_error(429, "Rate limit exceeded", "RATELIMITED", headers | _retry_after(fault)), 0
        fits = requests.take(1) and complexity.take(points)
        if kind == "primary_limit" or not fits:
            spent = _Purse(LINEAR_REQUESTS, LINEAR_REQUESTS)
            limited = {**headers, **self._allowance_headers(spent, complexity, points, self.now)}
            message = "Rate limit exceeded. Only 5000 requests are allowed per 1 hour."
            return self._linear_error(400, message, "RATELIMITED", limited), 0
        headers |= self._allowance_headers(requests, complexity, points, reset)
        if kind in ("forbidden", "not_found"):
            code = "FORBIDDEN" if kind == "forbidden" else "INPUT_ERROR"
            message = "You don't have permission to do this" if kind == "forbidden" else "Entity not found"
            return self._linear_error(200, message, code, headers, {"data": None}), points
        allowances = (
            Allowance("requests", requests.limit, requests.remaining, reset),
            Allowance("complexity", complexity.limit, complexity.remaining, reset),
        )
        context = linear_graphql_graphql.Context(self.organization, allowances)
        result = self._linear.run(document, None, context, variables, operation)
        answer: dict[str, Any] = {"data": result.data}
        if result.errors:
            answer["errors"] = [each.formatted for each in result.errors]
        if kind == "partial":
            _halve(result.data)
            answer["errors"] = [_linear_error_body("Internal server error", "INTERNAL_SERVER_ERROR")]
        if kind == "gave_up":
            answer = {"data": None, "errors": [_linear_error_body("Internal server error", "INTERNAL_SERVER_ERROR")]}
        if kind == "duplicated":
            _repeat(answer["data"])
        return self._json(200, answer, headers), points

    @staticmethod
    def _allowance_headers(requests: _Purse, complexity: _Purse, points: int, reset: datetime) -> dict[str, str]:
        at = str(int(reset.timestamp() * 1000))
        return {
            "x-ratelimit-requests-limit": str(requests.limit),
            "x-ratelimit-requests-remaining": str(requests.remaining),
            "x-ratelimit-requests-reset": at,
            "x-complexity": str(points),
            "x-ratelimit-complexity-limit": str(complexity.limit),
            "x-ratelimit-complexity-remaining": str(complexity.remaining),
            "x-ratelimit-complexity-reset": at,
        }

    def _linear_error(
        self, status: int, message: str, code: str, headers: dict[str, str], more: dict[str, Any] | None = None
    ) -> Response:
        return self._json(status, {**(more or {}), "errors": [_linear_error_body(message, code)]}, headers)


def _retry_after(fault: Fault) -> dict[str, str]:
    if fault.kind == "abuse" or fault.retry_after is None:
        return {}
    return {"retry-after": str(fault.retry_after)}


def _echo(authorization: str) -> str:
    """What an Authorization header looks like where someone repeats it: as it is, in URLs, in JSON, in Basic."""
    kind, _, token = authorization.rpartition(" ")
    basic = (base64.b64encode(f"{user}{token}".encode()).decode() for user in ("", "x:", "me:"))
    ways = [
        f"{kind} {token}",
        "".join(f"%{byte:02X}" for byte in token.encode()),
        json.dumps({"authorization": token}),
        "".join(f"\\u{ord(each):04x}" for each in token),
        *basic,
    ]
    return "not allowed:\n" + " ".join(ways)


def _with_other_headers(fault: Fault | None, response: Response, request: Request) -> Response:
    """The answer with the headers that the fault leaves of it, or adds."""
    if fault is not None and fault.kind == "parrot":
        said = request.headers.get("authorization", "")
        response.headers["x-parrot"] = said
        response.headers["etag"] = f'W/"{said}"'
    if fault is not None and fault.kind in ("bare", "garbled"):
        for name in [each for each in response.headers if each.startswith(_TELLING)]:
            if fault.kind == "bare":
                del response.headers[name]
            else:
                response.headers[name] = "soon"
    return response


def _repeat(data: Any) -> None:
    """Give the first item of every page of nodes twice."""
    if isinstance(data, dict):
        if "pageInfo" in data and data.get("nodes"):
            data["nodes"].insert(0, data["nodes"][0])
        for value in data.values():
            _repeat(value)
    elif isinstance(data, list):
        for value in data:
            _repeat(value)


def _linear_error_body(message: str, code: str) -> dict[str, Any]:
    kinds = {
        "RATELIMITED": "ratelimited",
        "AUTHENTICATION_ERROR": "authentication error",
        "FORBIDDEN": "forbidden",
        "INTERNAL_SERVER_ERROR": "internal error",
    }
    extensions = {
        "type": kinds.get(code, "invalid input"),
        "code": code,
        "userError": code != "INTERNAL_SERVER_ERROR",
        "userPresentableMessage": message,
    }
    return {"message": message, "extensions": extensions}


def _github_error(error: GraphQLError) -> dict[str, Any]:
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


def _operation(query: str) -> str:
    """Name of the document's first operation, for the log; of its first field where it has none."""
    named = re.match(r"\s*query\s+(\w+)", query)
    return named[1] if named else _first_field(query)


def _first_field(query: str) -> str:
    """Name of the first field."""
    inside = query.partition("{")[2].strip()
    word = "".join(each if each.isalnum() or each in "_:" else " " for each in inside).split()
    return word[0].rstrip(":") if word else ""


def _halve(data: Any) -> bool:
    """Lose the second half of the first list of nodes; whether one was found."""
    if not isinstance(data, dict):
        return False
    for name, value in data.items():
        if name in ("nodes", "edges") and isinstance(value, list) and value:
            for place in range(len(value) // 2, len(value)):
                value[place] = None
            return True
        if _halve(value):
            return True
    return False
