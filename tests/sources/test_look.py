"""A look through real connectors: quiet where a load would find nothing, for its requests; nothing new escapes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.loading.dlt import make_pipeline
from veelocity_pipeline.loading.look import look
from veelocity_pipeline.loading.read import load
from veelocity_pipeline.simulator import Simulator
from veelocity_pipeline.sources import SOURCES, Outcome, RefreshRequest
from veelocity_pipeline.warehouse.home import Home


@dataclass
class Followed:
    """A small organisation that is read, as long as nothing new is left."""

    simulator: Simulator
    home: Home
    settings: Settings

    def load(self, source: str) -> list[Outcome]:
        entry = SOURCES[source]
        return list(load(entry, self.settings, make_pipeline(entry, self.home), RefreshRequest()))

    def look(self, source: str, **settings: object) -> list[Outcome] | None:
        return look(SOURCES[source], self.settings.model_copy(update=settings), self.home, RefreshRequest())

    def settle(self, source: str) -> None:
        """Read until what changed is older than what is asked for again."""
        self.load(source)
        self.simulator.advance(minutes=20)
        self.load(source)


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    with Simulator(size="tiny") as simulator:
        home = Home(tmp_path_factory.mktemp("look") / "home")
        home.make()
        environment = simulator.environment()
        settings = Settings.model_validate(
            {
                "github_tokens": (environment["GITHUB_TOKEN"],),
                "github_api_url": environment["GITHUB_API_URL"],
                "github_repositories": tuple(environment["GITHUB_REPOSITORIES"].split(",")),
                "concurrency": 1,  # what all scopes cost together is told with the first that ends
                "linear_api_key": environment["LINEAR_API_KEY"],
                "linear_api_url": environment["LINEAR_API_URL"],
            }
        )
        for name in ("open a pull request", "open an issue", "start a run", "create a Linear issue"):
            assert simulator.change(name) is not None
        made = Followed(simulator, home, settings)
        for source in SOURCES:
            made.settle(source)
        yield made


@pytest.mark.parametrize("source", SOURCES)
def test_nothing_new_costs_what_a_load_costs_and_leaves_nothing(source: str, followed: Followed) -> None:
    followed.settle(source)  # whatever another test has left
    log = followed.simulator.log
    files = {path: path.stat().st_mtime_ns for path in followed.home.dlt.rglob("*")}

    def asked(act: Callable[[str], list[Outcome] | None]) -> tuple[list[Outcome], list[str]]:
        begun = len(log)
        outcomes = act(source)
        assert outcomes is not None
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        timeless = [replace(each, attempted_at=moment, succeeded_at=moment, budget_left=0) for each in outcomes]
        timeless = [replace(each, budget_share=0, read_at=moment) for each in timeless]
        requests = [f"{each.api} {each.status} {each.operation or each.path} {each.points}" for each in log[begun:]]
        return sorted(timeless, key=lambda each: (each.scope_id, each.table)), sorted(requests)

    seen = asked(followed.look)
    assert {path: path.stat().st_mtime_ns for path in followed.home.dlt.rglob("*")} == files
    assert seen == asked(followed.load)
    outcomes, requests = seen
    assert outcomes
    assert requests
    assert not any(outcome.rows for outcome in outcomes)


NEWS = {
    "edit a pull request": "github",
    "push to the default branch": "github",
    "make a tag": "github",
    "edit an issue": "github",
    "go on with a run": "github_actions",
    "edit a Linear issue": "linear",
    "make a Linear label": "linear",
}


@pytest.mark.parametrize("change", NEWS)
def test_nothing_new_escapes_it(change: str, followed: Followed) -> None:
    source = NEWS[change]
    followed.settle(source)  # whatever another test has left
    assert followed.look(source) is not None
    assert followed.simulator.change(change) is not None
    assert followed.look(source) is None
    assert any(outcome.rows for outcome in followed.load(source))  # and nothing of it is lost


def test_a_repository_that_is_added_and_a_token_that_is_refused_are_news(followed: Followed, tmp_path: Path) -> None:
    source = "github_actions"
    names = followed.settings.github_repositories
    settings = followed.settings.model_copy(update={"github_repositories": names[:2]})
    fewer = replace(followed, home=Home(tmp_path / "home"), settings=settings)
    fewer.home.make()
    fewer.settle(source)
    assert fewer.look(source) is not None
    assert fewer.look(source, github_repositories=names) is None
    refused = Settings.model_validate({**followed.settings.model_dump(), "github_tokens": ("wrong",)})
    assert fewer.look(source, github_tokens=refused.github_tokens) is None
    assert fewer.look(source) is not None
