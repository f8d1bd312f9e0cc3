"""The client against a server that limits, stumbles, lies and vanishes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from veelocity_pipeline.sources.errors import (
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
from veelocity_pipeline.sources.http import GITHUB, LINEAR, Client, PageSize, Provider, fixed_accounts

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
    spent = {"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(NOW + 100)}
    server = Server(ok({}, **spent), ok({}))
    server.client.get("/a")
    server.client.get("/b")
    assert sum(server.slept) == pytest.approx(101)
    assert len(server.asked) == 2


def test_another_token_is_taken_when_one_is_spent() -> None:
    spent = {"x_ratelimit_remaining": "0", "x_ratelimit_reset": str(NOW + 100)}
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
        (ok({"message": "Bad credentials"}, 401), AuthenticationError, "GITHUB_TOKEN"),
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
        [ok({"message": "Bad credentials"}, 401)],
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
