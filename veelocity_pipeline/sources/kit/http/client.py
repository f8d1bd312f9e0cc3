"""The one HTTP client of all sources: tokens, budgets, waits, retries.

No token is ever part of a message, a log line or a repr.
"""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from veelocity_pipeline.sources.kit.http.accounts import Account, Accounts, Delay, FixedToken, Ticket
from veelocity_pipeline.sources.kit.http.answers import MOST_ATTEMPTS, MOST_ATTEMPTS_BAD, Answers, host_of
from veelocity_pipeline.sources.kit.http.choice import Choice
from veelocity_pipeline.sources.kit.http.errors import (
    AuthenticationError,
    BadAnswerError,
    CancelledError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitedError,
    SourceError,
    TooLargeError,
)
from veelocity_pipeline.sources.kit.http.exchange import TIMEOUT, Exchange, is_own
from veelocity_pipeline.sources.kit.http.graphql import GraphQL
from veelocity_pipeline.sources.kit.http.provider import Limited, Provider
from veelocity_pipeline.sources.kit.http.reading import (
    Bounds,
    UnreadableError,
    parsed,
)
from veelocity_pipeline.sources.kit.http.rest import Rest, date_of
from veelocity_pipeline.sources.kit.http.usage import Spending, Usage, Wait

Json = Any

LONGEST_WAIT = 3_900.0
"""Seconds. A primary limit comes back within the hour; a longer wait is refused."""

FIRST_SECONDARY_WAIT = 60.0
"""Seconds to wait at a limit that does not say how long: at least a minute, then twice as long each time."""

MOST_WAITS = 6
"""How often one request waits at limits before it gives up."""

MOST_REFUSALS = 2
"""How often a token that is answered with 401 is sent again as it is."""

REFUSED_PAUSE = 0.3
"""Seconds before the first of these; twice as long before the second. A wrong token is to be told at once."""

MOST_REFUSALS_FRESH = 4
"""The same of one that was made a moment ago: ten seconds in all."""

TOLD_EVERY = 30.0
"""Seconds after which a wait is spoken of again, where a tenth of it is not longer."""


def _version() -> str:
    try:
        return version("veelocity")
    except PackageNotFoundError:
        return "0"


USER_AGENT = f"veelocity/{_version()}"


class _RefusedError(Exception):
    """A token may not read what was asked for, or there is no such thing."""

    def __init__(self, failure: SourceError, account: Account) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.account = account


