"""The client against answers that others of the same APIs have met: several tokens, spellings, failed fields."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from veelocity_pipeline.sources.github.provider import GITHUB
from veelocity_pipeline.sources.kit.http.errors import NotFoundError
from veelocity_pipeline.sources.kit.http.paging import PageSize
from veelocity_pipeline.sources.kit.http.provider import Provider
from veelocity_pipeline.sources.linear.provider import LINEAR

from .test_http import NOW, Server, ok

REFUSED = ok({"message": "Bad credentials"}, 401, x_ratelimit_remaining="0", x_ratelimit_reset=str(NOW + 3_000))
"""As GitHub answers someone without a token: its headers tell the budget of nobody."""


def test_a_stray_401_is_tried_again_and_its_headers_are_no_budget() -> None:
    server = Server(REFUSED, ok({"x": 1}))
    assert server.client.get("/x").json == {"x": 1}
    assert sum(server.slept) <= 2
    assert server.client.remaining is None


def test_a_dead_token_is_named_by_its_end_and_set_aside() -> None:
    server = Server(
        REFUSED,
        REFUSED,
        REFUSED,
        ok({"x": 1}),
        ok({"x": 2}),
        tokens=("ghp_dead000000000000dead", "ghp_good000000000000good"),
    )
    assert [server.client.get("/x").json for _ in range(2)] == [{"x": 1}, {"x": 2}]
    assert server.asked[3].headers["authorization"] == server.asked[4].headers["authorization"]
    assert ["…dead" in notice for notice in server.client.accounts.notices] == [True]
    assert "0000" not in server.client.accounts.notices[0]


def test_a_token_that_may_not_read_an_owner_is_not_asked_for_it_again() -> None:
    """A fine-grained token belongs to one owner; what another one cannot see is answered as if it were not there."""

    def of(request: httpx.Request) -> httpx.Response:
        is_able = request.headers["authorization"].endswith("globex")
        return ok({"x": 1}) if is_able else ok({"message": "Not Found"}, 404)

    server = Server(*[of] * 5, tokens=("token-of-acme", "token-of-globex"))
    client = server.client.for_owner("globex/web")
    assert [client.get("/x").json for _ in range(4)] == [{"x": 1}] * 4
    assert len(server.asked) <= 5


def test_what_no_token_may_read_is_not_found() -> None:
    server = Server(*[ok({"message": "Not Found"}, 404)] * 2, tokens=("token-of-acme", "token-of-globex"))
    with pytest.raises(NotFoundError):
        server.client.for_owner("globex/web").get("/x")
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "error",
    [
        {"type": "RATE_LIMIT", "message": "API rate limit exceeded"},
        {"type": "RATE_LIMITED", "message": "API rate limit exceeded"},
        {"extensions": {"code": "RATE_LIMITED"}, "message": "slow down"},
        {"extensions": {"code": "rate-limit-exceeded"}, "message": "slow down"},
        {"type": "ERROR", "extensions": {"code": "TOO_MANY_REQUESTS"}, "message": "slow down"},
        {"message": "API rate limit already exceeded for user ID 1."},
    ],
)
@pytest.mark.parametrize("provider", [GITHUB, LINEAR])
def test_a_limit_is_waited_for_however_it_is_spelt(error: dict[str, Any], provider: Provider) -> None:
    server = Server(ok({"errors": [error]}, retry_after="7"), ok({"data": {"x": 1}}), provider=provider)
    assert server.client.graphql("{ x }") == {"x": 1}
    assert sum(server.slept) == pytest.approx(7)


@pytest.mark.parametrize("code", ["LOCK_TIMEOUT", "GATEWAY_TIMEOUT", "SERVICE_UNAVAILABLE", "Internal server error"])
def test_an_error_that_passes_is_tried_again_however_it_is_spelt(code: str) -> None:
    error = {"message": "later", "extensions": {"code": code}}
    server = Server(ok({"data": None, "errors": [error]}), ok({"data": {"x": 1}}), provider=LINEAR)
    assert server.client.graphql("{ x }") == {"x": 1}


@pytest.mark.parametrize(
    "error",
    [
        {"message": "Query too complex: 12000 is more than 10000", "extensions": {"code": "INPUT_ERROR"}},
        {"message": "no", "type": "MAX_NODE_LIMIT_EXCEEDED"},
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_a_query_that_is_too_large_is_asked_smaller(error: dict[str, Any], status: int) -> None:
    server = Server(ok({"errors": [error]}, status), ok({"data": {"x": 1}}), provider=LINEAR)
    size = PageSize(50)
    assert server.client.graphql_page("query", {}, size)[0] == {"x": 1}
    assert [json.loads(request.content)["variables"]["first"] for request in server.asked] == [50, 25]


def _page(*nodes: Any, errors: list[dict[str, Any]]) -> httpx.Response:
    return ok({"data": {"list": {"nodes": list(nodes)}}, "errors": errors})


def test_a_field_that_failed_leaves_the_rest_of_the_page() -> None:
    errors = [
        {"type": "FORBIDDEN", "path": ["list", "nodes", 1, "fork"], "message": "SAML"},
        {"type": "NOT_FOUND", "path": ["list", "nodes", 2, "author", "id"], "message": "gone"},
    ]
    server = Server(_page({"id": "a"}, {"id": "b", "fork": None}, None, errors=errors))
    data, lost = server.client.graphql_partial("{ list }")
    assert [node and node["id"] for node in data["list"]["nodes"]] == ["a", "b", None]
    assert [(each.index, each.within) for each in lost] == [(1, ("fork",)), (2, ())]


def test_a_field_that_fails_for_a_while_is_asked_again() -> None:
    errors = [{"type": "SERVICE_UNAVAILABLE", "path": ["list", "nodes", 0, "reviews"], "message": "later"}]
    server = Server(_page({"reviews": None}, errors=errors), _page({"reviews": 1}, errors=[]))
    assert server.client.graphql_partial("{ list }") == ({"list": {"nodes": [{"reviews": 1}]}}, [])


@pytest.mark.parametrize(
    "error",
    [
        {"type": "RESOURCE_LIMITS_EXCEEDED", "message": "too much"},
        {"type": "RESOURCE_LIMITS_EXCEEDED", "path": ["list", "nodes", 0], "message": "too much"},
        {"message": "Something went wrong"},
    ],
)
def test_a_page_that_failed_is_no_page(error: dict[str, Any]) -> None:
    server = Server(_page(None, errors=[error]), _page({"id": "a"}, errors=[]))
    assert server.client.graphql_partial("{ list }")[0] == {"list": {"nodes": [{"id": "a"}]}}
