"""The one HTTP client of all sources: tokens, budgets, waits, retries, paging, GraphQL errors.

What GitHub and Linear do differently (how a token is sent, how a limit is told) is a ``Provider``.
Facts: GitHub's "Rate limits and query limits for the GraphQL API" and "Best practices for using the
REST API"; Linear's "Rate limiting". No token is ever part of a message, a log line or a repr.
"""

from __future__ import annotations

import contextlib
import copy
import math
import random
import socket
import ssl
import threading
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit, urlunsplit

import httpx
import orjson
from pydantic import SecretStr

from veelocity_pipeline.safety.foreign import sentence
from veelocity_pipeline.sources.kit.http.accounts import Account, Accounts, Budget, Delay, FixedToken, Ticket
from veelocity_pipeline.sources.kit.http.errors import (
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
from veelocity_pipeline.sources.kit.http.paging import Pages, PageSize
from veelocity_pipeline.sources.kit.http.reading import (
    UNPACKED,
    Bounds,
    Deadline,
    TooMuchError,
    UnreadableError,
    is_connected,
    is_cut_short,
    parsed,
    read,
    whole,
)

Json = Any

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
"""Something that is not JSON: a page of some server in between."""

MOST_LISTED = 1_000
"""Pages of a list of REST, of a hundred items each mostly."""

MOST_REDIRECTS = 5
"""A renamed repository answers with one, its page links with none."""

MOST_CONNECTIONS = 32
"""At once. GitHub allows 100 requests at once to all programs of a user together."""

TOLD_EVERY = 30.0
"""Seconds after which a wait is spoken of again, where a tenth of it is not longer."""

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
        resource: whose hourly budget is spent; empty where it was too much at once, which blocks the whole token.
    """

    seconds: float | None
    resource: str


class Provider(ABC):
    """How one vendor sends tokens and tells limits.

    Attributes:
        title: for messages.
        variable: the setting that holds the token.
        address: the setting that holds the API's address.
        cure: what a token that may not read something lacks.
    """

    title: str
    variable: str
    address: str
    cure: str

    @abstractmethod
    def headers(self, token: str) -> dict[str, str]:
        """Headers of every request with this token."""

    @abstractmethod
    def costs(self, is_graphql: bool, points: int) -> dict[str, int]:
        """What a request takes of each resource, if a GraphQL document costs this many points."""

    @abstractmethod
    def limited(self, response: httpx.Response, body: Json, now: float, is_graphql: bool) -> Limited | None:
        """Whether this answer is a limit. ``now`` is the server's time, in seconds of Unix."""

    @abstractmethod
    def budgets(self, response: httpx.Response, now: float, is_graphql: bool) -> dict[str, Budget]:
        """What the token has left, by resource; empty if the answer does not say."""

    def pace(self, url: str) -> dict[str, int]:
        """By resource, what a token may spend in a minute at the API with this address; empty: as much as it likes."""
        del url
        return {}

    @abstractmethod
    def points(self, response: httpx.Response, body: Json) -> int:
        """What a GraphQL answer cost, in the provider's points; 0 if it does not say."""


class GitHub(Provider):
    """GitHub, in the cloud or one's own; headers of limits may be missing there."""

    title = "GitHub"
    variable = "GITHUB_TOKEN"
    address = "GITHUB_API_URL"
    cure = (
        "give the token read access to it (classic token: scope 'repo'; fine-grained token or GitHub App: Contents, "
        "Issues, Pull requests, Actions, Deployments and Metadata, read-only; with SAML also authorize it for the "
        "organization)"
    )

    def headers(self, token: str) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }

    def costs(self, is_graphql: bool, points: int) -> dict[str, int]:
        return {"graphql": max(1, points)} if is_graphql else {"core": 1}

    def limited(self, response: httpx.Response, body: Json, now: float, is_graphql: bool) -> Limited | None:
        headers, text = response.headers, _message(body).lower()
        after = _number(headers.get("retry-after"))
        resource = headers.get("x-ratelimit-resource") or ("graphql" if is_graphql else "core")
        is_secondary = "secondary rate limit" in text or "abuse detection" in text
        if response.status_code in (403, 429):
            is_spent = headers.get("x-ratelimit-remaining") == "0" and not is_secondary
            if is_spent:
                return Limited(after if after is not None else self._until_reset(response, now), resource)
            if after is not None or is_secondary or "rate limit" in text or response.status_code == 429:
                return Limited(after, "")
        if response.status_code == 200 and is_graphql:
            if "RATE_LIMITED" in _error_codes(body) and not is_secondary:
                return Limited(after if after is not None else self._until_reset(response, now), resource)
            if is_secondary and _error_codes(body):
                return Limited(after, "")
        return None

    def budgets(self, response: httpx.Response, now: float, is_graphql: bool) -> dict[str, Budget]:
        remaining = _number(response.headers.get("x-ratelimit-remaining"))
        seconds = self._until_reset(response, now)
        if remaining is None or seconds is None:
            return {}
        resource = response.headers.get("x-ratelimit-resource") or ("graphql" if is_graphql else "core")
        limit = _number(response.headers.get("x-ratelimit-limit"))
        window = _number(response.headers.get("x-ratelimit-reset"))
        return {resource: Budget(int(remaining), seconds, window, None if limit is None else int(limit))}

    def points(self, response: httpx.Response, body: Json) -> int:
        limit = (body.get("data") or {}).get("rateLimit") if isinstance(body, dict) else None
        return int(limit.get("cost") or 0) if isinstance(limit, dict) else 0

    def pace(self, url: str) -> dict[str, int]:
        # In the cloud 2,000 points a minute of GraphQL and 900 of REST; a server of one's own has no such limit.
        host = urlsplit(url).hostname or ""
        return {"graphql": 2_000, "core": 900} if host == "api.github.com" or host.endswith(".ghe.com") else {}

    @staticmethod
    def _until_reset(response: httpx.Response, now: float) -> float | None:
        reset = _number(response.headers.get("x-ratelimit-reset"))
        # One second more: the header is cut to whole seconds.
        return None if reset is None else max(0.0, reset - now) + 1


