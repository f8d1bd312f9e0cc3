"""The client against a server that limits, stumbles, lies and vanishes."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from veelocity_pipeline.sources.github.provider import GITHUB
from veelocity_pipeline.sources.kit.http.client import Client, fixed_accounts
from veelocity_pipeline.sources.kit.http.errors import (
    AuthenticationError,
    BadAnswerError,
    CancelledError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitedError,
    SourceError,
    UnreachableError,
)
from veelocity_pipeline.sources.kit.http.paging import PageSize
from veelocity_pipeline.sources.kit.http.provider import Provider
from veelocity_pipeline.sources.linear.provider import LINEAR

DATE = "Sat, 01 Aug 2026 12:00:00 GMT"
NOW = 1_785_585_600  # the same in seconds
TOKEN = "ghp_s3cretS3cret"

Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def ok(body: Any = None, status: int = 200, **headers: str) -> httpx.Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={"data": {}} if body is None else body, headers={"date": DATE, **names})


class Server:
    """Answers from a list, in order, and keeps what was asked."""

    def __init__(
        self,
        *answers: Answer,
        tokens: tuple[str, ...] = (TOKEN,),
        provider: Provider = GITHUB,
        pace: dict[str, int] | None = None,
    ) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.slept: list[float] = []
        self.waits: list[str] = []
        self.now = 0.0
        self.client = Client(
            "https://api.test/v1",
            "https://api.test/v1/graphql",
            fixed_accounts([SecretStr(token) for token in tokens], pace, lambda: self.now),
            provider=provider,
            sleep=self._sleep,
            on_wait=lambda wait: self.waits.append(wait.reason),
            transport=httpx.MockTransport(self._answer),
        )

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else answer(request)


def test_an_answer_has_its_body_date_and_cost() -> None:
    server = Server(ok({"data": {"rateLimit": {"cost": 29}, "x": 1}}))
    assert server.client.graphql("{ x }")["x"] == 1
    assert (server.client.requests, server.client.points) == (1, 29)
    assert server.client.server_date is not None
    assert server.client.server_date.timestamp() == NOW
    assert server.asked[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert json.loads(server.asked[0].content) == {"query": "{ x }", "variables": {}}


@pytest.mark.parametrize(
    "stumble",
    [
        httpx.Response(502, html="<h1>Bad gateway</h1>"),
        httpx.Response(503, json={"message": "busy"}),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
        httpx.ConnectError("connection refused"),
        httpx.Response(200, content=b'{"data": {"x'),
        ok({"errors": [{"message": "Something went wrong while executing your query."}]}),
        ok({"errors": [{"type": "RESOURCE_LIMITS_EXCEEDED", "message": "too much"}], "data": {"x": None}}),
    ],
)
def test_a_stumble_is_tried_again_after_a_short_wait(stumble: Answer) -> None:
    server = Server(stumble, ok({"data": {"x": 1}}))
    assert server.client.graphql("{ x }") == {"x": 1}
    assert len(server.slept) == 1
    assert 0 < server.slept[0] <= 2
    assert server.client.requests == 2


def test_partial_data_is_never_an_answer() -> None:
    partial = {"data": {"x": [1, None]}, "errors": [{"message": "timed out", "path": ["x", 1]}]}
    server = Server(*[ok(partial)] * 6)
    with pytest.raises(OverloadedError, match="timed out"):
        server.client.graphql("{ x }")


@pytest.mark.parametrize(
    ("limit", "seconds"),
    [
        (ok({"message": "secondary rate limit"}, 403, retry_after="30"), 30),
        (ok({"message": "slow down"}, 429, retry_after="7"), 7),
        (ok({"message": "x"}, 403, x_ratelimit_remaining="0", x_ratelimit_reset=str(NOW + 600)), 601),
        (ok({"message": "You have exceeded a secondary rate limit."}, 403), 60),
        (
            ok(
                {"errors": [{"type": "RATE_LIMITED", "message": "limit"}]},
                x_ratelimit_remaining="0",
                x_ratelimit_reset=str(NOW + 90),
            ),
            91,
        ),
    ],
)
def test_a_limit_is_waited_for_as_long_as_it_says(limit: httpx.Response, seconds: float) -> None:
    server = Server(limit, ok({"data": {"x": 1}}))
    assert server.client.graphql("{ x }") == {"x": 1}
    assert sum(server.slept) == pytest.approx(seconds)
    assert server.client.waited == pytest.approx(seconds)
    assert 1 <= len(server.waits) <= 10
    assert "limit" in server.waits[0]


def test_a_wait_is_counted_down() -> None:
    server = Server(ok({}, 429, retry_after="1200"), ok({}))
    server.client.get("/x")
    assert [said.rpartition("going on in ")[2] for said in server.waits] == [
        *(f"{minutes} min" for minutes in (20, 18, 16, 14, 12, 10, 8, 6, 4, 2)),
    ]
    assert server.slept == [120.0] * 10


def test_a_limit_that_says_nothing_is_waited_for_twice_as_long_each_time() -> None:
    limit = ok({"message": "secondary rate limit"}, 403)
    server = Server(limit, limit, limit, ok({"data": {}}))
    server.client.graphql("{ x }")
    assert sum(server.slept) == 60 + 120 + 240
    assert {said.partition(":")[0] for said in server.waits} == {"GitHub's secondary limit is reached"}


def test_a_limit_without_end_is_an_error() -> None:
    server = Server(*[ok({"message": "secondary rate limit"}, 403, retry_after="1")] * 20)
    with pytest.raises(RateLimitedError):
        server.client.graphql("{ x }")


def test_a_limit_longer_than_an_hour_is_not_waited_for() -> None:
    server = Server(ok({"message": "rate limit"}, 403, retry_after="86400"))
    with pytest.raises(RateLimitedError, match="1440 minutes"):
        server.client.get("/x")
    assert server.slept == []


def test_a_spent_budget_is_waited_for_before_the_next_request() -> None:
    spent: dict[str, Any] = {"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(NOW + 100)}
    server = Server(ok({}, **spent), ok({}))
    server.client.get("/a")
    server.client.get("/b")
    assert sum(server.slept) == pytest.approx(101)
    assert len(server.asked) == 2


def test_another_token_is_taken_when_one_is_spent() -> None:
    spent: dict[str, Any] = {"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(NOW + 100)}
    server = Server(ok({}, **spent), ok({}), tokens=("one", "two"))
    server.client.get("/a")
    server.client.get("/b")
    assert [request.headers["authorization"] for request in server.asked] == ["Bearer one", "Bearer two"]
    assert server.slept == []


def test_a_server_without_limits_is_not_waited_for() -> None:
    server = Server(*[httpx.Response(200, json={})] * 3)
    for _ in range(3):
        server.client.get("/x")
    assert server.slept == []


def test_linear_tells_its_limit_with_status_400() -> None:
    limited = ok(
        {"errors": [{"message": "Rate limit exceeded", "extensions": {"code": "RATELIMITED"}}]},
        400,
        x_ratelimit_requests_remaining="0",
        x_ratelimit_requests_reset=str((NOW + 40) * 1000),
    )
    server = Server(limited, ok({"data": {"x": 1}}, x_complexity="12.4"), provider=LINEAR, tokens=("lin_api_abc",))
    assert server.client.graphql("{ x }") == {"x": 1}
    assert sum(server.slept) == pytest.approx(41)
    assert server.client.points == 13
    assert server.asked[0].headers["authorization"] == "lin_api_abc"


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (ok({"message": "Resource not accessible by token"}, 403), PermissionDeniedError, "acme/web"),
        (ok({"message": "Not Found"}, 404), NotFoundError, "acme/web"),
        (ok({"message": "Validation failed"}, 422), BadAnswerError, "Validation failed"),
    ],
)
def test_a_refusal_fails_at_once(answer: httpx.Response, kind: type[SourceError], words: str) -> None:
    server = Server(answer)
    with pytest.raises(kind, match=words):
        server.client.get("/repos/acme/web", about="acme/web")
    assert server.slept == []


def test_a_permission_error_names_the_scope() -> None:
    server = Server(ok({"message": "no"}, 403))
    with pytest.raises(PermissionDeniedError, match="scope 'repo'"):
        server.client.get("/x", about="acme/web")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"type": "NOT_FOUND", "message": "Could not resolve"}, NotFoundError),
        ({"type": "FORBIDDEN", "message": "SAML"}, PermissionDeniedError),
        ({"message": "Field 'x'", "extensions": {"code": "undefinedField"}}, BadAnswerError),
    ],
)
def test_graphql_errors_are_told_apart(error: dict[str, Any], kind: type[SourceError]) -> None:
    server = Server(ok({"data": None, "errors": [error]}))
    with pytest.raises(kind):
        server.client.graphql("{ x }", about="acme/web")


def test_tolerated_errors_come_beside_the_data() -> None:
    server = Server(ok({"data": {"a": 1, "b": None}, "errors": [{"type": "NOT_FOUND", "path": ["b"]}]}))
    data, errors = server.client.graphql_tolerant("{ a b }")
    assert data == {"a": 1, "b": None}
    assert [error["path"] for error in errors] == [["b"]]


def test_what_is_not_json_is_told_by_its_host() -> None:
    server = Server(*[httpx.Response(200, html="<title>Sign in</title>")] * 3)
    with pytest.raises(BadAnswerError, match=r"api\.test.*not JSON"):
        server.client.get("/x")


def test_an_unreachable_host_is_named() -> None:
    server = Server(*[httpx.ConnectError("Name or service not known")] * 3)
    with pytest.raises(UnreachableError, match=r"api\.test.*GITHUB_API_URL"):
        server.client.get("/x")


def test_pages_follow_next_to_our_own_host_only() -> None:
    elsewhere = '<https://other.test/api/v3/items?page=2>; rel="next"'
    server = Server(ok({"items": [1, 2]}, link=elsewhere), ok({"items": [3]}))
    assert list(server.client.pages("/items", {"per_page": 2}, "items")) == [[1, 2], [3]]
    assert [str(request.url) for request in server.asked] == [
        "https://api.test/v1/items?per_page=2",
        "https://api.test/v1/items?page=2",
    ]


def test_a_page_without_its_list_is_a_bad_answer() -> None:
    server = Server(ok({"total": 0}))
    with pytest.raises(BadAnswerError):
        list(server.client.pages("/items", items_key="items"))


def test_an_unchanged_page_is_asked_with_its_tag_and_the_same_token() -> None:
    server = Server(ok([1], etag='W/"abc"'), ok([]), httpx.Response(304), tokens=("one", "two"))
    etags: dict[str, str] = {}
    assert list(server.client.pages("/x", etags=etags)) == [[1]]
    server.client.get("/y")
    assert list(server.client.pages("/x", etags=etags)) == []
    assert server.asked[2].headers["if-none-match"] == 'W/"abc"'
    assert server.asked[2].headers["authorization"] == server.asked[0].headers["authorization"]


def test_a_redirect_within_the_host_keeps_the_token_and_one_elsewhere_drops_it() -> None:
    def moved(to: str) -> httpx.Response:
        return httpx.Response(301, headers={"location": to})

    server = Server(moved("https://api.test/v1/repositories/7"), ok({}), moved("https://evil.test/x"), ok({}))
    server.client.get("/repos/acme/old")
    server.client.get("/repos/acme/worse")
    assert "authorization" in server.asked[1].headers
    assert server.asked[3].url.host == "evil.test"
    assert "authorization" not in server.asked[3].headers


def test_no_token_is_an_error_that_names_the_variable() -> None:
    with pytest.raises(AuthenticationError, match="LINEAR_API_KEY"):
        Client("", "https://api.test", (), provider=LINEAR)


@pytest.mark.parametrize(
    "answers",
    [
        [ok({"message": "Bad credentials"}, 401)] * 3,
        [httpx.ConnectError("refused")] * 3,
        [httpx.ReadTimeout("slow")] * 6,
        [httpx.Response(200, html="?")] * 3,
    ],
)
def test_no_error_holds_the_token(answers: list[Answer]) -> None:
    server = Server(*answers)
    with pytest.raises(SourceError) as caught:
        server.client.get("/x")
    error: BaseException | None = caught.value
    assert error is not None
    assert error.__suppress_context__ or error.__context__ is None
    assert TOKEN not in f"{error!r} {error} {server.client!r} {vars(server.client)!r}"


def test_a_cancelled_client_sends_nothing_more() -> None:
    server = Server(ok({}))
    server.client.cancel()
    with pytest.raises(CancelledError):
        server.client.get("/x")
    assert server.asked == []


def test_a_meter_counts_what_its_block_spends() -> None:
    server = Server(*[ok({"data": {"rateLimit": {"cost": 2}}})] * 3)
    server.client.graphql("{ x }")
    with server.client.metered() as usage:
        server.client.graphql("{ x }")
        server.client.graphql("{ x }")
    assert (usage.requests, usage.points) == (2, 4)
    assert server.client.requests == 3


def test_a_page_that_is_too_much_is_asked_for_by_halves_and_grows_again() -> None:
    asked: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        first = json.loads(request.content)["variables"]["first"]
        asked.append(first)
        return ok({"data": {}}) if first <= 13 else httpx.Response(502)

    server = Server(*[answer] * 12)
    size = PageSize(50)
    for _ in range(5):
        server.client.graphql_page("query", {}, size)
    assert asked[:3] == [50, 25, 12]
    assert size.current <= 18
    assert max(asked[3:]) == 18  # tried a little more after three good ones, and went back


def test_points_are_not_spent_on_more_than_is_wanted() -> None:
    server = Server(ok({"data": {}}))
    server.client.graphql_page("query", {}, PageSize(50), most=7)
    assert json.loads(server.asked[0].content)["variables"]["first"] == 7


def test_a_304_that_nobody_asked_for_is_no_answer() -> None:
    server = Server(httpx.Response(304), ok([1]))
    assert server.client.get("/things").json == [1]
    server = Server(httpx.Response(304), ok({"data": {"x": 1}}))
    assert server.client.graphql("{ x }") == {"x": 1}
    server = Server(*[httpx.Response(304)] * 10)
    with pytest.raises(OverloadedError, match="not modified"):
        server.client.get("/things", etag='gone "an etag of a token that is not used any more"')


def test_pages_that_lead_in_a_circle_are_said() -> None:
    circle = [ok([number], link=f'<https://api.test/v1/things?page={number % 2}>; rel="next"') for number in range(9)]
    server = Server(*circle)
    with pytest.raises(BadAnswerError, match="do not end"):
        list(server.client.pages("/things"))
    assert len(server.asked) == 3


# -- budgets


def limited_to(
    resource: str, remaining: int, reset: int = NOW + 100, body: Any = None, status: int = 200
) -> httpx.Response:
    return ok(
        body,
        status,
        x_ratelimit_resource=resource,
        x_ratelimit_remaining=str(remaining),
        x_ratelimit_reset=str(reset),
    )


def test_a_spent_graphql_budget_does_not_stop_rest() -> None:
    refused = limited_to("graphql", 0, body={"errors": [{"type": "RATE_LIMITED", "message": "spent"}]})
    server = Server(limited_to("graphql", 0), limited_to("core", 900), limited_to("core", 0), refused, ok({"data": {}}))
    server.client.graphql("{ a }")
    server.client.get("/a")
    server.client.get("/b")
    assert server.slept == []
    server.client.graphql("{ a }")  # waits for its own budget, and again as it is refused
    assert sum(server.slept) == pytest.approx(101 + 101)
    assert all("GraphQL points" in said for said in server.waits)


def test_a_spent_rest_budget_does_not_stop_graphql() -> None:
    server = Server(limited_to("core", 0), ok({"data": {}}))
    server.client.get("/a")
    server.client.graphql("{ a }")
    assert server.slept == []


def test_a_secondary_limit_blocks_the_whole_token() -> None:
    limit = ok(
        {"message": "You have exceeded a secondary rate limit."}, 403, retry_after="20", x_ratelimit_remaining="0"
    )
    server = Server(limit, ok({}), ok({"data": {}}), tokens=("one", "two"))
    server.client.get("/a")
    server.client.graphql("{ a }")
    assert [request.headers["authorization"] for request in server.asked] == ["Bearer one", "Bearer two", "Bearer two"]
    assert server.slept == []


def test_a_secondary_limit_may_come_with_status_200() -> None:
    errors = [{"type": "FORBIDDEN", "message": "You have exceeded a secondary rate limit."}]
    server = Server(ok({"errors": errors}), ok({"data": {}}))
    server.client.graphql("{ a }")
    assert sum(server.slept) == 60


def test_the_fullest_token_of_the_resource_is_used() -> None:
    server = Server(limited_to("core", 10), limited_to("core", 4000), limited_to("core", 3999), tokens=("one", "two"))
    for _ in range(3):
        server.client.get("/a")
    assert [request.headers["authorization"] for request in server.asked] == ["Bearer one", "Bearer two", "Bearer two"]
    assert server.client.remaining == 10 + 3999


def test_an_answer_that_was_overtaken_changes_nothing() -> None:
    server = Server(limited_to("core", 5), limited_to("core", 7), limited_to("core", 4_999, NOW + 3_700))
    server.client.get("/a")
    server.client.get("/a")
    assert server.client.remaining == 5
    server.client.get("/a")
    assert server.client.remaining == 4_999


def test_threads_together_do_not_overdraw_what_is_left() -> None:
    """Sixteen threads and three requests left: three go, the others wait for the next hour."""
    left, refused, lock = [4], [0], threading.Lock()
    slow = threading.Barrier(3, timeout=10)

    def answer(request: httpx.Request) -> httpx.Response:
        with lock:
            if server.now < 100:
                if left[0] == 0:
                    refused[0] += 1
                    return limited_to("core", 0, body={"message": "API rate limit exceeded"}, status=403)
                left[0] -= 1
                remaining = left[0]
            else:
                return limited_to("core", 4_000, NOW + 3_700)
        if remaining < 3:
            slow.wait()  # all that were let through are under way together
        return limited_to("core", remaining)

    server = Server(*[answer] * 40)
    server.client.get("/first")
    threads = [threading.Thread(target=server.client.get, args=("/x",)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert refused[0] == 0
    assert len(server.asked) == 17


def test_a_document_waits_where_it_costs_more_than_is_left() -> None:
    def costing(remaining: int, reset: int = NOW + 100) -> httpx.Response:
        return limited_to("graphql", remaining, reset, {"data": {"rateLimit": {"cost": 30}}})

    server = Server(costing(40), costing(10), costing(4_970, NOW + 3_700))
    for _ in range(3):
        server.client.graphql("{ a }")
    assert sum(server.slept) == pytest.approx(101)


def test_the_minutes_limit_is_kept_before_it_is_met() -> None:
    expensive = ok({"data": {"rateLimit": {"cost": 500}}})
    server = Server(*[expensive] * 6, pace={"graphql": 2_000})
    for _ in range(4):
        server.client.graphql("{ a }")
    assert server.slept == []
    server.client.graphql("{ a }")
    assert sum(server.slept) == pytest.approx(60)
    assert "2,000 a minute" in server.waits[0]


@pytest.mark.parametrize(
    ("url", "is_paced"),
    [
        ("https://api.github.com/graphql", True),
        ("https://api.acme.ghe.com/graphql", True),
        ("https://git.acme.test/api/graphql", False),
    ],
)
def test_only_the_cloud_has_limits_by_the_minute(url: str, is_paced: bool) -> None:
    assert bool(GITHUB.pace(url)) is is_paced


# -- what is sent where


def moved(to: str, status: int = 301) -> httpx.Response:
    return httpx.Response(status, headers={"location": to})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_elsewhere_takes_nothing_of_ours_along(status: int) -> None:
    server = Server(moved("https://evil.test/x", status), ok({}), moved("https://evil.test/x", status))
    server.client.get("/a")
    ours = {"authorization", "x-github-api-version", "if-none-match"}
    assert ours & server.asked[1].headers.keys() == set()
    with pytest.raises(BadAnswerError, match=r"evil\.test.*GITHUB_API_URL"):
        server.client.graphql("{ secret }")
    assert [request.url.host for request in server.asked] == ["api.test", "evil.test", "api.test"]


@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_query_follows_within_the_host(status: int) -> None:
    server = Server(moved("/v2/graphql", status), ok({"data": {"x": 1}}))
    assert server.client.graphql("{ x }") == {"x": 1}
    assert (server.asked[1].method, server.asked[1].url.path) == ("POST", "/v2/graphql")
    assert server.asked[1].content == server.asked[0].content


@pytest.mark.parametrize("there", ["http://api.test/v1/x", "http://evil.test/", "ftp://api.test/x"])
def test_nothing_goes_where_it_is_not_encrypted(there: str) -> None:
    server = Server(moved(there))
    with pytest.raises(BadAnswerError, match="not encrypted"):
        server.client.get("/x")
    assert len(server.asked) == 1


def test_another_port_is_another_host() -> None:
    server = Server(moved("https://api.test:8443/x"), ok({}))
    server.client.get("/x")
    assert "authorization" not in server.asked[1].headers


def test_redirects_without_end_are_said() -> None:
    server = Server(*[moved("/v1/x")] * 10)
    with pytest.raises(BadAnswerError, match="without end"):
        server.client.get("/x")


def test_tls_is_verified_and_nothing_turns_that_off() -> None:
    server = Server()
    context = httpx.HTTPTransport()._pool._ssl_context
    assert context is not None
    assert context.check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"
    assert "verify" not in Client.__init__.__code__.co_varnames
    assert server.asked == []


# -- bodies that end too early, from a real socket


class Halves(BaseHTTPRequestHandler):
    """The first answer is what the server was given, the second whole."""

    broken: bytes
    count = 0

    def answer(self) -> None:
        type(self).count += 1
        whole = b'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 11\r\n\r\n{"x": true}'
        self.wfile.write(self.broken if self.count == 1 else whole)
        self.close_connection = True

    do_GET = answer  # noqa: N815 -- the name is the library's

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def served() -> Iterator[Callable[[bytes], str]]:
    servers: list[ThreadingHTTPServer] = []

    def serve(broken: bytes) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Halves,), {"broken": broken}))
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


ZIPPED = gzip.compress(json.dumps({"x": list(range(1000))}).encode())


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n" + b'{"x": [1, 2',
        b"HTTP/1.1 200 OK\r\n\r\n" + b'{"x": [1, 2',
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n8\r\n" + b'{"x": [1',
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n" + ZIPPED[: len(ZIPPED) // 2],
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n" + ZIPPED[:20] + b"rubbish" + ZIPPED[27:],
    ],
    ids=["nothing", "length", "no length", "empty", "empty by length", "chunk", "gzip cut", "gzip broken"],
)
def test_a_body_that_ends_too_early_is_asked_for_again(served: Callable[[bytes], str], broken: bytes) -> None:
    slept: list[float] = []
    url = served(broken)
    with Client(url, url, [SecretStr(TOKEN)], sleep=slept.append, provider=GITHUB) as client:
        assert client.get("/x").json == {"x": True}
        assert client.requests == 2
    assert len(slept) == 1
    assert 0 < slept[0] <= 1


def test_bytes_are_counted_as_they_came(served: Callable[[bytes], str]) -> None:
    head = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-encoding: gzip\r\n\r\n"
    url = served(head + ZIPPED)
    with Client(url, url, [SecretStr(TOKEN)], provider=GITHUB) as client, client.metered() as usage:
        assert len(client.get("/x").json["x"]) == 1000
        assert usage.received == client.received == len(ZIPPED)


def test_cancelling_ends_a_request_that_waits_for_its_answer() -> None:
    asked, done = threading.Event(), threading.Event()

    class Silent(BaseHTTPRequestHandler):
        def answer(self) -> None:
            asked.set()
            done.wait(30)

        do_GET = answer  # noqa: N815 -- the name is the library's

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Silent)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    client = Client(url, url, [SecretStr(TOKEN)], provider=GITHUB)
    caught: list[BaseException] = []

    def read() -> None:
        try:
            client.get("/x")
        except CancelledError as error:
            caught.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    assert asked.wait(10)
    client.cancel()
    thread.join(10)
    done.set()
    server.shutdown()
    server.server_close()
    assert not thread.is_alive()
    assert len(caught) == 1


def test_cancelling_ends_a_wait() -> None:
    waiting = threading.Event()
    limit = ok({"message": "x"}, 403, retry_after="1800")
    client = Client(
        "https://api.test",
        "",
        [SecretStr(TOKEN)],
        transport=httpx.MockTransport(lambda _request: limit),
        on_wait=lambda _wait: waiting.set(),
        provider=GITHUB,
    )
    caught: list[BaseException] = []

    def read() -> None:
        try:
            client.get("/x")
        except CancelledError as error:
            caught.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    assert waiting.wait(10)
    client.cancel()
    thread.join(10)
    assert not thread.is_alive()
    assert len(caught) == 1
