"""Answers without bounds: endless, packed, trickling, nested, with headers without end. Each ends with a sentence."""

from __future__ import annotations

import gzip
import socket
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import httpx
import pytest
from pydantic import SecretStr

from tests.speaker import Speak, drip, drip_headers, endless, head, speaking
from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.sources.github.provider import GITHUB
from veelocity_pipeline.sources.github.repositories import github_client
from veelocity_pipeline.sources.kit.http.client import Client
from veelocity_pipeline.sources.kit.http.errors import BadAnswerError, OverloadedError, SourceError
from veelocity_pipeline.sources.kit.http.paging import PageSize
from veelocity_pipeline.sources.kit.http.reading import Bounds, parsed
from veelocity_pipeline.sources.linear.connector import LinearConnector

MB = 1_000_000
SMALL = Bounds(bytes=MB, seconds=20.0, values=50_000)


def client_of(url: str, bounds: Bounds = SMALL, slept: list[float] | None = None) -> Client:
    return Client(
        url,
        f"{url}/graphql",
        [SecretStr("ghp_t0kenOfTheReader00000000")],
        sleep=(slept if slept is not None else []).append,
        timeout=httpx.Timeout(10.0),
        bounds=bounds,
        provider=GITHUB,
    )


def endless_in_chunks(connection: socket.socket) -> None:
    connection.sendall(head("Transfer-Encoding: chunked"))
    while True:
        connection.sendall(b"10000\r\n" + b"[" * 65536 + b"\r\n")


def promised(connection: socket.socket) -> None:
    connection.sendall(head("Content-Length: 99999999999"))
    time.sleep(5)


def packed(encoding: str, body: bytes) -> Speak:
    def speak(connection: socket.socket) -> None:
        connection.sendall(head(f"Content-Encoding: {encoding}", f"Content-Length: {len(body)}") + body)

    return speak


def bomb(window: int, size: int = 200 * MB) -> bytes:
    """A body that says ``[`` and then much of nothing."""
    packer = zlib.compressobj(9, zlib.DEFLATED, window)
    return packer.compress(b"[" + b" " * size) + packer.flush()


def small_parts() -> bytes:
    return gzip.compress(b"[" + b" " * 400_000) * 20


@pytest.mark.parametrize(
    "speaker",
    [
        endless,
        endless_in_chunks,
        promised,
        packed("gzip", bomb(31)),
        packed("deflate", bomb(15)),
        packed("deflate", bomb(-15)),
        packed("gzip", small_parts()),
    ],
    ids=["endless", "chunks", "promised", "gzip", "zlib", "deflate", "parts"],
)
def test_a_body_without_end_is_read_no_further_than_the_bound(speaker: Speak) -> None:
    slept: list[float] = []
    with speaking(speaker) as server, client_of(server.url, slept=slept) as client:
        client.get  # noqa: B018 - all is imported before memory is measured
        tracemalloc.start()
        try:
            with pytest.raises(SourceError, match=r"answer to acme/web has more than 1 MB.*VEELOCITY_MAX_ANSWER_MB"):
                client.get("/x", about="acme/web")
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert most < 8 * MB
        assert client.received < 3 * MB
        assert (server.asked, slept) == (1, [])


def test_a_page_that_is_too_large_is_asked_for_by_halves() -> None:
    with speaking(endless) as server, client_of(server.url) as client:
        with pytest.raises(OverloadedError):
            client.graphql_page("query ($first: Int!) { x(first: $first) }", {}, PageSize(8))
        assert server.asked == 4  # 8, 4, 2, 1; none of them twice


def go_on(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.05)


@pytest.mark.parametrize("speaker", [drip, drip_headers, go_on])
def test_a_byte_now_and_then_does_not_hold_on_for_ever(speaker: Speak) -> None:
    with (
        speaking(speaker) as server,
        client_of(server.url, Bounds(seconds=0.5)) as client,
        pytest.raises(BadAnswerError, match=r"answer to acme/web had not ended after 0\.5 seconds"),
    ):
        client.get("/x", about="acme/web")
    assert server.asked == 1


def test_a_connection_that_is_used_again_has_a_time_of_its_own() -> None:
    def twice(connection: socket.socket) -> None:
        connection.sendall(head("Content-Length: 2") + b"{}")
        connection.recv(65536)
        drip(connection)

    with speaking(twice) as server, client_of(server.url, Bounds(seconds=1.0)) as client:
        assert client.get("/x").json == {}
        with pytest.raises(BadAnswerError, match="had not ended"):
            client.get("/x")
        assert server.asked == 1  # connection