class Linear(Provider):
    """Linear; a personal key is sent bare, an OAuth token as a bearer."""

    title = "Linear"
    variable = "LINEAR_API_KEY"
    address = "LINEAR_API_URL"
    cure = "use a key of a member who can see it"

    def headers(self, token: str) -> dict[str, str]:
        return {"Authorization": token if token.startswith("lin_api_") else f"Bearer {token}"}

    def costs(self, is_graphql: bool, points: int) -> dict[str, int]:
        return {"requests": 1, "complexity": max(1, points)}

    def limited(self, response: httpx.Response, body: Json, now: float, is_graphql: bool) -> Limited | None:
        if response.status_code == 429 or "RATELIMITED" in _error_codes(body):
            spent = {
                kind: budget.seconds
                for kind, budget in self.budgets(response, now, is_graphql).items()
                if budget.remaining == 0
            }
            kind = max(spent, key=lambda name: spent[name]) if spent else ""
            after = _number(response.headers.get("retry-after"))
            return Limited(after if after is not None else spent.get(kind), kind)
        return None

    def budgets(self, response: httpx.Response, now: float, is_graphql: bool) -> dict[str, Budget]:
        found = {}
        for kind in ("requests", "complexity"):
            remaining = _number(response.headers.get(f"x-ratelimit-{kind}-remaining"))
            milliseconds = _number(response.headers.get(f"x-ratelimit-{kind}-reset"))
            if remaining is not None and milliseconds is not None:
                limit = _number(response.headers.get(f"x-ratelimit-{kind}-limit"))
                seconds = max(0.0, milliseconds / 1000 - now) + 1
                found[kind] = Budget(int(remaining), seconds, limit=None if limit is None else int(limit))
        return found

    def points(self, response: httpx.Response, body: Json) -> int:
        return math.ceil(_number(response.headers.get("x-complexity")) or 0)


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
    """What some requests cost.

    Attributes:
        requests: sent, retries and redirects included.
        points: the provider's own (Linear: complexity).
        waited: seconds of waiting at limits.
        received: bytes of the answers' bodies, as they came (compressed).
    """

    requests: int = 0
    points: int = 0
    waited: float = 0.0
    received: int = 0

    def add(self, other: Usage) -> None:
        """Count what another one counted."""
        self.requests += other.requests
        self.points += other.points
        self.waited += other.waited
        self.received += other.received