class Client(Choice, GraphQL, Rest):
    """Reads one provider's REST and GraphQL APIs. Safe to share between threads.

    Args:
        base_url: REST root without a slash at the end; may be empty where there is only GraphQL.
        graphql_url: GraphQL endpoint.
        tokens: one or several, each with its own budgets, of which the fullest is used; or accounts that other
            clients of the same run use too.
        provider: what the vendor does differently.
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
        provider: Provider,
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
        self.answers = Answers(provider)
        self.accounts = tokens
        self.bounds = bounds
        self._choices: Sequence[Account] | None = None
        self._of = ""
        self._state = Spending(on_wait)
        self._exchange = Exchange(
            provider.address,
            user_agent,
            timeout,
            bounds,
            lambda requests, received: self._spend(requests=requests, received=received),
            transport,
        )
        self._sleep = sleep or self._exchange.cancelled.wait

    def __repr__(self) -> str:
        return f"Client({self.provider.title}, {urlsplit(self.graphql_url).netloc})"

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._exchange.close()

    def cancel(self) -> None:
        """End all waits and all requests under way; every request from now on raises CancelledError."""
        self._exchange.cancel()
        self.accounts.wake()

    # ---------------------------------------------------------------------------------- whose tokens

    def for_owner(self, name: str) -> Client:
        """This client, with the tokens that may read what belongs to an owner.

        Args:
            name: the owner, or ``owner/name``.

        Raises:
            SourceError: there is no token for this owner.
        """
        return self.using(self.accounts.of(name.partition("/")[0], self), name)

    def using(self, accounts: Sequence[Account], name: str = "") -> Client:
        """This client, with these tokens alone; ``name`` is what is read, which not each of them may reach."""
        view = copy.copy(self)
        view._choices = accounts
        view._of = name.casefold() if len(accounts) > 1 else ""
        return view

    @property
    def each(self) -> list[Client]:
        """This client with each of its tokens alone: those that are accepted, or else all, whose requests say so."""
        choices = self._choices if self._choices is not None else self.accounts.of(None, self)
        accepted = [account for account in choices if not account.is_dead]
        return [self.using((account,)) for account in accepted or choices]

    def reaches(self, name: str) -> None:
        """Remember that the one token of this client can read something."""
        for account in self._choices or ():
            self.accounts.note_reach(account, name.casefold(), True)

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
        """Points, the provider's own, spent so far."""
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
        avoid: Collection[str] = (),
    ) -> tuple[httpx.Response, Json, Account]:
        """Send until there is an answer that is neither a limit nor a stumble, with a token that may read it."""
        avoided = set(avoid)
        while True:
            try:
                response, body, account = self._send_with(
                    method, url, payload, subject, etag, attempts, document, avoided
                )
            except _RefusedError as refused:
                if not self._others(refused.account, avoided):
                    raise refused.failure from None
                avoided.add(refused.account.credential.key)
                continue
            if payload is None:
                self._note_reach(account, avoided)
            return response, body, account

    def _send_with(
        self,
        method: str,
        url: str,
        payload: bytes | None,
        subject: str,
        etag: str,
        attempts: int,
        document: str,
        avoid: Collection[str],
    ) -> tuple[httpx.Response, Json, Account]:
        """Send until there is an answer that is neither a limit nor a stumble.

        Raises:
            _RefusedError: the token may not read it.
        """
        among = self._choices if self._choices is not None else self.accounts.of(None, self)
        key, _, tag = etag.partition(" ")
        pinned = next((account for account in among if tag and account.credential.key == key), None)
        known = document.encode()
        waits = attempt = 0
        is_renewed = False
        refusals = 0
        while True:
            choices = self._usable(among, avoid)
            if not choices:
                raise self.answers.unauthenticated(among[0].credential.variable if among else "")
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
                    response = self._exchange.send(method, url, payload, headers)
                except (httpx.TransportError, httpx.DecodingError) as error:
                    if self._exchange.cancelled.is_set():
                        raise CancelledError("Interrupted.") from None
                    failure, most = self.answers.broken(
                        error, url, subject, attempts, self._state.server_date is not None
                    )
                except httpx.InvalidURL:
                    raise BadAnswerError(f"{host_of(url)} did not answer as an API does.") from None
                except UnreadableError as error:
                    raise self.answers.unreadable(error, url, subject) from None
                else:
                    now = date_of(response)
                    is_own_host = is_own(urlsplit(url), urlsplit(str(response.url)))
                    if is_own_host and self._state.server_date is None:
                        with self._state.lock:
                            self._state.server_date = self._state.server_date or now
                    try:
                        body, is_json = parsed(response.content, self.bounds)
                    except UnreadableError as error:
                        raise self.answers.unreadable(error, url, subject) from None
                    points = self.provider.points(response, body)
                    if points and document:
                        self._state.costs[known] = points
                    self._spend(points=points)
                    self.accounts.note(
                        ticket,
                        # The headers of a refusal may be those of someone who has no token.
                        self.provider.budgets(response, now.timestamp(), payload is not None)
                        if is_own_host and response.status_code < 400
                        else {},
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
                    if status == 401:
                        refusals += 1
                        # A token that was made a moment ago may not be known everywhere; and some 401 are stray.
                        if account.credential.is_fresh and refusals <= MOST_REFUSALS_FRESH:
                            seconds = float(refusals)
                        elif not is_renewed and account.credential.renewed(token, now):
                            is_renewed, seconds = True, 0.0
                        elif not is_renewed and refusals <= MOST_REFUSALS:
                            seconds = refusals * REFUSED_PAUSE
                        else:
                            failure = self.answers.unauthenticated(
                                account.credential.variable, account.credential.ending
                            )
                            self.accounts.set_aside(account, f"{failure} The others are used.")
                            if not self._usable(among, avoid):
                                raise failure
                            is_renewed, refusals, seconds = False, 0, 0.0
                        if seconds:
                            self._pause(seconds)
                        attempt -= 1
                        continue
                    failure = self.answers.refused(response, body, is_json, subject)
                    if status < 500 and isinstance(failure, BadAnswerError):
                        most = MOST_ATTEMPTS_BAD
                    if isinstance(failure, TooLargeError) or not (
                        isinstance(failure, OverloadedError) or (isinstance(failure, BadAnswerError) and status < 400)
                    ):
                        if isinstance(failure, NotFoundError | PermissionDeniedError):
                            raise _RefusedError(failure, account)
                        raise failure
            if attempt >= most:
                # No chain: an exception of httpx holds the request, and that its headers.
                raise failure from None
            self._back_off(attempt)

    # ------------------------------------------------------------------------------- limits and waiting

    def _ticket(self, choices: Sequence[Account], costs: Mapping[str, int], pinned: Account | None) -> Ticket:
        """The right to send the next request, after any wait for it."""
        while True:
            if self._exchange.cancelled.is_set():
                raise CancelledError("Interrupted.")
            taken = self.accounts.take(choices, costs, pinned, self._exchange.cancelled.is_set)
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
        """Wait for a token, in steps, and say how long it still takes."""
        left = delay.moment - self.accounts.clock()
        if left > LONGEST_WAIT:
            raise RateLimitedError(
                f"{self.provider.title}'s {delay.said(self.provider.limits)}, for another {left / 60:.0f} minutes: "
                "try again later."
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
            state.on_wait(
                Wait(left, f"{self.provider.title}'s {delay.said(self.provider.limits)}: going on in {_spoken(left)}")
            )

    def _back_off(self, attempt: int) -> None:
        self._pause(_backoff(attempt))

    def _pause(self, seconds: float) -> None:
        self._sleep(seconds)
        if self._exchange.cancelled.is_set():
            raise CancelledError("Interrupted.")


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
