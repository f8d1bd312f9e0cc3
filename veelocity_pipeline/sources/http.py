"""The one HTTP client of all sources: tokens, budgets, waits, retries, paging, GraphQL errors.

What GitHub and Linear do differently (how a token is sent, how a limit is told) is a ``Provider``.
Facts: GitHub's "Rate limits and query limits for the GraphQL API" and "Best practices for using the
REST API"; Linear's "Rate limiting". No token is ever part of a message, a log line or a repr.
"""

from __future__ import annotations

import functools
import math
import random
import ssl
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

import httpx
import orjson
from pydantic import SecretStr

from .errors import (
    TOKEN_REJECTED,
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

Json = Any
S = TypeVar("S")
T = TypeVar("T")

LONGEST_WAIT = 3_900.0
"""Seconds. A primary limit comes back within the hour; whoever wants longer than that is not waited for."""

FIRST_SECONDARY_WAIT = 60.0
"""Seconds to wait at a limit that does not say how long: at least a minute, then twice as long each time."""

MOST_WAITS = 6
"""How often one request waits at limits before it gives up."""

MOST_ATTEMPTS = 6
"""How often one request is sent when the server stumbles: five waits of 1, 2, 4, 8, 16 s, with jitter."""

MOST_ATTEMPTS_UNREACHABLE = 3
"""A host that has not answered at all yet is more likely wrong than busy."""

MOST_ATTEMPTS_BAD = 3
"""Something that is not JSON: half a body, or a page of some server in between."""

TIMEOUT = httpx.Timeout(60.0, connect=15.0)
"""GitHub ends a query after 10 s; some servers in between take longer to say so."""


def _version() -> str:
    try:
        return version("veelocity")
    except PackageNotFoundError:
        return "0"


USER_AGENT = f"veelocity/{_version()}"


# ---------------------------------------------------------------------------------------------- providers


@dataclass(frozen=True)
class Limited:
    """An answer that says: not now.

    Attributes:
        seconds: how long to wait; None where the provider does not say.
        is_primary: the token's hourly budget is spent, as against too much at once.
    """

    seconds: float | None
    is_primary: bool


@dataclass(frozen=True)
class Budget:
    """What a token has left, as the last answer said, and the seconds until it is full again."""

    remaining: int
    seconds: float


class Provider(ABC):
    """How one vendor sends tokens and tells limits.

    Attributes:
        title: for messages.
        variable: the setting that holds the token.
        cure: what a token that may not read something lacks.
    """

    title: str
    variable: str
    cure: str

    @abstractmethod
    def headers(self, token: str) -> dict[str, str]:
        """Headers of every request with this token."""

    @abstractmethod
    def limited(self, response: httpx.Response, body: Json, now: float) -> Limited | None:
        """Whether this answer is a limit. ``now`` is the server's time, in seconds of Unix."""

    @abstractmethod
    def budget(self, response: httpx.Response, now: float) -> Budget | None:
        """What the token has left; None if the answer does not say."""

    @abstractmethod
    def points(self, response: httpx.Response, body: Json) -> int:
        """What a GraphQL answer cost, in the provider's points; 0 if it does not say."""


class GitHub(Provider):
    """GitHub, in the cloud or one's own; headers of limits may be missing there."""

    title = "GitHub"
    variable = "GITHUB_TOKEN"
    cure = (
        "give the token read access to it (classic token: scope 'repo'; fine-grained token: Contents, Issues, "
        "Pull requests, Actions, Deployments and Metadata, read-only; with SAML also authorize it for the organization)"
    )

    def headers(self, token: str) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }

    def limited(self, response: httpx.Response, body: Json, now: float) -> Limited | None:
        headers = response.headers
        if response.status_code in (403, 429):
            after = _number(headers.get("retry-after"))
            spent = headers.get("x-ratelimit-remaining") == "0"
            told = "rate limit" in _message(body).lower() or "abuse detection" in _message(body).lower()
            if after is not None:
                return Limited(after, spent)
            if spent:
                return Limited(self._until_reset(response, now), True)
            if told or response.status_code == 429:
                return Limited(None, False)
        if response.status_code == 200 and any(code == "RATE_LIMITED" for code in _error_codes(body)):
            after = _number(headers.get("retry-after"))
            return Limited(after if after is not None else self._until_reset(response, now), True)
        return None

    def budget(self, response: httpx.Response, now: float) -> Budget | None:
        remaining = _number(response.headers.get("x-ratelimit-remaining"))
        seconds = self._until_reset(response, now)
        return None if remaining is None or seconds is None else Budget(int(remaining), seconds)

    def points(self, response: httpx.Response, body: Json) -> int:
        limit = (body.get("data") or {}).get("rateLimit") if isinstance(body, dict) else None
        return int(limit.get("cost") or 0) if isinstance(limit, dict) else 0

    @staticmethod
    def _until_reset(response: httpx.Response, now: float) -> float | None:
        reset = _number(response.headers.get("x-ratelimit-reset"))
        # One second more: the header is cut to whole seconds.
        return None if reset is None else max(0.0, reset - now) + 1


