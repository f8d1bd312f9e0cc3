"""One request and its answer: redirects within the host, bounds in bytes and seconds, an end from another thread."""

from __future__ import annotations

import contextlib
import socket
import threading
import weakref
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import httpx

from veelocity_pipeline.sources.kit.http.errors import BadAnswerError, CancelledError
from veelocity_pipeline.sources.kit.http.reading import UNPACKED, Bounds, Deadline, is_connected, read, whole

MOST_REDIRECTS = 5
"""A renamed repository answers with one, its page links with none."""

MOST_CONNECTIONS = 32
"""At once. The strictest limit known is 100 requests at once of all programs of a user together."""

TIMEOUT = httpx.Timeout(60.0, connect=15.0)
"""APIs end a query after some 10 s; some servers in between take longer to say so."""


class Exchange:
    """Sends requests. Safe to share between threads.

    Args:
        address: the setting that holds the API's address, for messages.
        count: told how many requests were sent and how many bytes of answers came, as they do.
        transport: an httpx transport in place of the network.

    Attributes:
        cancelled: set by ``cancel``; may be waited for.
    """

    def __init__(
        self,
        address: str,
        user_agent: str,
        timeout: httpx.Timeout,
        bounds: Bounds,
        count: Callable[[int, int], None],
        transport: httpx.BaseTransport | None,
    ) -> None:
        self.bounds = bounds
        self.cancelled = threading.Event()
        self._address = address
        self._count = count
        self._lock = threading.Lock()
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._deadline = Deadline()
        self._http = httpx.Client(
            headers={"User-Agent": user_agent, "Accept-Encoding": UNPACKED},
            timeout=timeout,
            follow_redirects=False,
            transport=transport,
            limits=httpx.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=8),
        )

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def cancel(self) -> None:
        """End all requests under way; every one from now on raises CancelledError."""
        self.cancelled.set()
        with self._lock:
            sockets = list(self._sockets)
        for each in sockets:
            with contextlib.suppress(OSError):
                # Not the TLS layer's own, which would wait for the other side.
                socket.socket.shutdown(each, socket.SHUT_RDWR)

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Have each connection watched: no read from it takes longer than its request may.

        And remember its socket: only by that can a read that waits in another thread be ended.
        """
        self._deadline.trace(event, info)
        if is_connected(event):
            found = info["return_value"].get_extra_info("socket")
            if isinstance(found, socket.socket):
                with self._lock:
                    self._sockets.add(found)

    def send(self, method: str, url: str, payload: bytes | None, headers: dict[str, str]) -> httpx.Response:
        """Send once and read the answer to its end, at the address where redirects lead.

        Within the host they are followed with everything. Elsewhere goes neither the token nor any other header of
        ours, nor a body; and nothing goes from https to http.

        Raises:
            BadAnswerError: a redirect leads where it must not, or to nowhere.
            UnreadableError: the answer is larger, slower or other than can be read.
            httpx.TransportError, httpx.DecodingError, httpx.InvalidURL: as httpx has them.
        """
        first = urlsplit(url)
        self._deadline.begin(self.bounds.seconds)
        for _ in range(MOST_REDIRECTS + 1):
            if self.cancelled.is_set():
                raise CancelledError("Interrupted.")
            request = self._http.build_request(
                method, url, content=payload, headers=headers, extensions={"trace": self._trace}
            )
            self._count(1, 0)
            stream = self._http.send(request, stream=True)
            try:
                body = read(stream, self.bounds, self._deadline, lambda count: self._count(0, count))
            finally:
                stream.close()
            response = whole(stream, body)
            there = urlsplit(url)
            if not response.has_redirect_location:
                if not is_own(first, there) and not 200 <= response.status_code < 300:
                    raise BadAnswerError(
                        f"{first.netloc} sends us on to {there.netloc}, which answers {response.status_code}: "
                        f"check {self._address}."
                    )
                return response
            try:
                url = urljoin(url, response.headers["location"])
                onward = urlsplit(url)
                _ = onward.port
            except ValueError:
                raise BadAnswerError(f"{there.netloc} sends us on to an address that is none.") from None
            if onward.scheme not in ("http", "https") or (there.scheme == "https" and onward.scheme == "http"):
                raise BadAnswerError(
                    f"{there.netloc} sends us on to {onward.scheme}://{onward.netloc}, which is not encrypted: "
                    f"check {self._address}."
                )
            if not is_own(first, onward):
                if method != "GET":
                    raise BadAnswerError(
                        f"{there.netloc} sends us on to {onward.netloc}, which is another host: if that is the API, "
                        f"name it in {self._address}."
                    )
                headers = {}
        raise BadAnswerError(f"{first.netloc} sends us from one address to the next without end.")


def is_own(first: SplitResult, there: SplitResult) -> bool:
    """Whether an address is of the host that was asked, at the same port; or at https where that was http."""

    def port(url: SplitResult) -> int | None:
        return url.port or {"http": 80, "https": 443}.get(url.scheme)

    if first.hostname != there.hostname:
        return False
    if first.scheme == there.scheme:
        return port(first) == port(there)
    return (first.scheme, port(first), there.scheme, port(there)) == ("http", 80, "https", 443)
