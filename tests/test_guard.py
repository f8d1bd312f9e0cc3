"""What the UI's webserver refuses, rule by rule, before any of Dagster's code sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pytest
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from veelocity_pipeline.config.addresses import Address, OwnAddresses
from veelocity_pipeline.defs.guard import Guard

HERE = "http://localhost:3000"
PUBLIC = "https://ui.example.com"
JSON = {"content-type": "application/json"}
OWN = OwnAddresses.of(PUBLIC, ("veelocity.internal", "10.0.0.5:8443", "localhost:8443"), "192.168.1.5")


Pairs = Mapping[str, str] | Iterable[tuple[str, str]]


class Inner:
    """Stands for Dagster: serves everything, and counts."""

    def __init__(self) -> None:
        self.served: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.served.append(scope["type"])
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-security-policy", b"own")]})
        await send({"type": "http.response.body", "body": b"served"})


@dataclass
class Answer:
    """What a client got."""

    status: int
    headers: Headers
    text: str


@pytest.fixture
def inner() -> Inner:
    return Inner()


def ask(inner: Inner, method: str, path: str, headers: Pairs, *, denial: bool = True) -> Answer:
    """Send a request, or with the method WS a handshake, with these headers (and a Host, if none is among them).

    Args:
        denial: whether the server can answer a handshake with a page, as uvicorn can.
    """
    pairs = [*(headers.items() if isinstance(headers, Mapping) else headers)]
    if "host" not in dict(pairs):
        pairs.append(("host", "localhost:3000"))
    target, _, query = path.partition("?")
    scope: Scope = {
        "type": "websocket" if method == "WS" else "http",
        "method": method,
        "path": target,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in pairs],
        "extensions": {"websocket.http.response": {}} if denial else {},
    }
    said: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"} if method == "WS" else {"type": "http.request", "body": b"{}"}

    async def send(message: Message) -> None:
        said.append(message)

    asyncio.run(Guard(inner, OWN)(scope, receive, send))
    first = said[0]
    status = {"websocket.accept": 101, "websocket.close": 403}.get(first["type"]) or first["status"]
    body = b"".join(message.get("body", b"") for message in said)
    return Answer(status, Headers(raw=first.get("headers", [])), body.decode() or first.get("reason", ""))


LINK = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/", {}),
        ("HEAD", "/server_info", {}),
        *(
            ("GET", "/", {"host": host})
            for host in (
                *("localhost", "LOCALHOST:3000", "localhost.:3000", "app.localhost:3000", "127.0.0.1:3000"),
                *("127.8.9.10", "[::1]:3000", "ui.example.com", "ui.example.com:9000", "veelocity.internal:3000"),
                *("10.0.0.5", "192.168.1.5:3000"),
            )
        ),
        ("GET", "/runs/1a2b", LINK),
        ("GET", "/", {"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}),
        ("GET", "/favicon.png", {"sec-fetch-site": "same-origin", "sec-fetch-mode": "no-cors"}),
        ("GET", "/graphql", {"accept": "text/html,*/*"}),
        ("POST", "/graphql", JSON),
        ("POST", "/graphql", {"content-type": "Application/JSON; charset=utf-8"}),
        ("POST", "/graphql", {**JSON, "origin": HERE, "sec-fetch-site": "same-origin"}),
        ("POST", "/graphql", {**JSON, "host": "[::1]:3000", "origin": "http://[::1]:3000"}),
        ("POST", "/graphql", {**JSON, "host": "ui.example.com", "origin": PUBLIC}),
        ("POST", "/graphql", {**JSON, "host": "ui.example.com:443", "origin": PUBLIC}),
        # a proxy in front that names the machine behind it
        ("POST", "/graphql", {**JSON, "origin": PUBLIC}),
        ("POST", "/graphql", {**JSON, "origin": "https://veelocity.internal"}),
        ("POST", "/graphql", {**JSON, "origin": "https://10.0.0.5:8443"}),
        ("POST", "/graphql", {**JSON, "origin": "https://localhost:8443"}),
        ("POST", "/report_asset_materialization/a", JSON),
    ],
)
def test_the_ui_and_the_tools_of_this_machine_are_served(inner: Inner, method: str, path: str, headers: Pairs) -> None:
    assert (ask(inner, method, path, headers).status, inner.served) == (200, ["http"])


FOREIGN_HOST = "add it to VEELOCITY_UI_HOSTS"
FOREIGN_ORIGIN = "from a page of another origin"
FOREIGN_SITE = "from a page of another site"
NOT_JSON = "Only JSON is taken here"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "said"),
    [
        # names that anyone may point at this machine, and what is no name
        *(
            ("GET", "/", {"host": host}, 421, FOREIGN_HOST)
            for host in (
                *("evil.test:3000", "localhost.evil.test", "evil-localhost:3000", "127.0.0.1.evil.test", "10.0.0.6"),
                *("0.0.0.0:3000", "[::]:3000", "ui.example.com.evil.test", "2130706433"),
            )
        ),
        *(
            ("GET", "/", {"host": host}, 400, "no single host")
            for host in ("", ":3000", "localhost:3000:1", "evil.test localhost", "localhost/", "a@localhost", "[::1")
        ),
        ("GET", "/", [("host", "localhost"), ("host", "evil.test")], 400, "no single host"),
        # pages of others
        *(
            ("POST", "/graphql", {**JSON, "origin": origin}, 403, FOREIGN_ORIGIN)
            for origin in (
                *("http://evil.test", "null", "", "http://localhost", "http://localhost:3001", "http://127.0.0.1:3000"),
                *("http://localhost:3000.evil.test", "http://localhost:3000@evil.test", "file://", "localhost:3000"),
                *("chrome-extension://localhost:3000", "https://10.0.0.5", "https://ui.example.com:8443"),
            )
        ),
        ("POST", "/graphql", [*JSON.items(), ("origin", HERE), ("origin", "http://evil.test")], 403, FOREIGN_ORIGIN),
        ("GET", "/", {"origin": "http://evil.test"}, 403, FOREIGN_ORIGIN),
        ("OPTIONS", "/graphql", {"origin": "http://evil.test"}, 403, FOREIGN_ORIGIN),
        *(
            ("GET", path, {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": what}, 403, FOREIGN_SITE)
            for site in ("cross-site", "same-site", "unheard-of")
            for path, mode, what in (
                ("/graphql", "no-cors", "image"),
                ("/favicon.png", "no-cors", "image"),
                ("/runs", "navigate", "iframe"),
                ("/runs", "navigate", "embed"),
                ("/download_debug/1a2b", "cors", "empty"),
            )
        ),
        ("POST", "/graphql", {**JSON, **LINK}, 403, FOREIGN_SITE),
        ("HEAD", "/", LINK, 403, ""),
        # what a page can send without being let to
        *(
            ("POST", path, {"content-type": kind}, 415, NOT_JSON)
            for path in ("/graphql", "/graphql?query=mutation{a}", "/report_asset_check/a", "/anything")
            for kind in (
                *("text/plain", "text/plain; application/json", "application/x-www-form-urlencoded", ""),
                *("multipart/form-data; boundary=application/json", "application/graphql", "application/jsonp"),
            )
        ),
        ("POST", "/graphql", [("content-type", "text/plain"), *JSON.items()], 415, NOT_JSON),
        ("POST", "/report_asset_materialization/a", {}, 415, NOT_JSON),
        *(
            ("GET", f"/graphql{rest}", {"accept": accept}, 405, "by POST")
            for rest in ("", "/", "?query=mutation{a}", "?query={a}")
            for accept in ("*/*", "image/png", "application/json")
        ),
        *((method, "/graphql", {}, 405, "Only GET, HEAD and POST") for method in ("PUT", "DELETE", "OPTIONS", "TRACE")),
        ("GET", "/notebook?path=/root/a.ipynb", {}, 404, "no notebooks"),
        ("GET", "/dagit/notebook?path=/root/a.ipynb", {"accept": "text/html"}, 404, "no notebooks"),
    ],
)
def test_all_else_is_refused_in_one_sentence(
    inner: Inner, method: str, path: str, headers: Pairs, status: int, said: str
) -> None:
    answer = ask(inner, method, path, headers)
    assert (answer.status, inner.served) == (status, [])
    assert said in answer.text
    assert answer.text.count("\n") <= 1
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("headers", "is_served"),
    [
        ({}, True),  # no browser leaves the origin out
        ({"origin": HERE}, True),
        ({"host": "ui.example.com", "origin": PUBLIC}, True),
        ({"origin": PUBLIC}, True),
        ({"origin": HERE, "sec-fetch-site": "same-origin"}, True),
        ({"origin": "http://evil.test"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://localhost:3001"}, False),
        ({"host": "evil.test:3000", "origin": "http://evil.test:3000"}, False),
        ({"host": "evil.test:3000"}, False),
        ({"origin": HERE, "sec-fetch-site": "cross-site"}, False),
    ],
)
def test_a_websocket_is_the_uis_own(inner: Inner, headers: dict[str, str], is_served: bool) -> None:
    for denial in (True, False):
        inner.served.clear()
        answer = ask(inner, "WS", "/graphql", headers, denial=denial)
        assert inner.served == ["websocket"] * is_served
        assert (answer.status == 101) == is_served
        assert bool(answer.text) != is_served


def test_no_page_frames_or_reads_what_is_served(inner: Inner) -> None:
    for path, status in (("/", 200), ("/notebook", 404)):
        answer = ask(inner, "GET", path, {})
        assert answer.status == status
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        policies = answer.headers.getlist("content-security-policy")
        assert policies == (["own"] if status == 200 else []) + ["frame-ancestors 'none'"]


def test_a_server_without_settings_has_loopback_names_alone() -> None:
    for listening in ("127.0.0.1", "0.0.0.0", "::", "::1", "localhost"):
        own = OwnAddresses.of("http://localhost:3000", (), listening)
        assert {host for host in own.hosts if not Address(host).is_loopback} == set()
        # other programs serve pages on loopback too
        assert own.origins == frozenset()