@dataclass(frozen=True)
class Wait:
    """A wait that goes on for another ``seconds``; ``reason`` is a sentence for the person who looks on."""

    seconds: float
    reason: str


class _State:
    """What all views of one client have in common."""

    def __init__(self, on_wait: Callable[[Wait], None] | None) -> None:
        self.on_wait = on_wait
        self.server_date: datetime | None = None
        self.total = Usage()
        self.lock = threading.Lock()
        self.meters = threading.local()
        self.costs: dict[bytes, int] = {}
        self.resources: set[str] = set()
        self.told_until = self.quiet_until = -math.inf
        self.sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self.deadline = Deadline()

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Have each connection watched: no read from it takes longer than its request may.

        And remember its socket: only by that can a read that waits in another thread be ended.
        """
        self.deadline.trace(event, info)
        if is_connected(event):
            found = info["return_value"].get_extra_info("socket")
            if isinstance(found, socket.socket):
                with self.lock:
                    self.sockets.add(found)


class Client:
    """Reads one provider's REST and GraphQL APIs. Safe to share between threads.

    Args:
        base_url: REST root without a slash at the end; may be empty where there is only GraphQL.
        graphql_url: GraphQL endpoint.
        tokens: one or several, each with its own budgets, of which the fullest is used; or accounts that other
            clients of the same run use too.
        provider: GITHUB or LINEAR.
        user_agent: sent with each request.
        sleep: how to wait for some seconds; by default a wait that ``cancel`` ends.
        on_wait: told of each wait at a limit before it begins, and again as it goes on.
        transport: an httpx transport in place of the network.
        bounds: how large and how slow an answer may be.

    Attributes:
        accounts: all tokens that there are.
    """

    def __init__(
        self,
        base_url: str,
        graphql_url: str,
        tokens: Sequence[SecretStr] | Accounts,
        *,
        provider: Provider = GITHUB,
        user_agent: str = USER_AGENT,
        sleep: Callable[[float], None] | None = None,
        on_wait: Callable[[Wait], None] | None = None,
        transport: httpx.BaseTransport | None = None,
        timeout: httpx.Timeout = TIMEOUT,
        bounds: Bounds = Bounds(),  # noqa: B008 - it is frozen
    ) -> None:
        if not isinstance(tokens, Accounts):
            if not tokens:
                raise AuthenticationError(f"No {provider.title} token: set {provider.variable}.")
            tokens = fixed_accounts(tokens, provider.pace(graphql_url))
        self.base_url = base_url.rstrip("/")
        self.graphql_url = graphql_url
        self.provider = provider
        self.accounts = tokens
        self.bounds = bounds
        self._choices: Sequence[Account] | None = None
        self._cancelled = threading.Event()
        self._sleep = sleep or self._cancelled.wait
        self._state = _State(on_wait)
        self._http = httpx.Client(
            headers={"User-Agent": user_agent, "Accept-Encoding": UNPACKED},
            timeout=timeout,
            follow_redirects=False,
            transport=transport,
            limits=httpx.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=8),
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
        """End all waits and all requests under way; every request from now on raises CancelledError."""
        self._cancelled.set()
        self.accounts.wake()
        with self._state.lock:
            sockets = list(self._state.sockets)
        for each in sockets:
            with contextlib.suppress(OSError):
                # Not the TLS layer's own, which would wait for the other side.
                socket.socket.shutdown(each, socket.SHUT_RDWR)

    # ---------------------------------------------------------------------------------- whose tokens

    def for_owner(self, name: str) -> Client:
        """This client, with the tokens that may read what belongs to an owner.

        Args:
            name: the owner, or ``owner/name``.

        Raises:
            SourceError: there is no token for this owner.
        """
        return self.using(self.accounts.of(name.partition("/")[0], self))

    def using(self, accounts: Sequence[Account]) -> Client:
        """This client, with these tokens alone."""
        view = copy.copy(self)
        view._choices = accounts
        return view

    def is_as(self, other: Client) -> bool:
        """Whether another view of this client uses the same tokens, so that one request can ask for both."""
        return self._choices == other._choices

    # ------------------------------------------------------------------------------------ what it cost

    @property
    def on_wait(self) -> Callable[[Wait], None] | None:
        """Told of each wait at a limit before it begins, and again as it goes on."""
        return self._state.on_wait

    @on_wait.setter
    def on_wait(self, told: Callable[[Wait], None] | None) -> None:
        self._state.on_wait = told

    @property
    def requests(self) -> int:
        """Requests sent so far, retries included."""
        return self._state.total.requests

    @property
    def points(self) -> int:
        """GraphQL points (Linear: complexity) spent so far."""
        return self._state.total.points

    @property
    def waited(self) -> float:
        """Seconds waited at limits so far."""
        return self._state.total.waited

    @property
    def received(self) -> int:
        """Bytes of bodies received so far, as they came (compressed)."""
        return self._state.total.received

    @property
    def remaining(self) -> int | None:
        """What all tokens together have left of what this client uses, where that is least; None if none said."""
        return self.accounts.remaining(sorted(self._state.resources))

    @property
    def share_left(self) -> float | None:
        """``remaining`` as a share (0 to 1) of what it is when full; None if no answer said."""
        return self.accounts.share_left(sorted(self._state.resources))

    @property
    def server_date(self) -> datetime | None:
        """The server's time of the first answer; None before there is one."""
        return self._state.server_date

    @contextmanager
    def metered(self) -> Iterator[Usage]:
        """Count what this thread spends within the block."""
        usage = Usage()
        meters: list[Usage] = getattr(self._state.meters, "stack", None) or []
        self._state.meters.stack = [*meters, usage]
        try:
            yield usage
        finally:
            self._state.meters.stack = meters

    def _spend(self, requests: int = 0, points: int = 0, waited: float = 0.0, received: int = 0) -> None:
        spent = Usage(requests, points, waited, received)
        with self._state.lock:
            for usage in (self._state.total, *(getattr(self._state.meters, "stack", None) or ())):
                usage.add(spent)

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
        response, body, used = self._send("GET", url, None, about or path, etag)
        tag = response.headers.get("etag", "")
        return Response(
            json=body,
            headers=response.headers,
            date=_date(response),
            etag=f"{used.credential.key} {tag}" if tag else etag if response.status_code == 304 else "",
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
        """The items of each page of a list, following ``rel="next"`` for as long as there is more than came.

        Args:
            items_key: where the items are if the body is an object (``workflow_runs``); empty: it is a list.
            etags: by ``path``; the first page is asked with what is in there, and what it answered is
                put there. If it did not change there is no page at all.

        Raises:
            BadAnswerError: a page is not of this form, or brings only what is there already.
            SourceError: as ``get``.
        """
        answer = self.get(path, params, etag=(etags or {}).get(path, ""), about=about)
        if etags is not None and answer.etag:
            etags[path] = answer.etag
        if answer.is_unchanged:
            return
        number = 1
        followed: set[str] = set()
        listed = Pages(self.provider.title, about or path, most=MOST_LISTED, most_barren=1)
        while True:
            items = answer.json.get(items_key) if items_key and isinstance(answer.json, dict) else answer.json
            if not isinstance(items, list):
                raise BadAnswerError(
                    f"{self.provider.title} answered {path} without the list that belongs there; "
                    f"is {self._host(self.base_url)} the API?"
                )
            yield items
            if not items:
                return
            listed.note(items)
            number += 1
            total = answer.json.get("total_count") if items_key else None
            if isinstance(total, int) and listed.brought >= total:
                return
            if answer.next:
                if answer.next in followed:
                    raise listed.endless("the same one follows again")
                followed.add(answer.next)
                answer = self.get(answer.next, about=about or path)
            elif isinstance(total, int):
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
        asked = str(response.url)
        try:
            there = urljoin(asked, link)
            is_same = urlsplit(there)[:2] == urlsplit(asked)[:2]
        except ValueError:
            raise BadAnswerError(f"{self._host(asked)} names a next page whose address is none.") from None
        if is_same:
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
            _, body, _ = self._send("POST", self.graphql_url, payload, subject, attempts=attempts, document=document)
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
        text = sentence("; ".join(dict.fromkeys(str(error.get("message") or _code(error)) for error in errors)), 500)
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

    def create_token(self, path: str, *, about: str) -> Response:
        """POST without a body: how an App gets a token. Nothing else that is sent is not a read.

        Raises:
            SourceError: as ``get``.
        """
        response, body, _ = self._send("POST", self._url(path), None, about)
        return Response(json=body, headers=response.headers, date=_date(response))

    # -------------------------------------------------------------------------------------- one request

    def _send(
        self,
        method: str,
        url: str,
        payload: bytes | None,
        subject: str,
        etag: str = "",
        attempts: int = MOST_ATTEMPTS,
        document: str = "",
    ) -> tuple[httpx.Response, Json, Account]:
        """Send until there is an answer that is neither a limit nor a stumble."""
        choices = self._choices if self._choices is not None else self.accounts.of(None, self)
        key, _, tag = etag.partition(" ")
        pinned = next((account for account in choices if tag and account.credential.key == key), None)
        known = document.encode()
        waits = attempt = 0
        is_renewed = False
        while True:
            costs = self.provider.costs(payload is not None, self._state.costs.get(known, 1))
            self._state.resources.update(costs)
            ticket = self._ticket(choices, costs, pinned)
            account = ticket.account
            attempt += 1
            failure: SourceError
            most = attempts
            with self.accounts.using(ticket):
                token = account.credential.value(self)
                headers = self.provider.headers(token.get_secret_value())
                if payload is not None:
                    headers["Content-Type"] = "application/json"
                if tag and account is pinned:
                    headers["If-None-Match"] = tag
                try:
                    response = self._exchange(method, url, payload, headers)
                except (httpx.TransportError, httpx.DecodingError) as error:
                    if self._cancelled.is_set():
                        raise CancelledError("Interrupted.") from None
                    failure, most = self._broken(error, url, subject, attempts)
                except httpx.InvalidURL:
                    raise BadAnswerError(f"{self._host(url)} did not answer as an API does.") from None
                except UnreadableError as error:
                    raise self._unreadable(error, url, subject) from None
                else:
                    now = _date(response)
                    is_own = _is_own(urlsplit(url), urlsplit(str(response.url)))
                    if is_own and self._state.server_date is None:
                        with self._state.lock:
                            self._state.server_date = self._state.server_date or now
                    try:
                        body, is_json = parsed(response.content, self.bounds)
                    except UnreadableError as error:
                        raise self._unreadable(error, url, subject) from None
                    points = self.provider.points(response, body)
                    if points and document:
                        self._state.costs[known] = points
                    self._spend(points=points)
                    self.accounts.note(
                        ticket,
                        self.provider.budgets(response, now.timestamp(), payload is not None) if is_own else {},
                        self.provider.costs(payload is not None, points) if points else costs,
                    )
                    limited = self.provider.limited(response, body, now.timestamp(), payload is not None)
                    if limited:
                        waits += 1
                        attempt -= 1
                        self._limit(account, limited, waits, len(choices))
                        continue
                    status = response.status_code
                    is_whole = is_json and (response.content or status == 204)
                    is_unchanged = status == 304 and "If-None-Match" in headers
                    if is_unchanged or (200 <= status < 300 and is_whole):
                        return response, body, account
                    if status == 401 and not is_renewed and account.credential.renewed(token, now):
                        is_renewed = True
                        attempt -= 1
                        continue
                    if status == 401:
                        raise self._unauthenticated(account.credential.variable)
                    failure = self._refused(response, body, is_json, subject)
                    if status < 500 and isinstance(failure, BadAnswerError):
                        most = MOST_ATTEMPTS_BAD
                    if not isinstance(failure, OverloadedError) and not (
                        isinstance(failure, BadAnswerError) and status < 400
                    ):
                        raise failure
            if attempt >= most:
                # No chain: an exception of httpx holds the request, and that its headers.
                raise failure from None
            self._pause(_backoff(attempt))

    def _exchange(self, method: str, url: str, payload: bytes | None, headers: dict[str, str]) -> httpx.Response:
        """Send once and read the answer to its end, at the address where redirects lead.

        Within the host they are followed with everything. Elsewhere goes neither the token nor any other header of
        ours, nor a body; and nothing goes from https to http.

        Raises:
            BadAnswerError: a redirect leads where it must not, or to nowhere.
            UnreadableError: the answer is larger, slower or other than can be read.
            httpx.TransportError, httpx.DecodingError, httpx.InvalidURL: as httpx has them.
        """
        first = urlsplit(url)
        self._state.deadline.begin(self.bounds.seconds)
        for _ in range(MOST_REDIRECTS + 1):
            if self._cancelled.is_set():
                raise CancelledError("Interrupted.")
            request = self._http.build_request(
                method, url, content=payload, headers=headers, extensions={"trace": self._state.trace}
            )
            self._spend(requests=1)
            stream = self._http.send(request, stream=True)
            try:
                body = read(stream, self.bounds, self._state.deadline, lambda count: self._spend(received=count))
            finally:
                stream.close()
            response = whole(stream, body)
            there = urlsplit(url)
            if not response.has_redirect_location:
                if not _is_own(first, there) and not 200 <= response.status_code < 300:
                    raise BadAnswerError(
                        f"{first.netloc} sends us on to {there.netloc}, which answers {response.status_code}: "
                        f"check {self.provider.address}."
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
                    f"check {self.provider.address}."
                )
            if not _is_own(first, onward):
                if method != "GET":
                    raise BadAnswerError(
                        f"{there.netloc} sends us on to {onward.netloc}, which is another host: if that is the API, "
                        f"name it in {self.provider.address}."
                    )
                headers = {}
        raise BadAnswerError(f"{first.netloc} sends us from one address to the next without end.")

    def _broken(self, error: httpx.RequestError, url: str, subject: str, attempts: int) -> tuple[SourceError, int]:
        """What a broken connection means, and how often to try again."""
        host = self._host(url)
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
            ), 1 if once else MOST_ATTEMPTS if self._state.server_date else MOST_ATTEMPTS_UNREACHABLE
        if isinstance(error, httpx.RemoteProtocolError) and not any(part in str(error) for part in _ENDED):
            return BadAnswerError(f"{host} did not answer {subject} as HTTP wants it: {error}."), 1
        if isinstance(error, httpx.DecodingError):
            return OverloadedError(f"{host} {_CUT_SHORT} {subject}, every time it was asked."), attempts
        what = "took too long" if isinstance(error, httpx.TimeoutException) else "broke the connection"
        return OverloadedError(f"{host} {what} while answering {subject}, every time it was asked."), attempts

    def _unreadable(self, error: UnreadableError, url: str, subject: str) -> SourceError:
        """What it means that an answer goes beyond the bounds; it is not asked for again."""
        text = f"{self._host(url)}'s answer to {subject} {error}."
        # OverloadedError lets those that ask by pages ask for a smaller one
        return OverloadedError(text) if isinstance(error, TooMuchError) else BadAnswerError(text)

    def _refused(self, response: httpx.Response, body: Json, is_json: bool, subject: str) -> SourceError:
        status, title = response.status_code, self.provider.title
        text = sentence(_message(body), 300)
        said = f" ({text})" if text else ""
        host = self._host(str(response.url))
        if status in (403, 451):
            # What a fine-grained token or an App would have to be granted, in GitHub's own words.
            wanted = response.headers.get("x-accepted-github-permissions")
            return self._forbidden(subject, said + (f", it wants {sentence(wanted, 300)}" if wanted else ""))
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

    def _unauthenticated(self, variable: str = "") -> AuthenticationError:
        return AuthenticationError(
            f"{self.provider.title} does not accept the token: {variable or self.provider.variable} {TOKEN_REJECTED}."
        )

    # ------------------------------------------------------------------------------- limits and waiting

    def _ticket(self, choices: Sequence[Account], costs: Mapping[str, int], pinned: Account | None) -> Ticket:
        """The right to send the next request, after any wait for it."""
        while True:
            if self._cancelled.is_set():
                raise CancelledError("Interrupted.")
            taken = self.accounts.take(choices, costs, pinned, self._cancelled.is_set)
            if isinstance(taken, Ticket):
                return taken
            self._wait(taken)

    def _limit(self, account: Account, limited: Limited, waits: int, tokens: int) -> None:
        """Block a token that has met a limit; the next ``_ticket`` waits or takes another."""
        title = self.provider.title
        if waits > MOST_WAITS * tokens:
            raise RateLimitedError(
                f"{title} still limits us after {waits} waits: try again later, or use another token."
            )
        seconds = limited.seconds
        if seconds is None:
            seconds = FIRST_SECONDARY_WAIT * 2 ** ((waits - 1) // tokens)
        if seconds > LONGEST_WAIT:
            raise RateLimitedError(
                f"{title} asks us to wait {seconds / 60:.0f} minutes, which is longer than we do: try again later, "
                f"or add a token to {self.provider.variable}."
            )
        self.accounts.refuse(account, max(seconds, 1.0), limited.resource)

    def _wait(self, delay: Delay) -> None:
        """Wait for a token, in steps: whoever looks on is told how long it still takes."""
        left = delay.moment - self.accounts.clock()
        if left > LONGEST_WAIT:
            raise RateLimitedError(
                f"{self.provider.title}'s {delay.what}, for another {left / 60:.0f} minutes: try again later."
            )
        step = max(TOLD_EVERY, left / 10)
        while left > 0:
            seconds = min(step, left)
            if left - seconds < 1.0:  # no crumb at the end
                seconds = left
            self._tell(delay, left, step)
            self._pause(seconds)
            self._spend(waited=seconds)
            left -= seconds
        self.accounts.waited(delay)

    def _tell(self, delay: Delay, left: float, step: float) -> None:
        """Say how long a wait goes on; once where several threads wait for the same."""
        state = self._state
        with state.lock:
            end = delay.moment - left  # by the clock of the wait, whatever ``sleep`` goes by
            if end < state.quiet_until and delay.moment <= state.told_until + 1:
                return
            state.quiet_until, state.told_until = end + step * 0.9, delay.moment
        if state.on_wait:
            state.on_wait(Wait(left, f"{self.provider.title}'s {delay.what}: going on in {_spoken(left)}"))

    def _pause(self, seconds: float) -> None:
        self._sleep(seconds)
        if self._cancelled.is_set():
            raise CancelledError("Interrupted.")

    @staticmethod
    def _host(url: str) -> str:
        return urlsplit(url).netloc or url


# ------------------------------------------------------------------------------------------------ helpers

_CUT_SHORT = "ended its answer too early for"

_ENDED = ("disconnected", "closed connection")
"""What httpx says of a connection that broke, among all that it says of what is not HTTP."""

_TRANSIENT_CODES = frozenset(
    {"", "RESOURCE_LIMITS_EXCEEDED", "SERVICE_UNAVAILABLE", "INTERNAL", "INTERNAL_SERVER_ERROR", "LOADING", "TIMEOUT"}
)
"""Errors that go away: GitHub says "Something went wrong while executing your query" without any type."""


def _backoff(attempt: int) -> float:
    """Seconds before the next attempt: doubling, with jitter so that threads do not come back together."""
    return min(30.0, 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.0)


def fixed_accounts(
    tokens: Sequence[SecretStr],
    pace: Mapping[str, int] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Accounts:
    """Accounts of tokens that stay as they are, numbered in their order."""
    return Accounts((FixedToken(token, str(number)) for number, token in enumerate(tokens)), pace=pace, clock=clock)


def _spoken(seconds: float) -> str:
    """A duration as people say it."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _is_own(first: SplitResult, there: SplitResult) -> bool:
    """Whether an address is of the host that was asked, at the same port; or at https where that was http."""

    def port(url: SplitResult) -> int | None:
        return url.port or {"http": 80, "https": 443}.get(url.scheme)

    if first.hostname != there.hostname:
        return False
    if first.scheme == there.scheme:
        return port(first) == port(there)
    return (first.scheme, port(first), there.scheme, port(there)) == ("http", 80, "https", 443)


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    return value if value is not None and math.isfinite(value) else None


def _date(response: httpx.Response) -> datetime:
    try:
        date = parsedate_to_datetime(response.headers.get("date", ""))
        date = date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
        date.timestamp()
    except (ValueError, OverflowError, TypeError):
        return datetime.now(UTC)
    return date


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
