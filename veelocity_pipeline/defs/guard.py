"""What the UI's webserver refuses before Dagster sees it: whatever a foreign web page can make a browser send.

Dagster's own server has no login and asks neither for which host a request is nor which page sent it. A page on another
site could start runs by a form, read everything by DNS rebinding, or subscribe through a WebSocket. The rules here hold
for every path, so that a new endpoint of Dagster's is covered too.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from veelocity_pipeline.config.addresses import Address, OwnAddresses

_READING = ("GET", "HEAD")
_NOTEBOOKS = ("/notebook", "/dagit/notebook")
"""Endpoints that read a file by a path of the query; this pipeline has no notebooks."""

_HEADERS = {
    "X-Frame-Options": "DENY",  # no page may lay the UI under its own buttons
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Refusal:
    """Why a request is not served.

    Attributes:
        sentence: names the cause and, where there is one, the cure.
    """

    status: HTTPStatus
    sentence: str


class Guard:
    """An ASGI application in front of Dagster's that passes on what the UI and tools on this machine send."""

    def __init__(self, app: ASGIApp, own: OwnAddresses) -> None:
        """Guard ``app``, which is reached at these addresses."""
        self._app = app
        self._own = own

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request or a WebSocket, or answer it with a status of 4xx and one sentence."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers.append("Content-Security-Policy", "frame-ancestors 'none'")
            await send(message)

        refusal = self.refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send_with_headers)
        elif scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008, "reason": refusal.sentence[:120]})
        else:
            response = PlainTextResponse(refusal.sentence + "\n", refusal.status)
            await response(scope, receive, send_with_headers)

    def refusal(self, scope: Scope) -> Refusal | None:
        """Return why this request, or the handshake of this WebSocket, is refused; None if it is not."""
        headers = Headers(scope=scope)
        is_page = scope["type"] == "http" and scope["method"] == "GET"
        return (
            self._of_host(headers)
            or self._of_origin(headers)
            or _of_site(headers, is_page=is_page)
            or (None if scope["type"] == "websocket" else _of_content(scope, headers))
        )

    def _of_host(self, headers: Headers) -> Refusal | None:
        """A name that an attacker's name server points at this machine (DNS rebinding) is none of its own."""
        host = _only(headers, "host")
        if host is None:
            return Refusal(HTTPStatus.BAD_REQUEST, "The request names no single host in its Host header.")
        if host.is_loopback or host.host in self._own.hosts:
            return None
        return Refusal(
            HTTPStatus.MISDIRECTED_REQUEST,
            f"This UI does not answer for {host.host}: if that is one of its names, add it to VEELOCITY_UI_HOSTS.",
        )

    def _of_origin(self, headers: Headers) -> Refusal | None:
        """A browser names the page's origin with each POST and WebSocket; other programs name none."""
        named = headers.getlist("origin")
        if not named:
            return None
        origin = Address.of_url(named[0]) if len(named) == 1 else None
        host = Address.parse(headers["host"])
        if origin is not None and host is not None:
            scheme = named[0].partition(":")[0]
            if origin == host.seen_from(scheme) or origin in self._own.origins:
                return None
        return Refusal(
            HTTPStatus.FORBIDDEN,
            "The request comes from a page of another origin: if it is an address of this UI, add its host and port to "
            "VEELOCITY_UI_HOSTS.",
        )


def _only(headers: Headers, name: str) -> Address | None:
    values = headers.getlist(name)
    return Address.parse(values[0]) if len(values) == 1 else None


def _of_site(headers: Headers, *, is_page: bool) -> Refusal | None:
    """A foreign page may link to the UI, and neither load nor embed a part of it."""
    sites = headers.getlist("sec-fetch-site")
    if all(site in ("same-origin", "none") for site in sites):
        return None
    if is_page and headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document":
        return None
    return Refusal(HTTPStatus.FORBIDDEN, "The request comes from a page of another site.")


def _of_content(scope: Scope, headers: Headers) -> Refusal | None:
    """Of what changes something, a foreign page can send forms and text; JSON it cannot without being let to."""
    method, path = scope["method"], scope["path"].rstrip("/")
    if path in _NOTEBOOKS:
        return Refusal(HTTPStatus.NOT_FOUND, "There are no notebooks here.")
    if method in _READING:
        if path == "/graphql" and "text/html" not in headers.get("accept", ""):
            return Refusal(
                HTTPStatus.METHOD_NOT_ALLOWED, "Send a GraphQL document by POST, with Content-Type: application/json."
            )
        return None
    if method != "POST":
        return Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET, HEAD and POST are answered here.")
    types = headers.getlist("content-type")
    if len(types) != 1 or types[0].partition(";")[0].strip().lower() != "application/json":
        return Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Only JSON is taken here: send it with Content-Type: application/json."
        )
    return None