def long_header(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 4 * MB)


def many_headers(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-Some: x\r\n" * 400_000)


def no_http(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")


@pytest.mark.parametrize("speaker", [long_header, many_headers, no_http])
def test_what_is_not_http_is_said_at_once(speaker: Speak) -> None:
    slept: list[float] = []
    with speaking(speaker) as server, client_of(server.url, slept=slept) as client:
        with pytest.raises(BadAnswerError, match="as HTTP wants it"):
            client.get("/x", about="acme/web")
        assert (server.asked, slept) == (1, [])


@pytest.mark.parametrize(
    ("body", "headers", "said"),
    [
        (b"[" * 5_000 + b"]" * 5_000, {}, "is nested too deeply"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, {}, "is nested too deeply"),
        (b"[" + b"{}," * 60_000 + b"{}]", {}, "has more than 50,000 values"),
        (b"[" + b"0," * 60_000 + b"0]", {}, "has more than 50,000 values"),
        (b"{}", {"content-encoding": "gzip, gzip"}, r"is packed as nobody asked for \(gzip, gzip\)"),
        (b"{}", {"content-encoding": "br"}, r"is packed as nobody asked for \(br\)"),
        (b"{}", {"content-encoding": "zstd"}, r"is packed as nobody asked for \(zstd\)"),
    ],
    ids=["lists", "objects", "many objects", "many numbers", "twice", "br", "zstd"],
)
def test_what_cannot_be_read_is_said_and_not_asked_again(body: bytes, headers: dict[str, str], said: str) -> None:
    asked: list[httpx.Request] = []
    slept: list[float] = []

    class Stream(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield body

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, headers=headers, stream=Stream())

    client = Client(
        "https://api.test",
        "https://api.test/graphql",
        [SecretStr("t")],
        sleep=slept.append,
        transport=httpx.MockTransport(answer),
        bounds=SMALL,
        provider=GITHUB,
    )
    with pytest.raises(BadAnswerError, match=f"answer to acme/web {said}"):
        client.get("/x", about="acme/web")
    assert (len(asked), slept) == (1, [])
    assert asked[0].headers["accept-encoding"] == "gzip, deflate"


def test_packed_answers_are_unpacked() -> None:
    body = b'{"x": "' + b"y" * 3 * MB + b'"}'
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    ways = [
        ("gzip", gzip.compress(body)),
        ("gzip", gzip.compress(body[:100]) + gzip.compress(body[100:]) + b"\0" * 9),
        ("deflate", zlib.compress(body)),
        ("deflate", raw.compress(body) + raw.flush()),
        ("identity", body),
        ("", body),
    ]

    class Stream(httpx.SyncByteStream):
        def __init__(self, content: bytes) -> None:
            self._content = content

        def __iter__(self) -> Iterator[bytes]:
            for start in range(0, len(self._content), 1_000):
                yield self._content[start : start + 1_000]

    for encoding, content in ways:
        transport = httpx.MockTransport(
            lambda _, encoding=encoding, content=content: httpx.Response(
                200, headers={"content-encoding": encoding} if encoding else {}, stream=Stream(content)
            )
        )
        client = Client(
            "https://api.test", "https://api.test/graphql", [SecretStr("t")], transport=transport, provider=GITHUB
        )
        assert client.get("/x").json == {"x": "y" * 3 * MB}, encoding
        assert client.received == len(content)


def test_the_bound_is_a_setting(settings: Callable[..., Settings]) -> None:
    assert settings().max_answer_mb == 64
    made = settings(max_answer_mb=5, linear_api_key="lin_api_0123456789")
    assert github_client(made).bounds.bytes == 5 * MB
    assert LinearConnector(made).client.bounds.bytes == 5 * MB


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (rb'["a\ud83d"]', "a\ufffd"),
        (rb'["\udc00b"]', "\ufffdb"),
        (rb'["\uD83D\uDE00 \uD83D"]', "\U0001f600 \ufffd"),
        (rb'["\\ud83d"]', "\\ud83d"),
        (b'["caf\xe9"]', "caf\ufffd"),
        (b'["\xed\xa0\xbd"]', "\ufffd" * 3),
    ],
)
def test_what_is_no_text_is_replaced(body: bytes, text: str) -> None:
    assert parsed(body, Bounds()) == ([text], True)


def test_a_body_that_is_cut_short_stays_unreadable() -> None:
    assert parsed(rb'["a\ud83d', Bounds()) == (None, False)
