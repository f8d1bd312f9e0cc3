"""Incremental equals full, always: whatever happens, and whenever it is looked at.

Each history is of one source: its organisation changes at random, is read now and then in every way, and in the end
what the warehouse holds is what one full refresh into a new one brings. ``make soak`` does this by the thousand.
"""

from __future__ import annotations

import logging
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests import inprocess
from tests.inprocess import marts
from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.simulator import Simulator
from veelocity_pipeline.simulator.organization.changes.shown import SHOWN
from veelocity_pipeline.sources import SOURCES, RefreshRequest
from veelocity_pipeline.warehouse.home import Home

from .steps import histories
from .world import Change, Configure, History, Refresh, Step, Wait, refresh, run

NUMBER = 9
"""Histories of each source."""

HISTORIES = settings(
    max_examples=NUMBER,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def happen(history: History) -> None:
    with tempfile.TemporaryDirectory(prefix="veelocity-history-") as folder:
        run(history, Path(folder))


@HISTORIES
@given(histories("github"))
def test_github_followed_is_github_read_at_once(history: History) -> None:
    happen(history)


@HISTORIES
@given(histories("github_actions"))
def test_actions_followed_are_actions_read_at_once(history: History) -> None:
    happen(history)


@HISTORIES
@given(histories("linear"))
def test_linear_followed_is_linear_read_at_once(history: History) -> None:
    happen(history)


# ------------------------------------------------------------------- what went wrong once, in as few steps as possible

FOUND: dict[str, tuple[str, tuple[Step, ...]]] = {
    "a workflow that is no longer listed": (
        "github_actions",
        (Refresh(), Change("delete a workflow", (2,))),
    ),
    "a run that was deleted, and the ones that expired": (
        "github_actions",
        (
            Refresh(),
            Wait(100 * 86_400),
            Change("start a run", (2, 1)),
            Change("start a run", (2, 1)),
            Change("go on with a run"),
            Change("let old runs expire", (1, 2)),
            Refresh(),
            Change("delete a run"),
        ),
    ),
    "a run of the second in which all was read": (
        "github_actions",
        (
            Wait(35 * 86_400),
            Configure((1,)),
            Refresh(),
            Change("start a run", (1,)),
            Refresh(),
        ),
    ),
    "a run that is deleted while the pages are read": (
        "github_actions",
        (
            *(Change("start a run", (2, 1)) for _ in range(5)),
            *(Change("go on with a run") for _ in range(5)),
            Wait(60),
            Refresh(during=tuple((number, Change("delete a run")) for number in (3, 5, 7))),
        ),
    ),
    "a project that is deleted": (
        "linear",
        (Refresh(), Change("delete a project")),
    ),
    "an issue that moves between teams while both are read": (
        "linear",
        (Refresh(during=tuple((number, Change("move a Linear issue to another team")) for number in range(2, 9))),),
    ),
    "a default branch that is rewritten, and takes its commits back": (
        "github",
        (
            Refresh(),
            Change("rewrite the default branch", (2, 1)),
            Refresh(),
            Change("push to the default branch", (2,)),
        ),
    ),
    "a repository that is renamed": (
        "github",
        (Refresh(), Change("rename a repository", (2,)), Refresh()),
    ),
    "a release whose tag is moved": ("github", (Refresh(), Change("move a tag", (0, 0, 1)))),
    "a release whose tag is deleted": ("github", (Refresh(), Change("delete a tag"))),
    "a deployment that replaces one after many others": (
        "github",
        (
            Change("make a deployment", (1, 0, 0, 0, 0, 2)),
            Change("make a deployment", (1, 0, 0, 0, 0, 1)),
            *(Change("make a deployment", (1, 1)) for _ in range(4)),
            Refresh(),
            Change("give a deployment a status", (4, 1)),
            Refresh(),
        ),
    ),
    "access that is lost during a full refresh": (
        "github",
        (Refresh(), *(Refresh(full=True, lost=(1, number)) for number in (0, 2, 6))),
    ),
    "access to Actions that is lost while a run is waited for": (
        "github_actions",
        (
            Change("start a run", (2, 1)),
            Wait(600),
            Refresh(),
            Wait(36 * 86_400),
            Refresh(),
            *(Refresh(lost=(0, number)) for number in range(8)),
            Change("go on with a run"),
        ),
    ),
    "a first and full refresh that is killed near its end": (
        "github",
        tuple(Refresh(full=True, ends=("kill", "request", number)) for number in (8, 12, 16)),
    ),
    "a default branch that is renamed after the jobs on it were read": (
        "github_actions",
        (
            Change("start a run", (0, 0, 3)),
            Change("go on with a run", (3,)),
            Refresh(),
            Change("rename the default branch"),
            Refresh(),
        ),
    ),
    "a deployment that is deleted": (
        "github",
        (Refresh(), Change("delete a deployment", (1,)), Refresh()),
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_a_history_that_went_wrong_once(name: str, tmp_path: Path) -> None:
    source, steps = FOUND[name]
    run(History(source, steps, page=3 if "tag" in name else 1, batch=1_000), tmp_path)


# --------------------------------------------------------------------------------------------------- all the marts

SAID_OTHERWISE = {
    # what is rightly kept by the one that followed alone
    "let old runs expire",
    "remove a Linear team",
}


def test_the_marts_of_what_was_followed_are_those_of_what_was_read_at_once(tmp_path: Path) -> None:
    """A living organisation, then a hundred changes of every kind to it, looked at a few times on the way."""
    chance = random.Random(5)
    grown, fresh = Home(tmp_path / "grown"), Home(tmp_path / "fresh")
    grown.make()
    is_shown = True
    with Simulator(size="small") as simulator:
        environment = simulator.environment()
        given_settings = Settings.model_validate(
            {
                "github_tokens": (environment["GITHUB_TOKEN"],),
                "github_api_url": environment["GITHUB_API_URL"],
                "github_repositories": tuple(environment["GITHUB_REPOSITORIES"].split(",")),
                "linear_api_key": environment["LINEAR_API_KEY"],
                "linear_api_url": environment["LINEAR_API_URL"],
            }
        )

        def look(full: bool = False) -> None:
            for entry in SOURCES.values():
                outcomes = refresh(entry, given_settings, grown.path, RefreshRequest(full))
                assert [outcome.error for outcome in outcomes if outcome.error] == []

        look()
        simulator.settle()
        names = [name for name in SHOWN if name not in SAID_OTHERWISE]
        for _ in range(3):
            for _ in range(40):
                told = simulator.change(chance.choice(names), [chance.randrange(6) for _ in range(6)])
                is_shown = is_shown and (told is None or told.is_shown)
                simulator.advance(minutes=chance.choice((0, 1, 60, 3_000)))
            look()
        for home, is_full in ((grown, not is_shown), (fresh, True)):
            assert inprocess.refresh(home, given_settings, full=is_full) == []
    followed, at_once = marts(grown), marts(fresh)
    assert followed.keys() == at_once.keys()
    for table, rows in at_once.items():
        assert followed[table] == rows, table
    assert at_once["fct_pull_requests"]
