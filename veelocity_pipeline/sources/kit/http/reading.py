"""Reading an answer to its end, whatever it is: bounded in bytes, in seconds, and in what its JSON unfolds to.

httpx would unpack a piece of 64 KiB at once, into 64 MB where the server wants that, and waits for the next byte as
often as one comes. So bodies are unpacked here, a megabyte at a time, and all reading from a connection looks at the
clock.
"""

from __future__ import annotations

import re
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import orjson

if TYPE_CHECKING:
    from veelocity_pipeline.config.settings import Settings

Json = Any

MOST_BYTES = 64_000_000
"""Of a body, unpacked. Pages of a hundred pull requests with all that belongs to them have a few megabytes."""

MOST_SECONDS = 120.0
"""From the connection to the last byte. APIs give up on a query after 10 s, and servers in between after 60 s at the
latest; what is left is the way of some megabytes through a slow line."""

MOST_VALUES = 2_000_000
"""Of a body's JSON: each takes some sixty bytes of memory, though two in the body. A page has some ten thousand."""

_PIECE = 1 << 20
"""Bytes that are unpacked at once."""

UNPACKED = "gzip, deflate"
"""What is asked for, as the header ``Accept-Encoding`` has it; whatever else comes is not read."""


class UnreadableError(Exception):
    """The answer is none that can be read, and asking again would bring no other. The text ends a sentence."""


class TooMuchError(UnreadableError):
    """The body has more bytes than are read; a smaller page may have fewer."""


class TooSlowError(UnreadableError):
    """The answer took too long."""


@dataclass(frozen=True)
class Bounds:
    """How large and how slow an answer may be.

    Attributes:
        bytes: of its body, unpacked.
        seconds: from the connection to the last byte.
        values: of the body's JSON.
    """

    bytes: int = MOST_BYTES
    seconds: float = MOST_SECONDS
    values: int = MOST_VALUES

    @classmethod
    def of(cls, settings: Settings) -> Bounds:
        """As the settings say."""
        return cls(bytes=settings.max_answer_mb * 1_000_000)


