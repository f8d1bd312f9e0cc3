"""How little is asked: requests and points of a thousand pull requests and issues, and of a refresh with nothing new.

Counted in the simulator's log, which says the same every time. ``make bench`` prints the figures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.loading.dlt import make_pipeline
from veelocity_pipeline.loading.read import load
from veelocity_pipeline.simulator import Simulator
from veelocity_pipeline.simulator.world import LoggedRequest
from veelocity_pipeline.sources import SOURCES, RefreshRequest

from .conftest import RawWarehouse

MakeWarehouse = Callable[[str], RawWarehouse]
MakeSettings = Callable[..., Settings]
PER_REQUEST = 100
"""Commits of a default branch, or runs, that one request brings: counted beside the pull requests."""


class _Counted:
    """A simulator whose log is read piece by piece, and the warehouse that is loaded from it."""

    def __init__(self, simulator: Simulator, settings: Settings, warehouse: RawWarehouse) -> None:
        self.simulator, self.settings, self.warehouse = simulator, settings, warehouse
        self.run = 0

    def refresh(self, *sources: str) -> list[LoggedRequest]:
        """What refreshing some sources asked, in one run."""
        seen = len(self.simulator.log)
        self.run += 1
        request = RefreshRequest(run=str(self.run))
        for name in sources:
            pipeline = make_pipeline(SOURCES[name], self.warehouse.home)
            for outcome in load(SOURCES[name], self.settings, pipeline, request):
                assert outcome.error is None
        return self.simulator.log[seen:]


Start = Callable[[str], AbstractContextManager[_Counted]]


@pytest.fixture
def counted(settings: MakeSettings, new_warehouse: MakeWarehouse) -> Start:
    @contextmanager
    def start(size: str) -> Iterator[_Counted]:
        with Simulator(size=size) as simulator:
            environment = simulator.environment()
            made = settings(
                github_tokens=(environment["GITHUB_TOKEN"],),
                github_api_url=environment["GITHUB_API_URL"],
                github_repositories=tuple(environment["GITHUB_REPOSITORIES"].split(",")),
                linear_api_key=environment["LINEAR_API_KEY"],
                linear_api_url=environment["LINEAR_API_URL"],
            )
            yield _Counted(simulator, made, new_warehouse("home"))

    return start


@pytest.mark.parametrize(("size", "requests"), [("ordinary", 30), ("reviewed", 70)])
def test_a_thousand_pull_requests(counted: Start, size: str, requests: int) -> None:
    with counted(size) as it:
        (repository,) = it.simulator.organization.repositories
        thousands = len(repository.pull_requests) / 1_000
        log = it.refresh("github")
    assert thousands > 1
    commits = [each for each in log if each.operation == "commits"]
    others = [each for each in log if each.operation != "commits"]
    assert {each.api for each in log} == {"graphql"}
    assert len(commits) <= sum(each.landing >= 0 for each in repository.commits.values()) / PER_REQUEST + 1
    assert len(others) <= requests * thousands, Counter(each.operation for each in others)
    assert sum(each.points for each in others) <= 600 * thousands


def test_a_thousand_linear_issues(counted: Start) -> None:
    with counted("ordinary") as it:
        thousands = len(it.simulator.organization.workspace.issues) / 1_000
        log = it.refresh("linear")
    assert thousands > 1
    assert len(log) <= 40 * thousands
    assert sum(each.points for each in log) <= 35_000 * thousands


def test_a_hundred_repositories_with_nothing_new(counted: Start) -> None:
    sources = ("github", "github_actions", "linear")
    with counted("hundred") as it:
        it.refresh(*sources)
        idle = it.refresh(*sources)
        assert {each.status for each in idle if each.api == "rest"} == {304}
        assert len([each for each in idle if each.api != "rest"]) <= 6
        it.simulator.advance(minutes=1)
        pull_request = it.simulator.organization.repositories[50].pull_requests[0]
        pull_request.title, pull_request.updated_at = "Another", it.simulator.now
        changed = it.refresh(*sources)
        assert len(changed) - len(idle) <= 10
    assert it.warehouse.rows(f"select title from raw_github.pull_requests where id = '{pull_request.id}'") == [
        ("Another",)
    ]
