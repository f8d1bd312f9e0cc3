"""What an answer that is no answer means, or a connection that breaks: an error, and how often to try again."""

from __future__ import annotations

import re
import ssl
from typing import Any
from urllib.parse import urlsplit

import httpx

from veelocity_pipeline.safety.foreign import sentence
from veelocity_pipeline.sources.kit.http.errors import (
    TOKEN_REJECTED,
    AuthenticationError,
    BadAnswerError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    SourceError,
    TooLargeError,
    UnreachableError,
)
from veelocity_pipeline.sources.kit.http.provider import Json, Provider, error_code, is_too_large, message
from veelocity_pipeline.sources.kit.http.reading import TooMuchError, UnreadableError, is_cut_short

MOST_ATTEMPTS = 6
"""How often one request is sent when the server stumbles: five waits of 1, 2, 4, 8, 16 s, with jitter."""

MOST_ATTEMPTS_UNREACHABLE = 3
"""A host that has not answered at all yet is more likely wrong than busy."""

MOST_ATTEMPTS_BAD = 3
"""Something that is not JSON: a page of some server in between."""

_CUT_SHORT = "ended its answer too early for"

_ENDED = ("disconnected", "closed connection")
"""What httpx says of a connection that broke, among all that it says of what is not HTTP."""

_TRANSIENT = re.compile(
    r"^$|^LOADING$|RESOURCE_LIMIT|UNAVAILABLE|INTERNAL|TIME_?OUT|TIMED_OUT|LOCK|OVERLOAD|BAD_GATEWAY|TRY_AGAIN|RETRY"
    r"|TRANSIENT|TEMPORAR|DEADLINE"
)
"""Codes of errors that go away: some servers say that something went wrong while they executed the query, without any
type."""


def is_transient(code: str) -> bool:
    """Whether an error with this code may go away by itself."""
    return bool(_TRANSIENT.search(code))


def host_of(url: str) -> str:
    """Return the host that a URL names; what is none stays as it is."""
    return urlsplit(url).netloc or url


class Answers:
    """Says what a provider's failures mean."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider

    def broken(
        self, error: httpx.RequestError, url: str, subject: str, attempts: int, has_answered: bool
    ) -> tuple[SourceError, int]:
        """What a broken connection means, and how often to try again."""
        host = host_of(url)
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError | httpx.UnsupportedProtocol):
            text = str(error) or "no connection"
            if isinstance(error.__cause__ and error.__cause__.__cause__, ssl.SSLError) or "CERTIFICATE" in text:
                return UnreachableError(
                    f"{host} cannot be trusted: {text}. If it has a certificate of your own authority, "
                    "name its file in SSL_CERT_FILE."
                ), 1
            once = isinstance(error, httpx.UnsupportedProtocol)
            return UnreachableError(
                f"{host} cannot be reached ({text}): check the network and {self.provider.address}."
            ), 1 if once else MOST_ATTEMPTS if has_answered else MOST_ATTEMPTS_UNREACHABLE
        if isinstance(error, httpx.RemoteProtocolError) and not any(part in str(error) for part in _ENDED):
            return BadAnswerError(f"{host} did not answer {subject} as HTTP wants it: {error}."), 1
        if isinstance(error, httpx.DecodingError):
            return OverloadedError(f"{host} {_CUT_SHORT} {subject}, every time it was asked."), attempts
        what = "took too long" if isinstance(error, httpx.TimeoutException) else "broke the connection"
        return OverloadedError(f"{host} {what} while answering {subject}, every time it was asked."), attempts

    def unreadable(self, error: UnreadableError, url: str, subject: str) -> SourceError:
        """What it means that an answer goes beyond the bounds; it is not asked for again."""
        text = f"{host_of(url)}'s answer to {subject} {error}."
        # OverloadedError lets those that ask by pages ask for a smaller one
        return TooLargeError(text) if isinstance(error, TooMuchError) else BadAnswerError(text)

    def refused(self, response: httpx.Response, body: Json, is_json: bool, subject: str) -> SourceError:
        status, title = response.status_code, self.provider.title
        text = sentence(message(body), 300)
        said = f" ({text})" if text else ""
        host = host_of(str(response.url))
        if status in (403, 451):
            wanted = self.provider.lacking(response)
            return self._forbidden(subject, said + (f", it wants {sentence(wanted, 300)}" if wanted else ""))
        if status in (404, 410):
            return NotFoundError(f"{title} does not know {subject}, or the token may not{said}.")
        if status in (408, 425) or status >= 500:
            return OverloadedError(f"{host} answered {status} for {subject}, every time it was asked.")
        if status >= 400 and is_json:
            failure = (
                self.graphql([e for e in body.get("errors") or () if isinstance(e, dict)], subject)
                if (isinstance(body, dict) and body.get("errors") and response.request.method == "POST")
                else None
            )
            return failure or BadAnswerError(f"{host} refused {subject} with status {status}{said}.", str(status))
        if status == 304:
            return OverloadedError(f"{host} answered {subject} with 'not modified', which nobody had asked.")
        if status < 300 and is_cut_short(response.content):
            return OverloadedError(f"{host} {_CUT_SHORT} {subject}, every time it was asked.")
        return BadAnswerError(
            f"{host} answered {subject} with status {status} and something that is not JSON: is it the API?",
            str(status),
        )

    def _forbidden(self, subject: str, said: str) -> PermissionDeniedError:
        return PermissionDeniedError(
            f"{self.provider.title} does not let the token read {subject}{said}: {self.provider.cure}."
        )

    def unauthenticated(self, variable: str = "", ending: str = "") -> AuthenticationError:
        which = f"the token that ends in …{ending}" if ending else "the token"
        return AuthenticationError(
            f"{self.provider.title} does not accept {which}: {variable or self.provider.variable} {TOKEN_REJECTED}."
        )

    def graphql(self, errors: list[dict[str, Any]], subject: str) -> SourceError:
        codes = [error_code(error) for error in errors]
        text = sentence(
            "; ".join(dict.fromkeys(str(error.get("message") or error_code(error)) for error in errors)), 500
        )
        title = self.provider.title
        if "AUTHENTICATION_ERROR" in codes:
            return self.unauthenticated()
        if "NOT_FOUND" in codes:
            return NotFoundError(f"{title} does not know {subject}, or the token may not: {text}")
        if codes and all(code in ("FORBIDDEN", "INSUFFICIENT_SCOPES") for code in codes):
            return PermissionDeniedError(
                f"{title} does not let the token read {subject} ({text}): {self.provider.cure}."
            )
        if any(map(is_too_large, errors)):
            return TooLargeError(f"{title} finds {subject} too much at once: {text}")
        if all(map(_TRANSIENT.search, codes)):
            return OverloadedError(f"{title} could not finish {subject}: {text or 'no data'}.")
        return BadAnswerError(f"{title} refused {subject}: {text}", next((code for code in codes if code), ""))
