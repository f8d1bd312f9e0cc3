"""Faults that a simulated API can be given, and what they make of an answer."""

from __future__ import annotations

import base64
import json
import math
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

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
        "respelt_limit": "the hour's budget is spent, in another spelling",
        "lost_field": "an object inside an item of a list is null, and an error says that it was not to be had",
        "lost_node": "an item of a list is null, and an error says that it was not to be had",
        "surrogate": "a good answer with half of a pair of surrogates in a text",
        "not_utf8": "a good answer with bytes that are not UTF-8 in a text",
        "huge": "an answer that says it has more bytes than anyone reads",
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


class Huge(Response):
    """An answer that says that it is larger than anything."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"9000000000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{", "more_body": False})


class Broken(Response):
    """An answer that ends in the middle: the connection is closed before the promised length."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"10000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"data": {', "more_body": False})


def retry_after(fault: Fault) -> dict[str, str]:
    """The header that a limit sends, if it sends one."""
    if fault.kind == "abuse" or fault.retry_after is None:
        return {}
    return {"retry-after": str(fault.retry_after)}


def with_other_headers(fault: Fault | None, response: Response, request: Request) -> Response:
    """The answer with the headers that the fault leaves of it, or adds, and the text."""
    response = with_odd_text(fault, response)
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


def repeat(data: Any) -> None:
    """Give the first item of every page of nodes twice."""
    if isinstance(data, dict):
        if "pageInfo" in data and data.get("nodes"):
            data["nodes"].insert(0, data["nodes"][0])
        for value in data.values():
            repeat(value)
    elif isinstance(data, list):
        for value in data:
            repeat(value)


def lose(data: Any, is_field: bool) -> list[str | int] | None:
    """Make an item of the first list of nodes null, or an object inside one; return the path to it."""
    if not isinstance(data, dict):
        return None
    for name, value in data.items():
        if name == "nodes" and isinstance(value, list) and value:
            if not is_field:
                value[-1] = None
                return [name, len(value) - 1]
            inner = [each for each, found in (value[-1] or {}).items() if isinstance(found, dict)]
            if inner:
                value[-1][inner[0]] = None
                return [name, len(value) - 1, inner[0]]
        path = lose(value, is_field)
        if path:
            return [name, *path]
    return None


_ODD = {"surrogate": b'"\\ud83d"', "not_utf8": b'"caf\xe9"'}


def with_odd_text(fault: Fault | None, response: Response) -> Response:
    """The answer with a text in it that is none."""
    body = bytes(response.body)
    if fault is not None and fault.kind in _ODD and body.startswith(b"{"):
        response.body = b'{"odd":' + _ODD[fault.kind] + (b"," if body != b"{}" else b"") + body[1:]
        response.headers["content-length"] = str(len(response.body))
    return response


def halve(data: Any) -> bool:
    """Lose the second half of the first list of nodes; whether one was found."""
    if not isinstance(data, dict):
        return False
    for name, value in data.items():
        if name in ("nodes", "edges") and isinstance(value, list) and value:
            for place in range(len(value) // 2, len(value)):
                value[place] = None
            return True
        if halve(value):
            return True
    return False


def json_response(status: int, body: Any, headers: dict[str, str]) -> Response:
    """An answer in JSON."""
    return Response(orjson.dumps(body), status, {**headers, "content-type": "application/json; charset=utf-8"})


def common_fault(fault: Fault | None, headers: dict[str, str], authorization: str) -> Response | None:
    """Faults that look the same everywhere."""
    if fault is None:
        return None
    if fault.kind in _GATEWAY:
        page = f"<html><body>{fault.kind} {_GATEWAY[fault.kind]}</body></html>"
        return Response(page, int(fault.kind), {**headers, "content-type": "text/html"})
    if fault.kind in ("drop", "timeout"):
        return Broken()
    if fault.kind == "huge":
        return Huge()
    if fault.kind == "empty":
        return Response(b"", 200, {**headers, "content-type": "application/json; charset=utf-8"})
    if fault.kind == "not_modified":
        return Response(b"", 304, headers)
    if fault.kind == "echo":
        return json_response(403, {"message": _echo(authorization)}, headers)
    if fault.kind == "not_json":
        return Response("<html>Please sign in</html>", 200, {**headers, "content-type": "text/html"})
    return None
