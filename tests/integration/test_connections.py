"""A second GitHub and a second Linear: the same ``acme/*`` on both, with equal and other content; one taken away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import inprocess
from tests.inprocess import Marts, marts, settings_of
from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.published.open import read_published
from veelocity_pipeline.simulator import Simulator
from veelocity_pipeline.sources.kit.tables import Table
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.status import read_status

FACTS = {"dim_repositories": None, "fct_deployments": 16, "fct_reviews": None}
"""Tables, and how many of their columns depend on no tracker, which both GitHubs share."""


def connections(second: Simulator) -> str:
    """Return a configuration that reads another simulator, too: its GitHub as ``ghes``, its Linear as ``second``."""
    its = second.environment()
    names = ", ".join(f'"{name}"' for name in its["GITHUB_REPOSITORIES"].split(","))
    return f"""
[[connections]]
name = "ghes"
source = "github"
url = "{its["GITHUB_API_URL"]}"
token_env = "GHES_TOKEN"
repositories = [{names}]

[[connections]]
name = "second"
source = "linear"
url = "{its["LINEAR_API_URL"]}"
token_env = "SECOND_LINEAR_KEY"
"""


@pytest.fixture(scope="module")
def first() -> Iterator[Simulator]:
    with Simulator(size="small") as simulator:
        yield simulator


@pytest.fixture
def secrets(first: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GHES_TOKEN", first.environment()["GITHUB_TOKEN"])
    monkeypatch.setenv("SECOND_LINEAR_KEY", first.environment()["LINEAR_API_KEY"])


def of_connection(content: Marts, table: str, connection: str) -> list[str]:
    """Return a table's rows of one connection as text, as if they were of GitHub's own."""
    rows = [row[: FACTS[table]] for row in content[table] if str(row[0]).startswith(f"{connection}:")]
    return sorted(
        repr(row).replace(f"'{connection}:", "'github:").replace(f"'{connection}'", "'github'") for row in rows
    )


def status_of(home: Home) -> set[str]:
    return {row["repository"].partition(":")[0] for row in read_status(home) if ":" in row["repository"]}


@pytest.mark.usefixtures("secrets")
def test_the_same_repositories_on_two_hosts_are_two_and_equal(first: Simulator, tmp_path: Path) -> None:
    """Two simulators of one organisation: whatever is read of the second is what is read of the first."""
    alone, both = Home(tmp_path / "alone"), Home(tmp_path / "both")
    inprocess.refresh(alone, settings_of(first))
    with Simulator(size="small") as second:
        chosen = settings_of(first, connections(second))
        assert inprocess.refresh(both, chosen) == []
    expected, content = marts(alone), marts(both)
    for table in FACTS:
        own = of_connection(expected, table, "github")
        assert own, table
        assert of_connection(content, table, "github") == own, table
        assert of_connection(content, table, "ghes") == own, table
    for table, mark in (("fct_pull_requests", "#"), ("fct_issues", ":")):
        ids = {str(row[0]) for row in content[table]}
        for one in {str(row[0]) for row in expected[table]}:
            kind, _, rest = one.partition(":")
            assert mark in one
            assert {one, f"{'ghes' if kind == 'github' else 'second'}:{rest}"} <= ids
        assert len(ids) == 2 * len(expected[table])
    with read_published(both.published) as connection:
        logins = connection.execute("select person from marts.dim_people where person like 'ghes:%'").fetchall()
    with read_published(alone.published) as connection:
        strangers = connection.execute(
            """select count(distinct author) from marts.fct_pull_requests
               where not is_bot and author not in (select person from marts.dim_people)"""
        ).fetchall()
    assert strangers == [(0,)]
    # an account with commits of the same address on both is one person
    with read_published(both.published) as connection:
        [(joined,)] = connection.execute(
            """select count(*) from marts.fct_pull_requests as own
               inner join marts.fct_pull_requests as mirrored
                   on mirrored.pull_request_id = 'ghes:' || split_part(own.pull_request_id, ':', 2)
               where own.author = mirrored.author and not own.is_bot"""
        ).fetchall()
    assert joined > 0
    assert len(logins) < len({row[0] for row in content["dim_people"]}) / 2


@pytest.mark.usefixtures("secrets")
def test_a_connection_follows_its_own_marks_and_may_go(first: Simulator, tmp_path: Path) -> None:
    """The second one goes on by itself; what it told stays when it is taken out of the settings."""
    home, fresh = Home(tmp_path / "home"), Home(tmp_path / "fresh")
    with Simulator(size="small", seed=7) as second:
        chosen = settings_of(first, connections(second))
        assert inprocess.refresh(home, chosen) == []
        before = marts(home)
        second.advance(days=6)
        assert inprocess.refresh(home, chosen) == []
        after = marts(home)
        # (the moment of the data is the newest of both, so only facts are compared)
        for table in FACTS:
            assert of_connection(after, table, "github") == of_connection(before, table, "github"), table
        assert len(of_connection(after, "fct_deployments", "ghes")) > len(
            of_connection(before, "fct_deployments", "ghes")
        )
        inprocess.refresh(fresh, chosen)
        assert {name: rows for name, rows in marts(fresh).items() if name != "sync_status"} == {
            name: rows for name, rows in after.items() if name != "sync_status"
        }
    assert status_of(home) == {"ghes", "second"}

    assert inprocess.refresh(home, settings_of(first)) == []
    left = marts(home)
    assert status_of(home) == set()
    assert of_connection(left, "fct_deployments", "ghes") == of_connection(after, "fct_deployments", "ghes")
    assert of_connection(left, "fct_deployments", "github") == of_connection(before, "fct_deployments", "github")
    with read_published(home.published) as connection:
        rows: list[tuple[Any, ...]] = connection.execute(
            "select split_part(repository_id, ':', 1), bool_and(is_removed), bool_or(is_removed) "
            "from marts.dim_repositories group by 1 order by 1"
        ).fetchall()
    assert rows == [("ghes", True, True), ("github", False, False)]


@pytest.mark.usefixtures("secrets")
def test_one_that_fails_stops_no_other(first: Simulator, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with Simulator(size="small", seed=7) as second:
        chosen: Settings = settings_of(first, connections(second))
        tokens = {**chosen.connection_tokens, "ghes": chosen.linear_api_key}
        wrong = chosen.model_copy(update={"connection_tokens": tokens})
        failed = inprocess.refresh(home, wrong)
    assert {(outcome.source, outcome.scope_name) for outcome in failed} == {
        ("github", "ghes:*"),
        ("github_actions", "ghes:*"),
    }
    assert {row["repository"] for row in read_status(home) if row["error"]} == {"ghes:*"}
    assert marts(home)["fct_deployments"]


@pytest.mark.usefixtures("secrets")
def test_a_warehouse_of_before_goes_on_from_its_marks(
    first: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its raw tables had no column for the connection; its rows are of the vendor's own."""
    home, second_home = Home(tmp_path / "home"), Home(tmp_path / "second")
    with monkeypatch.context() as before:
        before.setattr(Table, "stored_columns", property(lambda table: dict(table.columns)))
        inprocess.read(home, settings_of(first))
    inprocess.read(second_home, settings_of(first))
    again, idle = (inprocess.read(each, settings_of(first)) for each in (home, second_home))
    assert not [outcome for outcome in again if outcome.error]
    assert sum(outcome.requests for outcome in again) == sum(outcome.requests for outcome in idle)
    inprocess.build(home, settings_of(first))
    inprocess.build(second_home, settings_of(first))
    assert marts(home) == marts(second_home)