class Linear(Provider):
    """Linear; a personal key is sent bare, an OAuth token as a bearer."""

    title = "Linear"
    variable = "LINEAR_API_KEY"
    cure = "use a key of a member who can see it"

    def headers(self, token: str) -> dict[str, str]:
        return {"Authorization": token if token.startswith("lin_api_") else f"Bearer {token}"}

    def limited(self, response: httpx.Response, body: Json, now: float) -> Limited | None:
        if response.status_code == 429 or "RATELIMITED" in _error_codes(body):
            after = _number(response.headers.get("retry-after"))
            if after is not None:
                return Limited(after, True)
            waits = [
                seconds
                for kind in ("requests", "complexity")
                if response.headers.get(f"x-ratelimit-{kind}-remaining") == "0"
                and (seconds := self._until_reset(response, kind, now)) is not None
            ]
            return Limited(max(waits) if waits else self._until_reset(response, "requests", now), bool(waits))
        return None

    def budget(self, response: httpx.Response, now: float) -> Budget | None:
        remaining = _number(response.headers.get("x-ratelimit-requests-remaining"))
        seconds = self._until_reset(response, "requests", now)
        return None if remaining is None or seconds is None else Budget(int(remaining), seconds)

    def points(self, response: httpx.Response, body: Json) -> int:
        return math.ceil(_number(response.headers.get("x-complexity")) or 0)

    @staticmethod
    def _until_reset(response: httpx.Response, kind: str, now: float) -> float | None:
        milliseconds = _number(response.headers.get(f"x-ratelimit-{kind}-reset"))
        return None if milliseconds is None else max(0.0, milliseconds / 1000 - now) + 1


GITHUB = GitHub()
LINEAR = Linear()


# ------------------------------------------------------------------------------------------------- client


@dataclass(frozen=True)
class Response:
    """An answer to a GET.

    Attributes:
        json: the body; None where nothing changed (``is_unchanged``) or there is none.
        headers: as httpx gives them (names without regard to case).
        date: the server's time of the answer; our own if it did not say.
        etag: what to pass as ``etag`` to ask the same again; empty if the server gave none.
        is_unchanged: the server answered 304 to the ``etag``.
        next: the following page's URL, empty at the end.
    """

    json: Json
    headers: Mapping[str, str]
    date: datetime
    etag: str = ""
    is_unchanged: bool = False
    next: str = ""


@dataclass
class Usage:
    """What some requests cost: their number, the provider's points, and seconds of waiting at limits."""

    requests: int = 0
    points: int = 0
    waited: float = 0.0


@dataclass(frozen=True)
class Wait:
    """A wait that begins now, for ``seconds``; ``reason`` is a sentence for the person who looks on."""

    seconds: float
    reason: str


@dataclass
class _Token:
    value: SecretStr
    number: int
    remaining: int | None = None
    resets_at: float = 0.0  # monotonic
    blocked_until: float = 0.0  # monotonic
    lock: threading.Lock = field(default_factory=threading.Lock)


