"""Tokens, and what each has left: which one a request uses, and when it may go.

A budget belongs to a token and a resource: some providers count REST and GraphQL apart, some requests and complexity.
What is under way counts as spent until its answer says otherwise, so that threads together do not overdraw what one of
them could see.
"""

from __future__ import annotations

import math
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import SecretStr

from veelocity_pipeline.safety.redaction import remember

if TYPE_CHECKING:
    from veelocity_pipeline.sources.kit.http.client import Client

SHORTEST_NAMED = 20
"""Characters of a token of which the last four may be told."""

PACED_OVER = 60.0
"""Seconds over which what a token spends is held below its pace."""


@dataclass(frozen=True)
class Budget:
    """What a token has left of one resource, as an answer said.

    Attributes:
        seconds: until it is full again.
        window: names the period that is counted in, where it is a fixed one: answers may arrive in another order than
            they were given, and within one period what is left only falls. None: the last answer is right.
        limit: what it is when full, where the answer said.
    """

    remaining: int
    seconds: float
    window: float | None = None
    limit: int | None = None


class Credential(ABC):
    """What a request identifies itself with. Safe to use from any thread.

    Attributes:
        key: names it within one setup, without a blank; an ETag that it got is kept under this name.
        variable: the setting that it comes from, where that is not the provider's own.
    """

    key: str
    variable: str = ""
    is_fresh: bool = False
    """Made so lately that not every server of the provider may know it."""

    @abstractmethod
    def value(self, client: Client) -> SecretStr:
        """The token to send; one that has to be made first is made through ``client``.

        Raises:
            SourceError: it cannot be had.
        """

    @property
    def ending(self) -> str:
        """What tells it from others in a message: its last characters; empty where these would tell too much."""
        return ""

    def renewed(self, refused: SecretStr, date: datetime) -> bool:
        """Whether there is another value now that this one was answered with 401, at the server's time ``date``."""
        del refused, date
        return False


class FixedToken(Credential):
    """A token of the settings."""

    def __init__(self, token: SecretStr, key: str) -> None:
        remember(token, in_rows=True)
        self.key = key
        self._token = token

    def value(self, client: Client) -> SecretStr:
        """The token itself."""
        del client
        return self._token

    @property
    def ending(self) -> str:
        """Its last four characters."""
        token = self._token.get_secret_value()
        return token[-4:] if len(token) >= SHORTEST_NAMED else ""


@dataclass
class _Resource:
    """One budget of one token; moments are those of the clock."""

    remaining: int | None = None
    limit: int | None = None
    resets_at: float = 0.0
    window: float | None = None
    refused_until: float = 0.0
    is_probed: bool = False
    """After a refusal one request goes first; the others follow when it was answered."""
    under_way: int = 0
    requests: int = 0
    spent: deque[list[float]] = field(default_factory=deque)


_UNTIL_ANSWERED = -1.0
"""No moment can be told: what is under way decides."""


class Account:
    """One token and its budgets. Changed only by ``Accounts``, under its lock."""

    def __init__(self, credential: Credential) -> None:
        self.credential = credential
        self.blocked_until = 0.0
        self.is_dead = False
        self.resources: dict[str, _Resource] = {}

    def resource(self, name: str) -> _Resource:
        """Its budget of one resource."""
        return self.resources.setdefault(name, _Resource())


@dataclass(frozen=True)
class Delay:
    """Why and for how long a request has to wait: until ``moment`` of the clock.

    Attributes:
        what: ends a sentence; ``{limit}`` stands for what the resource's limit is called.
    """

    account: Account
    moment: float
    what: str
    resource: str = ""

    def said(self, limits: Mapping[str, str]) -> str:
        """Return ``what`` in the provider's words."""
        return self.what.format(limit=limits.get(self.resource, "limit"))


class Ticket:
    """The right to send one request now with ``account``, and what it is taken to cost."""

    def __init__(self, account: Account, costs: Mapping[str, int], moment: float) -> None:
        self.account = account
        self.costs = dict(costs)
        self.entries = {name: [moment, float(cost)] for name, cost in costs.items()}


