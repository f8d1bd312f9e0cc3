"""Connectors against everything that the official schemas allow: nothing fails, and what is null stays null."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from graphql import GraphQLSchema
from pydantic import SecretStr

from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.sources import github, github_actions, linear
from veelocity_pipeline.sources.github.provider import GITHUB
from veelocity_pipeline.sources.kit.connector import Outcome, SourceEntry
from veelocity_pipeline.sources.kit.http.client import Client
from veelocity_pipeline.sources.kit.times import time
from veelocity_pipeline.sources.linear.connector import LinearConnector
from veelocity_pipeline.sources.linear.provider import LINEAR

from .conftest import RawWarehouse
from .official import NOW, GitHubServer, LinearServer, Listed, OpenAPI, Thing, openapi

SEEDS = range(int(os.environ.get("VEELOCITY_TEST_SEEDS", "3")))
"""How many servers of each kind; more of them find more."""

NULLS = (0.2, 0.5, 0.95, 0.0)
NAMES = ("acme/web", "acme/api", "acme/quiet")
ROOT = "https://github.test"

SAID_AS_IT_IS = {
    "pull_requests": {
        "database_id": "fullDatabaseId",
        "title": "title",
        "body": "body",
        "additions": "additions",
        "updated_at": "updatedAt",
        "merged_at": "mergedAt",
    },
    "issues": {"database_id": "fullDatabaseId", "body": "body", "closed_at": "closedAt", "state_reason": "stateReason"},
    "releases": {"name": "name", "published_at": "publishedAt", "is_draft": "isDraft"},
    "deployments": {"environment": "environment", "state": "state", "task": "task", "created_at": "createdAt"},
}
"""Columns that hold what the server said, null where it said null."""

Handler = Callable[[httpx.Request], httpx.Response]
NewWarehouse = Callable[[str], RawWarehouse]


@pytest.fixture
def github_openapi() -> OpenAPI:
    folder = os.environ.get("VEELOCITY_CONTRACTS")
    if not folder:
        pytest.skip("VEELOCITY_CONTRACTS is not set: the official schemas are not here")
    return openapi(folder)


def github_at(entry: SourceEntry, handler: Handler, root: str = ROOT) -> SourceEntry:
    """The source, with a server in place of the network."""

    def make(settings: Settings) -> Any:
        graphql = root.removesuffix("/api/v3") + "/api/graphql" if root.endswith("/api/v3") else f"{root}/graphql"
        client = Client(
            root,
            graphql,
            [SecretStr("t0ken")],
            provider=GITHUB,
            sleep=lambda seconds: pytest.fail(f"waited {seconds} s"),
            transport=httpx.MockTransport(handler),
        )
        return entry.connector(settings, client)

    return replace(entry, connector=make)  # type: ignore[arg-type]


def linear_at(handler: Handler) -> SourceEntry:
    """Linear, with a server in place of the network."""

    def make(settings: Settings) -> Any:
        client = Client(
            "",
            "https://linear.test/graphql",
            [SecretStr("lin_api_x")],
            provider=LINEAR,
            sleep=lambda seconds: pytest.fail(f"waited {seconds} s"),
            transport=httpx.MockTransport(handler),
        )
        return LinearConnector(settings, client)

    return replace(linear.ENTRY, connector=make)  # type: ignore[arg-type]


def errors(outcomes: list[Outcome]) -> set[tuple[str, str | None]]:
    assert outcomes
    return {(outcome.scope_name, outcome.error) for outcome in outcomes if outcome.error}


@pytest.mark.parametrize("seed", SEEDS)
def test_github(
    seed: int, github_contract: GraphQLSchema, github_openapi: OpenAPI, settings: Any, new_warehouse: NewWarehouse
) -> None:
    server = GitHubServer(github_contract, github_openapi, seed, nulls=NULLS[seed % 4])
    entry = github_at(github.ENTRY, server.handle)
    chosen = settings(
        github_repositories=NAMES,
        services=[{"name": "web", "repository": "acme/web", "paths": ["x/**"]}],
    )
    warehouse = new_warehouse("home")
    assert errors(warehouse.refresh(entry, chosen)) == set()
    first = warehouse.everything(entry)
    assert len(first["repositories"]) == 3
    for table, fields in SAID_AS_IT_IS.items():
        columns = list(entry.tables[table].columns)
        for row in first[table]:
            values = dict(zip(columns, row, strict=True))
            thing = server.known[values["id"]]
            for column, field in fields.items():
                said = server.value(thing, field, {})
                if column.endswith("_at"):
                    said = said and datetime.fromisoformat(said)
                elif column == "database_id":
                    said = said and int(said)
                assert values[column] == said, (table, column)
    assert errors(warehouse.refresh(entry, chosen)) == set()
    assert warehouse.everything(entry) == first
    assert errors(warehouse.refresh(entry, chosen, full=True)) == set()
    assert warehouse.everything(entry) == first


@pytest.mark.parametrize("seed", SEEDS)
def test_github_actions(
    seed: int, github_contract: GraphQLSchema, github_openapi: OpenAPI, settings: Any, new_warehouse: NewWarehouse
) -> None:
    server = GitHubServer(github_contract, github_openapi, seed)
    entry = github_at(github_actions.ENTRY, server.handle)
    chosen = settings(
        github_repositories=NAMES,
        deployments={"workflow_patterns": ["e"], "exclude_patterns": [], "job_patterns": ["e"]},
    )
    warehouse = new_warehouse("home")
    assert errors(warehouse.refresh(entry, chosen)) == set()
    first = warehouse.everything(entry)
    assert len(first["runs"]) == sum(len(server._runs(name)) for name in NAMES)
    assert errors(warehouse.refresh(entry, chosen)) == set()
    assert warehouse.everything(entry) == first


@pytest.mark.parametrize("seed", SEEDS)
def test_linear(seed: int, linear_contract: GraphQLSchema, settings: Any, new_warehouse: NewWarehouse) -> None:
    server = LinearServer(linear_contract, seed, nulls=NULLS[seed % 4])
    entry = linear_at(server.handle)
    chosen = settings(linear_api_key="lin_api_x")
    warehouse = new_warehouse("home")
    assert errors(warehouse.refresh(entry, chosen)) == set()
    first = warehouse.everything(entry)
    assert len(first["issues"]) == len(server.all("issues"))
    assert errors(warehouse.refresh(entry, chosen)) == set()
    assert warehouse.everything(entry) == first
    assert errors(warehouse.refresh(entry, chosen, full=True)) == set()
    assert warehouse.everything(entry) == first


# ------------------------------------------------------------------------------------------- odd servers


class Socket:
    """A server on loopback that speaks HTTP/1.0: each connection is closed after its answer."""

    def __init__(self, handler: Handler) -> None:
        class OneAnswer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.do_POST()

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                url = f"http://{self.headers['Host']}{self.path}"
                answer = handler(httpx.Request(self.command, url, content=self.rfile.read(length)))
                self.send_response_only(answer.status_code)
                for name, value in answer.headers.items():
                    self.send_header(name.upper(), value)
                self.end_headers()
                self.wfile.write(answer.content)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), OneAnswer)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self) -> Socket:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def server(github_contract: GraphQLSchema, github_openapi: OpenAPI) -> GitHubServer:
    """One whose repositories have commits, runs and workflows, and of each kind of thing something."""
    return GitHubServer(github_contract, github_openapi, FULL, nulls=0.1)


FULL = 877
"""A seed of whose repositories ``acme/web`` has everything."""


@pytest.mark.parametrize("root", ["", "/mounted/here", "/ghes/api/v3"])
def test_a_plain_server_at_any_path(
    root: str, server: GitHubServer, settings: Any, new_warehouse: NewWarehouse
) -> None:
    """HTTP/1.0, no Date, no limits, no ETag; the root of the API anywhere, GraphQL where it then belongs."""
    server.root = root
    with Socket(server.handle) as socket:
        chosen = settings(github_api_url=socket.url + root)
        warehouse = new_warehouse("home")
        assert errors(warehouse.refresh(github.ENTRY, chosen)) == set()
        assert errors(warehouse.refresh(github_actions.ENTRY, chosen)) == set()
    assert warehouse.rows("select count(*) from raw_github.commits") != [(0,)]
    assert warehouse.rows("select count(*) from raw_github_actions.runs") != [(0,)]
    posted = {request for request in server.requests if request.startswith("POST")}
    assert posted == {f"POST {'/ghes/api/graphql' if root.endswith('/api/v3') else '/graphql'}"}


def dressed(handler: Handler) -> Handler:
    """Headers as servers spell them, and 304 to whoever has the page already."""

    def answer(request: httpx.Request) -> httpx.Response:
        response = handler(request)
        etag = f'W/"{hashlib.sha256(response.content).hexdigest()[:12]}"'
        if request.headers.get("if-none-match") == etag:
            response = httpx.Response(304)
        response.headers["etag"] = etag
        response.headers["DATE"] = "Tue, 01 Sep 2026 12:00:00 GMT"
        response.headers["x-ratelimit-REMAINING"] = "4999"
        response.headers["X-RateLimit-Reset"] = "1788264000"
        response.headers["X-RateLimit-Used"] = "soon"
        return response

    return answer


def test_headers_of_any_spelling(server: GitHubServer, settings: Any, new_warehouse: NewWarehouse) -> None:
    entry = github_at(github_actions.ENTRY, dressed(server.handle))
    warehouse = new_warehouse("home")
    outcomes = warehouse.refresh(entry, settings())
    assert errors(outcomes) == set()
    assert outcomes[0].read_at == NOW
    first = warehouse.everything(entry)
    assert errors(warehouse.refresh(entry, settings())) == set()
    assert warehouse.everything(entry) == first


@pytest.mark.parametrize(
    "link",
    [
        '<{url}>; rel="next"',
        "<{url}>; rel=next",
        '<{url}>; title="more"; rel="next", <{root}/last>; rel="last"',
        '<{root}/first>; rel="first", <{url}>;rel="next"',
        '<{path}?{query}>; rel="next"',
        '<?{query}>; rel="next"',
        '<https://api.github.com/repositories/1300192/actions/runs/1/jobs?{query}>; rel="next"',
        "",
    ],
)
@pytest.mark.parametrize("root", [ROOT, f"{ROOT}/mounted"])
def test_every_page_is_found(link: str, root: str) -> None:
    """Links of any form, of another host, or none where the total says that there is more."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert f"https://{request.url.host}{request.url.path}" == f"{root}/repos/acme/web/actions/runs/1/jobs"
        page = int(request.url.params.get("page", 1))
        url = request.url.copy_set_param("page", page + 1)
        header = link.format(url=url, root=root, path=url.path, query=url.query.decode())
        jobs = [{"id": number} for number in range(page * 10, page * 10 + (10 if page < 3 else 5))]
        return httpx.Response(
            200, json={"total_count": 25, "jobs": jobs}, headers={"link": header} if header and page < 3 else {}
        )

    client = Client(
        root, f"{root}/graphql", [SecretStr("t0ken")], provider=GITHUB, transport=httpx.MockTransport(answer)
    )
    pages = list(client.pages("/repos/acme/web/actions/runs/1/jobs", {"per_page": 10}, "jobs"))
    assert [job["id"] for page in pages for job in page] == list(range(10, 35))