class Client:
    """Reads one provider's REST and GraphQL APIs. Safe to share between threads.

    Args:
        base_url: REST root without a slash at the end; may be empty where there is only GraphQL.
        graphql_url: GraphQL endpoint.
        tokens: one or several; each has its own budget, the fullest is used.
        provider: GITHUB or LINEAR.
        user_agent: sent with each request.
        sleep: how to wait for some seconds; by default a wait that ``cancel`` ends.
        on_wait: told of each wait at a limit before it begins.
        transport: an httpx transport in place of the network.
    """

    def __init__(
        self,
        base_url: str,
        graphql_url: str,
        tokens: Sequence[SecretStr],
        *,
        provider: Provider = GITHUB,
        user_agent: str = USER_AGENT,
        sleep: Callable[[float], None] | None = None,
        on_wait: Callable[[Wait], None] | None = None,
        transport: httpx.BaseTransport | None = None,
        timeout: httpx.Timeout = TIMEOUT,
    ) -> None:
        if not tokens:
            raise AuthenticationError(f"No {provider.title} token: set {provider.variable}.")
        self.base_url = base_url.rstrip("/")
        self.graphql_url = graphql_url
        self.provider = provider
        self.on_wait = on_wait
        self._tokens = [_Token(token, number) for number, token in enumerate(tokens)]
        self._cancelled = threading.Event()
        self._sleep = sleep or self._cancelled.wait
        self._total = Usage()
        self._lock = threading.Lock()
        self._meters = threading.local()
        self._server_date: datetime | None = None
        # httpx drops the Authorization header by itself where a redirect leaves the host.
        self._http = httpx.Client(
            headers={"User-Agent": user_agent},
            timeout=timeout,
            follow_redirects=True,
            transport=transport,
            limits=httpx.Limits(max_connections=32, max_keepalive_connections=8),
        )

    def __repr__(self) -> str:
        return f"Client({self.provider.title}, {urlsplit(self.graphql_url).netloc})"

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def cancel(self) -> None:
        """End all waits; every request from now on raises CancelledError."""
        self._cancelled.set()

    # ------------------------------------------------------------------------------------ what it cost

    @property
    def requests(self) -> int:
        """Requests sent so far, retries included."""
        return self._total.requests

    @property
    def points(self) -> int:
        """GraphQL points (Linear: complexity) spent so far."""
        return self._total.points

    @property
    def waited(self) -> float:
        """Seconds waited at limits so far."""
        return self._total.waited

    @property
    def remaining(self) -> int | None:
        """Requests or points that all tokens together have left, as their last answers said; None if none said."""
        known = [token.remaining for token in self._tokens if token.remaining is not None]
        return sum(known) if known else None

    @property
    def server_date(self) -> datetime | None:
        """The server's time of the first answer; None before there is one."""
        return self._server_date

    @contextmanager
    def metered(self) -> Iterator[Usage]:
        """Count what this thread spends within the block."""
        usage = Usage()
        meters: list[Usage] = getattr(self._meters, "stack", None) or []
        self._meters.stack = [*meters, usage]
        try:
            yield usage
        finally:
            self._meters.stack = meters

    def _spend(self, requests: int = 0, points: int = 0, waited: float = 0.0) -> None:
        with self._lock:
            for usage in (self._total, *(getattr(self._meters, "stack", None) or ())):
                usage.requests += requests
                usage.points += points
                usage.waited += waited

    # -------------------------------------------------------------------------------------------- REST

    def get(self, path: str, params: Mapping[str, Any] | None = None, *, etag: str = "", about: str = "") -> Response:
        """GET one REST resource.

        Args:
            path: beginning with a slash, or a whole URL of the same API (a ``next`` link).
            params: query parameters; None values are left out.
            etag: of an earlier ``Response``: what has not changed is not sent again, and is free of charge.
            about: what is read, for messages; a repository's name.

        Raises:
            SourceError: of the kind that fits, after waits and retries.
        """
        query = {key: value for key, value in (params or {}).items() if value is not None}
        url = self._url(path)
        if query:
            url = f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
        number, _, tag = etag.partition(" ")
        token = self._tokens[int(number)] if tag and number.isdigit() and int(number) < len(self._tokens) else None
        response, body, used = self._send("GET", url, None, about or path, token, tag)
        tag = response.headers.get("etag", "")
        return Response(
            json=body,
            headers=response.headers,
            date=_date(response),
            etag=f"{used.number} {tag}" if tag else etag if response.status_code == 304 else "",
            is_unchanged=response.status_code == 304,
            next=self._next(response),
        )

    def pages(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        items_key: str = "",
        *,
        etags: MutableMapping[str, str] | None = None,
        about: str = "",
    ) -> Iterator[list[Json]]:
        """The items of each page of a list, following ``rel="next"``.

        Args:
            items_key: where the items are if the body is an object (``workflow_runs``); empty: it is a list.
            etags: by ``path``; the first page is asked with what is in there, and what it answered is
                put there. If it did not change there is no page at all.

        Raises:
            BadAnswerError: a page is not of this form.
            SourceError: as ``get``.
        """
        answer = self.get(path, params, etag=(etags or {}).get(path, ""), about=about)
        if etags is not None and answer.etag:
            etags[path] = answer.etag
        if answer.is_unchanged:
            return
        listed, number = 0, 1
        while True:
            items = answer.json.get(items_key) if items_key and isinstance(answer.json, dict) else answer.json
            if not isinstance(items, list):
                raise BadAnswerError(
                    f"{self.provider.title} answered {path} without the list that belongs there; "
                    f"is {self._host(self.base_url)} the API?"
                )
            yield items
            listed, number = listed + len(items), number + 1
            if answer.next:
                answer = self.get(answer.next, about=about or path)
            elif items_key and items and listed < (answer.json.get("total_count") or 0):
                # A proxy dropped the Link header.
                answer = self.get(path, {**(params or {}), "page": number}, about=about)
            else:
                return

    def _url(self, path: str) -> str:
        if path.startswith("/"):
            return f"{self.base_url}{path}"
        return path

    def _next(self, response: httpx.Response) -> str:
        """The next page's URL, at our own host: a proxy may pass on the links of the host behind it."""
        link = response.links.get("next", {}).get("url", "")
        if not link:
            return ""
        asked, there = str(response.url), urljoin(str(response.url), link)
        if urlsplit(there)[:2] == urlsplit(asked)[:2]:
            return there
        # The host behind names its own address, or the repository by its number: what counts is which page it is.
        return urlunsplit(urlsplit(asked)._replace(query=urlsplit(there).query))

    # ----------------------------------------------------------------------------------------- GraphQL

    def graphql(self, document: str, variables: Mapping[str, Any] | None = None, *, about: str = "") -> dict[str, Any]:
        """The ``data`` of a GraphQL answer that has no errors; a part of an answer is never one.

        Raises:
            NotFoundError, PermissionDeniedError: the errors say so.
            OverloadedError: the server could not finish, however often it was asked.
            BadAnswerError: any other error.
            SourceError: as ``get``.
        """
        data, errors = self._graphql(document, variables, about, frozenset(), MOST_ATTEMPTS)
        assert not errors
        return data

    def graphql_tolerant(
        self,
        document: str,
        variables: Mapping[str, Any] | None = None,
        *,
        tolerate: frozenset[str] = frozenset({"NOT_FOUND", "FORBIDDEN", "INSUFFICIENT_SCOPES"}),
        about: str = "",
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """As ``graphql``, but errors whose type is one of ``tolerate`` are returned beside the data.

        For documents that ask for many things by alias, of which some may not be there.
        """
        return self._graphql(document, variables, about, tolerate, MOST_ATTEMPTS)

    def graphql_page(
        self,
        document: str,
        variables: Mapping[str, Any],
        size: PageSize,
        *,
        argument: str = "first",
        most: int | None = None,
        about: str = "",
    ) -> dict[str, Any]:
        """As ``graphql``, with the page's size as variable ``argument``, smaller where the server cannot manage.

        Args:
            most: no more than this; GitHub counts points by what is asked for, not by what there is.
        """

        def ask(first: int, is_least: bool) -> dict[str, Any]:
            # At any size but the least, asking for less is better than asking again.
            attempts = MOST_ATTEMPTS if is_least else 1
            page = {**variables, argument: first if most is None else max(1, min(first, most))}
            data, _ = self._graphql(document, page, about, frozenset(), attempts)
            return data

        return size.ask(ask, lambda: self._pause(_backoff(1)))

    def _graphql(
        self,
        document: str,
        variables: Mapping[str, Any] | None,
        about: str,
        tolerate: frozenset[str],
        attempts: int,
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        payload = orjson.dumps({"query": document, "variables": dict(variables or {})})
        subject = about or "the GraphQL query"
        for attempt in range(1, attempts + 1):
            _, body, _ = self._send("POST", self.graphql_url, payload, subject, attempts=attempts)
            if not isinstance(body, dict):
                raise BadAnswerError(f"{self._host(self.graphql_url)} did not answer as a GraphQL API does.")
            errors = [e for e in body.get("errors") or () if isinstance(e, dict) and not _is_only_too_large(e)]
            data = body.get("data")
            fatal = [error for error in errors if _code(error) not in tolerate]
            if not fatal and isinstance(data, dict):
                return data, errors
            failure = self._graphql_failure(fatal, subject)
            if not isinstance(failure, OverloadedError) or attempt == attempts:
                raise failure
            self._pause(_backoff(attempt))
        raise AssertionError("unreachable")

    def _graphql_failure(self, errors: list[dict[str, Any]], subject: str) -> SourceError:
        codes = [_code(error) for error in errors]
        text = "; ".join(dict.fromkeys(str(error.get("message") or _code(error)) for error in errors))[:500]
        title = self.provider.title
        if "AUTHENTICATION_ERROR" in codes:
            return self._unauthenticated()
        if "NOT_FOUND" in codes:
            return NotFoundError(f"{title} does not know {subject}, or the token may not: {text}")
        if codes and all(code in ("FORBIDDEN", "INSUFFICIENT_SCOPES") for code in codes):
            return PermissionDeniedError(
                f"{title} does not let the token read {subject} ({text}): {self.provider.cure}."
            )
        if all(code in _TRANSIENT_CODES for code in codes):
            return OverloadedError(f"{title} could not finish {subject}: {text or 'no data'}.")
        return BadAnswerError(f"{title} refused {subject}: {text}", next((code for code in codes if code), ""))

    # -------------------------------------------------------------------------------------- one request

    def _send(
        self,
        method: str,
        url: str,
        payload: bytes | None,
        subject: str,
        token: _Token | None = None,
        etag: str = "",
        attempts: int = MOST_ATTEMPTS,
    ) -> tuple[httpx.Response, Json, _Token]:
        """Send until there is an answer that is neither a limit nor a stumble."""
        waits = attempt = 0
        pinned = token
        while True:
            used = self._token(pinned)
            attempt += 1
            headers = self.provider.headers(used.value.get_secret_value())
            if payload is not None:
                headers["Content-Type"] = "application/json"
            if etag and used is pinned:
                headers["If-None-Match"] = etag
            failure: SourceError
            most = attempts
            self._spend(requests=1)
            try:
                response = self._http.request(method, url, content=payload, headers=headers)
            except httpx.TransportError as error:
                failure, most = self._broken(error, url, subject, attempts)
            except (httpx.TooManyRedirects, httpx.DecodingError, httpx.InvalidURL) as error:
                raise BadAnswerError(
                    f"{self._host(url)} did not answer as an API does: {type(error).__name__}."
                ) from None
            else:
                now = _date(response)
                if self._server_date is None:
                    with self._lock:
                        self._server_date = self._server_date or now
                try:
                    body = orjson.loads(response.content) if response.content else None
                    is_json = True
                except orjson.JSONDecodeError:
                    body, is_json = None, False
                self._spend(points=self.provider.points(response, body))
                self._note(used, self.provider.budget(response, now.timestamp()))
                limited = self.provider.limited(response, body, now.timestamp())
                if limited:
                    waits += 1
                    attempt -= 1
                    self._limit(used, limited, waits)
                    continue
                status = response.status_code
                if status == 304 or (is_json and 200 <= status < 300 and (method == "GET" or body is not None)):
                    return response, body, used
                failure = self._refused(response, body, is_json, subject)
                if is_json is False and status < 500:
                    most = MOST_ATTEMPTS_BAD
                if not isinstance(failure, OverloadedError) and not (
                    isinstance(failure, BadAnswerError) and status < 300
                ):
                    raise failure
            if attempt >= most:
                # No chain: an exception of httpx holds the request, and that its headers.
                raise failure from None
            self._pause(_backoff(attempt))

    def _broken(self, error: httpx.TransportError, url: str, subject: str, attempts: int) -> tuple[SourceError, int]:
        """What a broken connection means, and how often to try again."""
        host = self._host(url)
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError | httpx.UnsupportedProtocol):
            text = str(error) or "no connection"
            if isinstance(error.__cause__ and error.__cause__.__cause__, ssl.SSLError) or "CERTIFICATE" in text:
                return UnreachableError(
                    f"{host} cannot be trusted: {text}. If it has a certificate of your own authority, "
                    "name its file in SSL_CERT_FILE."
                ), 1
            setting = "GITHUB_API_URL" if self.provider is GITHUB else "LINEAR_API_URL"
            once = isinstance(error, httpx.UnsupportedProtocol)
            return UnreachableError(
                f"{host} cannot be reached ({text}): check the network and {setting}."
            ), 1 if once else MOST_ATTEMPTS if self._server_date else MOST_ATTEMPTS_UNREACHABLE
        what = "took too long" if isinstance(error, httpx.TimeoutException) else "broke the connection"
        return OverloadedError(f"{host} {what} while answering {subject}, every time it was asked."), attempts

    def _refused(self, response: httpx.Response, body: Json, is_json: bool, subject: str) -> SourceError:
        status, title = response.status_code, self.provider.title
        text = _message(body)[:300]
        said = f" ({text})" if text else ""
        host = self._host(str(response.url))
        if status == 401:
            return self._unauthenticated()
        if status in (403, 451):
            return self._forbidden(subject, said)
        if status in (404, 410):
            return NotFoundError(f"{title} does not know {subject}, or the token may not{said}.")
        if status in (408, 425) or status >= 500:
            return OverloadedError(f"{host} answered {status} for {subject}, every time it was asked.")
        if status >= 400 and is_json:
            failure = (
                self._graphql_failure([e for e in body.get("errors") or () if isinstance(e, dict)], subject)
                if (isinstance(body, dict) and body.get("errors") and response.request.method == "POST")
                else None
            )
            return failure or BadAnswerError(f"{host} refused {subject} with status {status}{said}.", str(status))
        return BadAnswerError(
            f"{host} answered {subject} with status {status} and something that is not JSON: is it the API?",
            str(status),
        )

    def _forbidden(self, subject: str, said: str) -> PermissionDeniedError:
        return PermissionDeniedError(
            f"{self.provider.title} does not let the token read {subject}{said}: {self.provider.cure}."
        )

    def _unauthenticated(self) -> AuthenticationError:
        return AuthenticationError(
            f"{self.provider.title} does not accept the token: {self.provider.variable} {TOKEN_REJECTED}."
        )

    # ------------------------------------------------------------------------------- limits and waiting

    def _token(self, pinned: _Token | None) -> _Token:
        """The token for the next request, after any wait for it."""
        if self._cancelled.is_set():
            raise CancelledError("Interrupted.")

        def delay(token: _Token) -> float:
            with token.lock:
                until = token.blocked_until
                if token.remaining == 0:
                    until = max(until, token.resets_at)
                return max(0.0, until - time.monotonic())

        token = pinned
        if token is None or delay(token) > 0:
            token = min(self._tokens, key=lambda t: (delay(t), -(math.inf if t.remaining is None else t.remaining)))
        seconds = delay(token)
        if seconds > 0:
            self._wait(seconds, f"{self.provider.title}'s limit is reached")
            # The wait is over, whatever clock ``sleep`` goes by.
            with token.lock:
                token.blocked_until, token.remaining = 0.0, None
        return token

    def _note(self, token: _Token, budget: Budget | None) -> None:
        if budget is not None:
            with token.lock:
                token.remaining, token.resets_at = budget.remaining, time.monotonic() + budget.seconds

    def _limit(self, token: _Token, limited: Limited, waits: int) -> None:
        """Block a token that has met a limit; the next ``_token`` waits or takes another."""
        title = self.provider.title
        if waits > MOST_WAITS * len(self._tokens):
            raise RateLimitedError(
                f"{title} still limits us after {waits} waits: try again later, or use another token."
            )
        seconds = limited.seconds
        if seconds is None:
            seconds = FIRST_SECONDARY_WAIT * 2 ** ((waits - 1) // len(self._tokens))
        if seconds > LONGEST_WAIT:
            raise RateLimitedError(
                f"{title} asks us to wait {seconds / 60:.0f} minutes, which is longer than we do: try again later, "
                f"or add a token to {self.provider.variable}."
            )
        with token.lock:
            token.remaining = None  # what was noted is older than this
            token.blocked_until = max(token.blocked_until, time.monotonic() + max(seconds, 1.0))

    def _wait(self, seconds: float, reason: str) -> None:
        if seconds > LONGEST_WAIT:
            raise RateLimitedError(f"{reason}, for another {seconds / 60:.0f} minutes: try again later.")
        if self.on_wait:
            self.on_wait(Wait(seconds, f"{reason}: going on in {seconds:.0f} s"))
        self._spend(waited=seconds)
        self._pause(seconds)

    def _pause(self, seconds: float) -> None:
        self._sleep(seconds)
        if self._cancelled.is_set():
            raise CancelledError("Interrupted.")

    @staticmethod
    def _host(url: str) -> str:
        return urlsplit(url).netloc or url


class PageSize:
    """How much to ask for at once: half as much when the server cannot manage, slowly more again after.

    Shared by threads that read the same kind of page.
    """

    def __init__(self, most: int, least: int = 1, patience: int = 3) -> None:
        self.most = most
        self.least = least
        self._patience = patience
        self._current = most
        self._good = 0
        self._lock = threading.Lock()

    @property
    def current(self) -> int:
        """The size that the next page is asked with."""
        return self._current

    def ask(self, send: Callable[[int, bool], T], pause: Callable[[], None]) -> T:
        """Call ``send(size, is_least)`` with ever smaller sizes until it does not raise OverloadedError.

        Raises:
            OverloadedError: not even the least can be had.
        """
        while True:
            size = self._current
            try:
                answer = send(size, size <= self.least)
            except OverloadedError:
                if size <= self.least:
                    raise
                with self._lock:
                    self._current = max(self.least, min(self._current, size // 2))
                    self._good = 0
                pause()
                continue
            with self._lock:
                self._good += 1
                if self._good >= self._patience and self._current < self.most:
                    self._current = min(self.most, max(self._current + 1, self._current * 3 // 2))
                    self._good = 0
            return answer

    def portions(self, items: Iterable[S], send: Callable[[list[S]], T]) -> Iterator[tuple[list[S], T]]:
        """Call ``send`` with as many of the items at once as go, until all were sent."""
        left = list(items)
        while left:
            some, answer = self.ask(functools.partial(_portion, left, send), lambda: None)
            left = left[len(some) :]
            yield some, answer


def _portion(items: list[S], send: Callable[[list[S]], T], count: int, _is_least: bool) -> tuple[list[S], T]:
    some = items[:count]
    return some, send(some)


# ------------------------------------------------------------------------------------------------ helpers

_TRANSIENT_CODES = frozenset(
    {"", "RESOURCE_LIMITS_EXCEEDED", "SERVICE_UNAVAILABLE", "INTERNAL", "INTERNAL_SERVER_ERROR", "LOADING", "TIMEOUT"}
)
"""Errors that go away: GitHub says "Something went wrong while executing your query" without any type."""


def _backoff(attempt: int) -> float:
    """Seconds before the next attempt: doubling, with jitter so that threads do not come back together."""
    return min(30.0, 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.0)


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    return value if value is not None and math.isfinite(value) else None


def _date(response: httpx.Response) -> datetime:
    try:
        date = parsedate_to_datetime(response.headers.get("date", ""))
    except ValueError:
        return datetime.now(UTC)
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)


def _message(body: Json) -> str:
    if isinstance(body, dict):
        if isinstance(body.get("message"), str):
            return body["message"]
        errors = body.get("errors")
        if isinstance(errors, list):
            return "; ".join(str(error.get("message", "")) for error in errors if isinstance(error, dict))
    return ""


def _code(error: Mapping[str, Any]) -> str:
    """An error's own code: GitHub's ``type``, Linear's ``extensions.code`` (upper case)."""
    extensions = error.get("extensions")
    code = error.get("type") or (extensions.get("code") if isinstance(extensions, dict) else "") or ""
    return str(code).upper().replace(" ", "_")


def _is_only_too_large(error: Mapping[str, Any]) -> bool:
    """Whether an error is that an id has outgrown GraphQL's Int: that field is null then, and the rest is whole."""
    path = error.get("path")
    return isinstance(path, list) and path[-1:] == ["databaseId"]


def _error_codes(body: Json) -> list[str]:
    errors = body.get("errors") if isinstance(body, dict) else None
    return [_code(error) for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
