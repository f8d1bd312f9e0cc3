"""What every change is made of: choices, the present moment, and the register."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from veelocity_pipeline.simulator.organization.code import RepositoryLife
from veelocity_pipeline.simulator.organization.code_host import (
    Account,
    Commit,
    Issue,
    PullRequest,
    Release,
    Repository,
    WorkflowRun,
)
from veelocity_pipeline.simulator.organization.life import Life
from veelocity_pipeline.simulator.organization.plan import THINGS, VERBS
from veelocity_pipeline.simulator.organization.tracker import (
    LinearIssue,
)

T = TypeVar("T")


@dataclass(frozen=True)
class Told:
    """What was done, in words, and whether it shows."""

    text: str
    is_shown: bool


class NotNowError(Exception):
    """There is nothing that this change could be made to."""


class Picks:
    """A row of small numbers as choices; zeros follow, which take the newest and the simplest."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = list(numbers)

    def number(self, below: int) -> int:
        """A number from 0 on."""
        return (self._numbers.pop(0) if self._numbers else 0) % below

    def flag(self) -> bool:
        """Yes or no; 0 is no."""
        return self.number(2) == 1

    def one(self, items: Iterable[T]) -> T:
        """One of some items, which are in the order of their making.

        Raises:
            NotNowError: there is none.
        """
        found = list(items)
        if not found:
            raise NotNowError
        return found[-1 - self.number(len(found))]


F = TypeVar("F", bound=Callable[..., str])

REGISTRY: dict[str, Callable[[Scene, Picks], str]] = {}


def change(name: str) -> Callable[[F], F]:
    """Register a function as the change of this name."""

    def register(function: F) -> F:
        REGISTRY[name] = function
        return function

    return register


class Scene:
    """The organisation while one change is made to it.

    Args:
        newest: how many of the newest tags, releases and deployments are looked at when asking what is new.
        is_told: whether the change moves the time of what it touches.
    """

    def __init__(self, life: Life, newest: int, is_told: bool) -> None:
        self.life = life
        self.newest = newest
        self._is_told = is_told
        self._is_hidden = False

    @property
    def is_shown(self) -> bool:
        """Whether the change shows to those who ask only for what is new."""
        return self._is_told and not self._is_hidden

    @property
    def now(self) -> datetime:
        """The present moment."""
        return self.life.now

    def touch(self, thing: PullRequest | Issue | LinearIssue | Release) -> None:
        if self._is_told:
            thing.updated_at = self.now

    def hide(self, condition: object = True) -> None:
        """Say that the present change does not show."""
        self._is_hidden = self._is_hidden or bool(condition)

    def homes(self) -> list[RepositoryLife]:
        """Repositories that are not archived."""
        return [home for home in self.life.repositories if not home.is_closed]

    def pull_requests(self, *states: str) -> list[PullRequest]:
        found = [each for home in self.homes() for each in home.repository.pull_requests]
        return [each for each in sorted(found, key=made) if not states or each.state in states]

    def issues(self, *states: str) -> list[Issue]:
        found = [each for home in self.homes() for each in home.repository.issues]
        return [each for each in sorted(found, key=made) if not states or each.state in states]

    def home(self, repository: Repository) -> RepositoryLife:
        return next(home for home in self.life.repositories if home.repository is repository)

    def person(self, picks: Picks) -> Account:
        return picks.one(self.life.present(self.life.people))

    def forget(self, *things: object) -> None:
        for thing in things:
            self.life.organization.nodes.pop(getattr(thing, "id"), None)  # noqa: B009

    def topic(self, picks: Picks) -> str:
        return f"{VERBS[picks.number(len(VERBS))]} {THINGS[picks.number(len(THINGS))]}"

    def default_head(self, repository: Repository) -> Commit:
        head = repository.head
        if head is None:
            raise NotNowError
        return head

    def drops(self, repository: Repository, branch: str) -> None:
        """A branch goes: deployments that name it no longer lead to it, which nothing tells."""
        self.hide(any(each.ref == branch for each in repository.deployments))

    def references(self, issue: Issue) -> list[PullRequest]:
        every = (each for home in self.life.repositories for each in home.repository.pull_requests)
        return [each for each in every if issue in each.closing_issues]


def made(thing: PullRequest | Issue | WorkflowRun) -> datetime:
    return thing.created_at


def name_of(subject: PullRequest | Issue) -> str:
    return f"{subject.repository.full_name}#{subject.number}"