def test_runs_are_read_whole_without_a_link(server: GitHubServer, settings: Any, new_warehouse: NewWarehouse) -> None:
    server.has_links = False
    entry = github_at(github_actions.ENTRY, server.handle)
    warehouse = new_warehouse("home")
    assert errors(warehouse.refresh(entry, settings())) == set()
    runs = warehouse.rows("select count(*) from raw_github_actions.runs")
    assert runs == [(len(server._runs("acme/web")),)]
    assert runs > [(100,)]


def test_runs_that_are_not_filtered_are_no_runs(
    server: GitHubServer, settings: Any, new_warehouse: NewWarehouse
) -> None:
    """More than one search lists, from a server that does not look at ``created``: said so, and not asked for ever."""

    def answer(request: httpx.Request) -> httpx.Response:
        response = server.handle(request)
        if request.url.path.endswith("/actions/runs"):
            runs = server._runs("acme/web")[:100]
            return httpx.Response(200, json={"total_count": 5_000, "workflow_runs": runs})
        return response

    (failure,) = errors(new_warehouse("home").refresh(github_at(github_actions.ENTRY, answer), settings()))
    assert "does not list the workflow runs of acme/web by when they were created" in str(failure[1])


def test_a_server_that_looks_up_no_objects(server: GitHubServer, settings: Any, new_warehouse: NewWarehouse) -> None:
    server.finds_objects = False
    entry = github_at(github.ENTRY, server.handle)
    warehouse = new_warehouse("home")
    assert errors(warehouse.refresh(entry, settings())) == set()
    commits = server._commits(server._repository("acme/web"))
    assert warehouse.rows("select count(*) from raw_github.commits") == [(len(commits),)]
    assert commits