class Deadline(threading.local):
    """When the request of this thread must have been answered."""

    moment = float("inf")
    seconds = 0.0

    def begin(self, seconds: float) -> None:
        """Give the next request so long."""
        self.moment, self.seconds = time.monotonic() + seconds, seconds

    def left(self) -> float:
        """Seconds.

        Raises:
            TooSlowError: none.
        """
        left = self.moment - time.monotonic()
        if left <= 0:
            raise TooSlowError(f"had not ended after {self.seconds:,.4g} seconds")
        return left

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Watch each connection that is made; what httpx takes as the extension ``trace`` of a request."""
        if is_connected(event):
            self.watch(info["return_value"])

    def watch(self, stream: Any) -> None:
        """Let no read from this network stream (of ``httpcore``) wait beyond the moment."""
        read: Callable[..., bytes] = stream.read

        def in_time(max_bytes: int, timeout: float | None = None) -> bytes:
            left = self.left()
            try:
                return read(max_bytes, min(left, timeout or left))
            except Exception:
                self.left()  # it was this that ended it
                raise

        stream.read = in_time


def is_connected(event: str) -> bool:
    """Whether an event that httpcore traces says that there is a network stream, as ``return_value``."""
    return event.endswith(("connect_tcp.complete", "start_tls.complete"))


def read(response: httpx.Response, bounds: Bounds, deadline: Deadline, count: Callable[[int], object]) -> bytes:
    """The body of an answer that is still a stream.

    Args:
        count: told how many bytes came, as they come.

    Raises:
        UnreadableError: it is larger, slower or other than the bounds allow.
        httpx.TransportError: as httpx has them.
        httpx.DecodingError: it is not packed as it says.
    """
    decoder: _AsItIs | _Inflated | None = None  # an answer without a body may say of it what it likes
    promised = response.headers.get("content-length", "")
    if promised.isdecimal() and len(promised) < 20 and int(promised) > bounds.bytes:
        raise _too_much(bounds)
    body = bytearray()
    came = 0
    assert isinstance(response.stream, httpx.SyncByteStream)
    for piece in response.stream:
        count(len(piece))
        came += len(piece)
        deadline.left()
        decoder = decoder or _decoder(response)
        try:
            for unpacked in decoder.feed(piece):
                body += unpacked
                if len(body) > bounds.bytes:
                    raise _too_much(bounds)
                deadline.left()
        except zlib.error as error:
            raise httpx.DecodingError(str(error), request=response.request) from None
        if came > bounds.bytes:
            raise _too_much(bounds)
    return bytes(body)


def _too_much(bounds: Bounds) -> TooMuchError:
    return TooMuchError(
        f"has more than {bounds.bytes / 1e6:,.4g} MB, which is more than is read (VEELOCITY_MAX_ANSWER_MB)"
    )


def whole(response: httpx.Response, body: bytes) -> httpx.Response:
    """The same answer with its body read."""
    kept = [
        (name, value)
        for name, value in response.headers.multi_items()
        if name not in ("content-encoding", "content-length", "transfer-encoding")
    ]
    return httpx.Response(response.status_code, headers=kept, content=body, request=response.request)


class _AsItIs:
    """A body that is not packed."""

    def feed(self, piece: bytes) -> Iterator[bytes]:
        yield piece


class _Inflated:
    """A body that is packed with gzip or deflate, unpacked a little at a time."""

    def __init__(self, is_gzip: bool) -> None:
        self._is_gzip = is_gzip
        self._inflate = self._new()
        self._is_at_start = True

    def _new(self) -> Any:
        return zlib.decompressobj(zlib.MAX_WBITS | 16 if self._is_gzip else zlib.MAX_WBITS)

    def feed(self, piece: bytes) -> Iterator[bytes]:
        while True:
            if self._inflate.eof:
                # gzip may have several parts; whatever else follows is nothing
                if not (self._is_gzip and piece.startswith(b"\x1f\x8b")):
                    return
                self._inflate = self._new()
            try:
                unpacked = self._inflate.decompress(piece, _PIECE)
            except zlib.error:
                if self._is_gzip or not self._is_at_start:
                    raise
                # some servers leave out the two bytes of zlib's header
                self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
                unpacked = self._inflate.decompress(piece, _PIECE)
            self._is_at_start = False
            yield unpacked
            piece = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
            if not piece and (self._inflate.eof or len(unpacked) < _PIECE):
                return


def _decoder(response: httpx.Response) -> _AsItIs | _Inflated:
    """What unpacks the body.

    Raises:
        UnreadableError: it is packed in a way that was not asked for, or several times.
    """
    names = [name.strip().lower() for name in response.headers.get_list("content-encoding", split_commas=True)]
    names = [name for name in names if name not in ("", "identity")]
    if not names:
        return _AsItIs()
    if len(names) > 1 or names[0] not in ("gzip", "x-gzip", "deflate"):
        raise UnreadableError(f"is packed as nobody asked for ({', '.join(names)[:100]})")
    return _Inflated(is_gzip=names[0] != "deflate")


def parsed(body: bytes, bounds: Bounds) -> tuple[Json, bool]:
    """The JSON of a body, and whether it is JSON (or nothing at all).

    Raises:
        UnreadableError: it is nested too deeply, or unfolds to too much.
    """
    if not body:
        return None, True
    if len(body) > bounds.values and body.lstrip()[:1] in (b"[", b"{"):
        values = sum(map(body.count, (b",", b"[", b"{")))
        if values > bounds.values:
            raise UnreadableError(f"has more than {bounds.values:,} values")
    try:
        return orjson.loads(body), True
    except orjson.JSONDecodeError as error:
        if "depth limit" in str(error) or "recursion" in str(error).lower():
            raise UnreadableError("is nested too deeply") from None
    mended = _as_text(body)
    if mended == body:
        return None, False
    try:
        return orjson.loads(mended), True
    except orjson.JSONDecodeError:
        return None, False


_ESCAPES = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
"""A backslash that stands for itself, a pair of surrogates, or one alone, in JSON."""


def _as_text(body: bytes) -> bytes:
    """Replace what is no text by U+FFFD: surrogates without their other half, and bytes that are not UTF-8.

    Some servers cut a text in the middle of an emoji, and JSON lets them.
    """
    body = _ESCAPES.sub(lambda found: rb"\ufffd" if len(found[0]) == 6 else found[0], body)
    return body.decode("utf-8", "replace").encode()


def is_cut_short(body: bytes) -> bool:
    """Whether a body that cannot be read looks like the beginning of JSON, or nothing came at all."""
    return not body or body.lstrip()[:1] in (b"{", b"[")
