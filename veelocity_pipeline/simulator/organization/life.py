"""How the organisation lives: processes that act at their moments, run up to any moment asked for.

A process is a generator: it acts, then yields the moment at which it wants to go on. All randomness
comes from generators seeded by name, and processes that are due run in one fixed order, so the state
at a moment is a function of (size, seed, moment) alone, in however many steps it was reached.
"""

from __future__ import annotations

import heapq
import random
from datetime import datetime, timedelta

from veelocity_pipeline.simulator.organization.code import RepositoryLife
from veelocity_pipeline.simulator.organization.code_host import Account
from veelocity_pipeline.simulator.organization.ids import Ids
from veelocity_pipeline.simulator.organization.plan import CI_ACCOUNT, FIRST_NAMES, LAST_NAMES, MOMENT, OWNER, PLANS
from veelocity_pipeline.simulator.organization.whole import Organization
from veelocity_pipeline.simulator.organization.work import WorkspaceLife
from veelocity_pipeline.simulator.organization.worktime import Process


class Life:
    """The organisation and everything that is going to happen to it.

    Args:
        size: one of ``plan.PLANS``.
        seed: another seed is another organisation of the same kind.
    """

    def __init__(self, size: str, seed: int) -> None:
        if size not in PLANS:
            raise ValueError(f"size must be one of {', '.join(PLANS)}, not {size!r}")
        self.plan = PLANS[size]
        self.seed = seed
        self.ids = Ids(seed)
        self.now = self.plan.start
        self._due: list[tuple[datetime, int, Process]] = []
        self._sequence = 0
        self.orders = 0
        """Commits made so far; the order of commits of one second."""
        self._found(size)
        self.work = WorkspaceLife(self)
        self.repositories = [RepositoryLife(self, plan) for plan in self.plan.repositories]
        self.advance_to(MOMENT)

    def random(self, *name: object) -> random.Random:
        """The source of chance of one process."""
        return random.Random(f"{self.seed}/{'/'.join(map(str, name))}")

    def start(self, process: Process, at: datetime) -> None:
        """Let a process begin at a moment; one that is past means at once."""
        self._sequence += 1
        heapq.heappush(self._due, (max(at, self.now), self._sequence, process))

    def advance_to(self, moment: datetime) -> None:
        """Live on up to a moment, that moment included."""
        if moment < self.now:
            raise ValueError(f"time moves forward: {moment.isoformat()} is before {self.now.isoformat()}")
        due = self._due
        while due and due[0][0] <= moment:
            self.now, _, process = heapq.heappop(due)
            wanted = next(process, None)
            if wanted is not None:
                self.start(process, wanted)
        self.now = moment
        self.organization.now = moment

    def settle(self) -> None:
        """End everything that is under way; only time passes then."""
        self._due.clear()

    def day(self, number: int) -> datetime:
        """Midnight of a day of the organisation's life, 0 being the first."""
        return self.plan.start + timedelta(days=number)

    def account(self, login: str, kind: str, name: str, email: str, created_at: datetime) -> Account:
        """A new account."""
        number = self.ids.number("Account")
        node_kind = {"Bot": "Bot", "Organization": "Organization"}.get(kind, "Account")
        account = Account(self.ids.node(node_kind, number), number, login, kind, name, email, created_at)
        self.organization.nodes[account.id] = account
        return account

    def _found(self, size: str) -> None:
        """The organisation's account, its people, their bots, and those outside who contribute."""
        start = self.plan.start
        self.organization = Organization.__new__(Organization)
        organization = Organization(seed=self.seed, size=size, now=start, account=None, viewer=None)  # type: ignore[arg-type]
        self.organization = organization
        organization.account = self.account(OWNER, "Organization", "Acme", "hello@acme.example", start)
        rng = self.random("people")
        self.people: list[Account] = []
        for index in range(self.plan.people + self.plan.outsiders):
            first = FIRST_NAMES[index]
            last = rng.choice(LAST_NAMES)
            outside = index >= self.plan.people
            login = f"{first}-{last}".lower() if outside or index % 3 == 0 else first.lower()
            email = f"{first}.{last}@{'mail' if outside else 'acme'}.example".lower()
            joined = start - timedelta(days=rng.randint(100, 1500))
            self.people.append(self.account(login, "User", f"{first} {last}", email, joined))
        self.outsiders = self.people[self.plan.people :]
        self.people = self.people[: self.plan.people]
        self.dependabot = self.account("dependabot", "Bot", "dependabot[bot]", "support@github.example", start)
        self.renovate = self.account("renovate", "Bot", "renovate[bot]", "bot@renovate.example", start)
        self.actions = self.account("github-actions", "Bot", "github-actions[bot]", "actions@github.example", start)
        self.ci = self.account(CI_ACCOUNT, "User", "Acme CI", "ci@acme.example", start)
        bots = [self.dependabot, self.renovate, self.actions, self.ci]
        organization.accounts = [*self.people, *self.outsiders, *bots]
        organization.viewer = self.people[0]
        for index, day in self.plan.leavers:
            self.start(self._leave(self.people[index]), self.day(day))

    def _leave(self, person: Account) -> Process:
        """The account is deleted: what it wrote stays, without an author."""
        person.deleted_at = self.now
        return
        yield

    def present(self, accounts: list[Account]) -> list[Account]:
        """Those whose account still exists."""
        return [account for account in accounts if account.deleted_at is None]


class Still:
    """A given organisation, in which time passes and nothing happens."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization

    def settle(self) -> None:
        """Nothing happens by itself as it is."""

    def advance_to(self, moment: datetime) -> None:
        """Let time pass."""
        self.organization.now = moment