def test_a_list_that_is_cut_and_not_continued_is_no_list(
    server: GitHubServer, settings: Any, new_warehouse: NewWarehouse
) -> None:
    server.page = 2

    def answer(request: httpx.Request) -> httpx.Response:
        if b"query overflow" in request.content:
            return httpx.Response(200, json={"data": {}})
        return server.handle(request)

    outcomes = new_warehouse("home").refresh(github_at(github.ENTRY, answer), settings())
    assert errors(outcomes) == set()
    # each pull request with such a list is skipped, and the first is the example
    [pull_requests] = [outcome for outcome in outcomes if outcome.table == "pull_requests"]
    assert pull_requests.skipped
    assert "the rest of the list did not come" in str(pull_requests.skipped_example)


def test_a_repository_with_nothing_in_it(
    github_contract: GraphQLSchema, settings: Any, new_warehouse: NewWarehouse
) -> None:
    """No commit, no branch; issues and Actions switched off."""
    empty = Thing(
        "Repository",
        "acme/empty",
        nameWithOwner="acme/empty",
        defaultBranchRef=None,
        refs=None,
        **dict.fromkeys(("pullRequests", "issues", "releases", "deployments"), Listed([], 0, 0, False)),
    )

    class Empty(GitHubServer):
        def _repository(self, name: str) -> Thing:
            return self.known.setdefault(empty.id, empty)

        def rest(self, path: str, query: Any) -> Any:
            return {"id": 1} if path == "/repos/acme/empty" else None

    server = Empty(github_contract, OpenAPI({"components": {"schemas": {}}}), 1)
    chosen = settings(github_repositories=("acme/empty",))
    warehouse = new_warehouse("home")
    for entry in (github_at(github.ENTRY, server.handle), github_at(github_actions.ENTRY, server.handle)):
        for full in (False, False, True):
            assert errors(warehouse.refresh(entry, chosen, full=full)) == set()
        counts = {table: len(rows) for table, rows in warehouse.everything(entry).items()}
        assert {table for table, count in counts.items() if count} <= {"repositories"}


def test_a_workspace_without_teams(linear_contract: GraphQLSchema, settings: Any, new_warehouse: NewWarehouse) -> None:
    entry = linear_at(LinearServer(linear_contract, 1, teams=0).handle)
    warehouse = new_warehouse("home")
    for full in (False, False, True):
        assert errors(warehouse.refresh(entry, settings(linear_api_key="lin_api_x"), full=full)) == set()
    assert warehouse.rows("select count(*) from raw_linear.organization") == [(1,)]
    assert warehouse.rows("select count(*) from raw_linear.issues") == [(0,)]


@pytest.mark.parametrize("year", ["0000-12-31T23:59:59Z", "12026-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_a_time_that_no_calendar_has_is_null(year: str) -> None:
    assert time(year) is None