class Accounts:
    """All tokens of one provider, shared by every request of a run.

    Args:
        pace: by resource, the most that a token spends within a minute; what is not in it is not paced.
        clock: seconds that only grow.

    Attributes:
        notices: what is to be said of tokens that were set aside, a sentence each.
    """

    def __init__(
        self,
        credentials: Iterable[Credential],
        *,
        pace: Mapping[str, int] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pace = dict(pace or {})
        self.clock = clock
        self._changed = threading.Condition()
        self._all: list[Account] = []
        self._reach: dict[str, dict[str, bool]] = {}
        self.notices: list[str] = []
        self.fixed = tuple(self.account(credential) for credential in credentials)

    def account(self, credential: Credential) -> Account:
        """A new account of this pool."""
        account = Account(credential)
        self._all.append(account)
        return account

    def of(self, owner: str | None, client: Client) -> Sequence[Account]:
        """The accounts that may read what belongs to ``owner``; None: what belongs to nobody.

        Raises:
            SourceError: there is none.
        """
        del owner, client
        return self.fixed

    def set_aside(self, account: Account, notice: str) -> None:
        """Use an account no more: its token is not accepted."""
        with self._changed:
            if not account.is_dead:
                account.is_dead = True
                self.notices.append(notice)

    def may_read(self, account: Account, what: str) -> bool | None:
        """Whether an account was seen to read something, an owner or a repository; None where nobody knows."""
        with self._changed:
            return self._reach.get(what, {}).get(account.credential.key)

    def note_reach(self, account: Account, what: str, is_reached: bool) -> None:
        """Remember whether an account can read something."""
        if not what or self._reach.get(what, {}).get(account.credential.key) is is_reached:
            return
        with self._changed:
            self._reach.setdefault(what, {})[account.credential.key] = is_reached

    def remaining(self, resources: Iterable[str]) -> int | None:
        """What all tokens together have left, of the resource that has the least; None if no answer said."""
        with self._changed:
            sums = [
                sum(left)
                for name in resources
                if (left := [a.resource(name).remaining or 0 for a in self._all if self._is_known(a, name)])
            ]
        return min(sums) if sums else None

    def share_left(self, resources: Iterable[str]) -> float | None:
        """What all tokens have left, as a share of what they have when full, of the resource that has the least."""
        with self._changed:
            shares = []
            for name in resources:
                known = [each for a in self._all if (each := a.resource(name)).remaining is not None and each.limit]
                if known:
                    shares.append(sum(each.remaining or 0 for each in known) / sum(each.limit or 0 for each in known))
        return min(shares) if shares else None

    @staticmethod
    def _is_known(account: Account, name: str) -> bool:
        return account.resource(name).remaining is not None

    def take(
        self,
        choices: Sequence[Account],
        costs: Mapping[str, int],
        pinned: Account | None,
        is_cancelled: Callable[[], bool],
    ) -> Ticket | Delay:
        """The right to send now with the fullest of some accounts, or how long none of them may.

        Blocks only while requests are under way whose answers decide.

        Args:
            costs: what the request will cost, by resource.
            pinned: taken if it may go now.
            is_cancelled: ends the blocking; a delay until now is the answer then.
        """
        with self._changed:
            while True:
                now = self.clock()
                delays = {id(account): self._delay(account, costs, now) for account in choices}
                ready = [account for account in choices if delays[id(account)] is None]
                if pinned in ready and pinned is not None:
                    return self._reserve(pinned, costs, now)
                if ready:
                    return self._reserve(max(ready, key=lambda account: self._left(account, costs)), costs, now)
                if is_cancelled():
                    return Delay(choices[0], now, "")
                known = [delay for delay in delays.values() if delay is not None]
                if any(delay.moment == _UNTIL_ANSWERED for delay in known):
                    self._changed.wait(1.0)
                    continue
                return min(known, key=lambda delay: delay.moment)

    def wake(self) -> None:
        """Let whoever blocks in ``take`` look whether it was cancelled."""
        with self._changed:
            self._changed.notify_all()

    def _delay(self, account: Account, costs: Mapping[str, int], now: float) -> Delay | None:
        """What keeps a request from going now; the longest of it."""
        found = [Delay(account, account.blocked_until, "secondary limit is reached")]
        for name, cost in costs.items():
            budget = account.resource(name)
            if budget.remaining is not None and budget.resets_at <= now:
                budget.remaining = budget.window = None
            if budget.refused_until > now:
                found.append(Delay(account, budget.refused_until, "{limit} is reached", name))
            elif budget.is_probed and budget.requests:
                return Delay(account, _UNTIL_ANSWERED, "")
            elif budget.remaining is not None and budget.remaining - budget.under_way < cost:
                if budget.requests:
                    return Delay(account, _UNTIL_ANSWERED, "")
                found.append(Delay(account, budget.resets_at, "{limit} is reached", name))
            if name in self._pace:
                moment = self._paced(budget, cost, self._pace[name], now)
                found.append(Delay(account, moment, f"limit of {self._pace[name]:,} a minute is near"))
        longest = max(found, key=lambda delay: delay.moment)
        return longest if longest.moment > now else None

    @staticmethod
    def _paced(budget: _Resource, cost: int, most: int, now: float) -> float:
        """When a cost fits below the pace."""
        while budget.spent and budget.spent[0][0] <= now - PACED_OVER:
            budget.spent.popleft()
        over = sum(spent for _, spent in budget.spent) + cost - most
        moment = now
        for when, spent in budget.spent:
            if over <= 0:
                break
            over -= int(spent)
            moment = when + PACED_OVER
        return moment

    @staticmethod
    def _left(account: Account, costs: Mapping[str, int]) -> float:
        def free(name: str) -> float:
            budget = account.resource(name)
            return math.inf if budget.remaining is None else budget.remaining - budget.under_way

        return min(map(free, costs), default=math.inf)

    def _reserve(self, account: Account, costs: Mapping[str, int], now: float) -> Ticket:
        ticket = Ticket(account, costs, now)
        for name, cost in costs.items():
            budget = account.resource(name)
            budget.under_way += cost
            budget.requests += 1
            if name in self._pace:
                budget.spent.append(ticket.entries[name])
        return ticket

    @contextmanager
    def using(self, ticket: Ticket) -> Iterator[None]:
        """While the request is under way."""
        try:
            yield
        finally:
            with self._changed:
                for name, cost in ticket.costs.items():
                    budget = ticket.account.resource(name)
                    budget.under_way -= cost
                    budget.requests -= 1
                self._changed.notify_all()

    def note(self, ticket: Ticket, budgets: Mapping[str, Budget], costs: Mapping[str, int]) -> None:
        """Write down what an answer said is left, by resource, and what the request really cost."""
        with self._changed:
            now = self.clock()
            for name, cost in costs.items():
                if name in ticket.entries:
                    ticket.entries[name][1] = float(cost)
                ticket.account.resource(name).is_probed = False
            for name, told in budgets.items():
                budget = ticket.account.resource(name)
                is_same = budget.remaining is not None and told.window is not None and told.window == budget.window
                if told.window is not None and budget.window is not None and told.window < budget.window:
                    continue  # it was overtaken by an answer of the next period
                remaining = told.remaining
                if is_same and budget.remaining is not None:
                    remaining = min(remaining, budget.remaining)
                budget.remaining, budget.window, budget.limit = remaining, told.window, told.limit
                budget.resets_at = now + told.seconds

    def refuse(self, account: Account, seconds: float, resource: str) -> None:
        """Let nothing go with this account for a time: of one resource, or of any where that is empty."""
        with self._changed:
            until = self.clock() + seconds
            if resource:
                budget = account.resource(resource)
                # what was noted is older than this
                budget.remaining = budget.window = None
                budget.refused_until = max(budget.refused_until, until)
                budget.is_probed = True
            else:
                account.blocked_until = max(account.blocked_until, until)
                for budget in account.resources.values():
                    budget.is_probed = True

    def waited(self, delay: Delay) -> None:
        """Say that a delay is over, whatever clock it was waited by."""
        account = delay.account
        with self._changed:
            if account.blocked_until <= delay.moment:
                account.blocked_until = 0.0
            for budget in account.resources.values():
                if budget.refused_until <= delay.moment:
                    budget.refused_until = 0.0
                if budget.resets_at <= delay.moment:
                    budget.remaining = budget.window = None
                while budget.spent and budget.spent[0][0] + PACED_OVER <= delay.moment:
                    budget.spent.popleft()
            self._changed.notify_all()
