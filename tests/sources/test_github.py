"""GitHub: documents against the official schema, refreshes against the simulator."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, parse, validate
from pydantic import SecretStr

from tests.golden.story import tell
from veelocity_pipeline.config.sections import Deployments, Service
from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.loading import read as loading_read
from veelocity_pipeline.simulator import Fault, Simulator
from veelocity_pipeline.sources.github import ENTRY, GitHubConnector, alone, queries, shape
from veelocity_pipeline.sources.github.mark import TagsMark
from veelocity_pipeline.sources.kit.http import client as http

from .conftest import RawWarehouse

# ------------------------------------------------------------------------------------------------ documents


DOCUMENTS = {**queries.DOCUMENTS, **alone.DOCUMENTS}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_document_is_valid_against_the_official_schema(name: str, github_contract: GraphQLSchema) -> None:
    assert validate(github_contract, parse(DOCUMENTS[name])) == []


# ------------------------------------------------------------------------------------------------ refreshes

Organization = Callable[..., Settings]


Rows = dict[str, list[tuple[Any, ...]]]


def settings_of(simulator: Simulator, **fields: Any) -> Settings:
    """Settings for the simulated organisation, with a service in its first repository, so that paths are read."""
    environment = simulator.environment()
    names = tuple(environment["GITHUB_REPOSITORIES"].split(","))
    return Settings.model_validate(
        {
            "github_tokens": (SecretStr(environment["GITHUB_TOKEN"]),),
            "github_api_url": environment["GITHUB_API_URL"],
            "github_repositories": names,
            "services": (Service(name="part", repository=names[0], paths=("**",)),),
            **fields,
        }
    )


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """All raw rows after an undisturbed load of the organisation, which is the same in every simulator."""
    folder = tmp_path_factory.mktemp("calm")
    (folder / "dlt").mkdir()
    warehouse = RawWarehouse(folder)
    with Simulator(size="small") as simulator:
        outcomes = warehouse.refresh(ENTRY, settings_of(simulator))
    assert not [outcome.error for outcome in outcomes if outcome.error]
    return warehouse.everything(ENTRY)


@pytest.fixture
def simulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """A small organisation of the test's own; waits take no time."""
    real = http.Client.__init__

    def patient(self: http.Client, *arguments: Any, **named: Any) -> None:
        real(self, *arguments, **{**named, "sleep": lambda _seconds: None})

    monkeypatch.setattr(http.Client, "__init__", patient)
    with Simulator(size="small") as made:
        yield made


@pytest.fixture
def of(simulator: Simulator) -> Organization:
    """Settings for the test's simulator."""
    return functools.partial(settings_of, simulator)


def differences(one: dict[str, list[Any]], other: dict[str, list[Any]]) -> dict[str, Any]:
    """Tables whose rows differ, with the first few rows that only one side has."""
    found = {}
    for table in one:
        left, right = Counter(map(repr, one[table])), Counter(map(repr, other[table]))
        if left != right:
            found[table] = ([*(left - right)][:3], [*(right - left)][:3])
    return found


def test_a_refresh_of_nothing_new_changes_nothing_and_asks_once(
    simulator: Simulator, of: Organization, new_warehouse: Callable[[str], RawWarehouse]
) -> None:
    warehouse = new_warehouse("home")
    first = warehouse.refresh(ENTRY, of())
    assert not [outcome.error for outcome in first if outcome.error]
    before = warehouse.everything(ENTRY)
    assert all(before[table] for table in ("pull_requests", "commits", "pull_request_reviews", "pull_request_files"))
    count = len(simulator.log)
    again = warehouse.refresh(ENTRY, of())
    # One for all repositories, and one more for each in which something changed within the last minute.
    assert len(simulator.log) - count <= 1 + len(of().github_repositories)
    assert not [outcome.error for outcome in again if outcome.error]
    assert differences(before, warehouse.everything(ENTRY)) == {}


def test_increments_end_where_a_full_load_of_a_fresh_warehouse_does(
    simulator: Simulator, of: Organization, new_warehouse: Callable[[str], RawWarehouse]
) -> None:
    moving = new_warehouse("moving")
    moving.refresh(ENTRY, of())
    for days in (1, 7, 30):
        simulator.advance(days=days)
        moving.refresh(ENTRY, of())
    fresh = new_warehouse("fresh")
    fresh.refresh(ENTRY, of())
    assert differences(moving.everything(ENTRY), fresh.everything(ENTRY)) == {}
    moving.refresh(ENTRY, of(), full=True)
    assert differences(moving.everything(ENTRY), fresh.everything(ENTRY)) == {}


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="502", match="graphql", times=3, after=2),
        Fault(kind="drop", match="graphql", times=3, after=2),
        Fault(kind="primary_limit", match="graphql", times=2, after=3),
        Fault(kind="secondary_limit", match="graphql", times=2, after=3),
        Fault(kind="partial", match="graphql", times=2, after=2),
        Fault(kind="not_json", match="graphql", times=1, after=2),
    ],
    ids=lambda fault: fault.kind,
)
def test_a_fault_changes_nothing_in_the_end(
    fault: Fault, simulator: Simulator, of: Organization, calm: Rows, new_warehouse: Callable[[str], RawWarehouse]
) -> None:
    shaken = new_warehouse("shaken")
    simulator.faults.append(fault)
    outcomes = shaken.refresh(ENTRY, of())
    assert not [outcome.error for outcome in outcomes if outcome.error]
    assert differences(shaken.everything(ENTRY), calm) == {}


def test_an_unknown_repository_fails_alone(of: Organization, new_warehouse: Callable[[str], RawWarehouse]) -> None:
    warehouse = new_warehouse("home")
    names = of().github_repositories
    outcomes = warehouse.refresh(ENTRY, of(github_repositories=(names[0], "acme/nothing-here", *names[1:])))
    failed = {outcome.scope_name for outcome in outcomes if outcome.error}
    assert failed == {"acme/nothing-here"}
    assert warehouse.rows("select count(*) from raw_github.repositories") == [(len(names),)]


def test_a_wrong_token_is_said_in_one_sentence(
    simulator: Simulator, of: Organization, new_warehouse: Callable[[str], RawWarehouse]
) -> None:
    simulator.faults.append(Fault(kind="unauthorized", match="graphql", times=100))
    outcomes = new_warehouse("home").refresh(ENTRY, of())
    assert {outcome.scope_id for outcome in outcomes} == {"*"}
    assert all("GITHUB_TOKEN" in (outcome.error or "") for outcome in outcomes)


def test_an_interrupted_first_load_goes_on_and_ends_the_same(
    simulator: Simulator,
    of: Organization,
    calm: Rows,
    new_warehouse: Callable[[str], RawWarehouse],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queries, "PULL_REQUESTS_PER_PAGE", 8)
    monkeypatch.setattr(queries, "COMMITS_PER_PAGE", 10)
    cut = new_warehouse("cut")
    for after in (2, 5, 9):
        simulator.faults.append(Fault(kind="forbidden", match="graphql", times=50, after=after))
        cut.refresh(ENTRY, of())
        simulator.faults.clear()
    outcomes = cut.refresh(ENTRY, of())
    assert not [outcome.error for outcome in outcomes if outcome.error]
    assert differences(cut.everything(ENTRY), calm) == {}


def test_the_first_load_is_thrifty(
    simulator: Simulator, of: Organization, new_warehouse: Callable[[str], RawWarehouse]
) -> None:
    outcomes = new_warehouse("home").refresh(ENTRY, of(services=()))
    assert max(entry.points for entry in simulator.log) <= 30
    assert sum(outcome.points for outcome in outcomes) == sum(entry.points for entry in simulator.log)
    assert sum(outcome.requests for outcome in outcomes) == len(simulator.log)


def test_the_check_says_what_can_be_read(simulator: Simulator, of: Organization) -> None:
    names = of().github_repositories
    results = GitHubConnector(of(github_repositories=(*names, "acme/nothing-here"))).check()
    assert [result.ok for result in results] == [True] * (1 + len(names)) + [False]
    assert "pull requests" in results[1].detail
    simulator.faults.append(Fault(kind="unauthorized", match="graphql", times=10))
    (refused,) = GitHubConnector(of()).check()
    assert not refused.ok
    assert "GITHUB_TOKEN" in refused.detail


@pytest.mark.parametrize(
    ("permission", "named"),
    [("issues", "Issues"), ("pull_requests", "Pull requests"), ("deployments", "Deployments")],
)
def test_a_permission_that_the_token_lacks_is_named(
    permission: str, named: str, simulator: Simulator, of: Organization
) -> None:
    granted = dict.fromkeys(("metadata", "contents", "pull_requests", "issues", "actions", "deployments"), "read")
    simulator.github.token_permissions = {name: level for name, level in granted.items() if name != permission}
    lines = GitHubConnector(of()).check()
    assert [line.ok for line in lines] == [True] + [False] * len(of().github_repositories)
    assert all(f"what is missing is read access to {named}: " in line.detail for line in lines[1:])


@pytest.mark.parametrize(
    ("scopes", "ok", "says"),
    [
        ("read:org, repo", True, "and a fine-grained token can be kept from writing"),
        ("delete_repo, public_repo", True, "nothing here needs delete_repo"),
        ("read:org, gist", False, "reads no private repository"),
    ],
)
def test_what_a_classic_token_may_do_is_said(
    scopes: str, ok: bool, says: str, simulator: Simulator, of: Organization
) -> None:
    simulator.github.token_scopes = scopes
    [line] = [line for line in GitHubConnector(of()).check() if line.subject == "GitHub token"]
    assert line.ok is ok
    assert says in line.detail


def test_all_of_an_owner_from_a_day_on(
    of: Organization, calm: Rows, new_warehouse: Callable[[str], RawWarehouse]
) -> None:
    owner = of().github_repositories[0].split("/")[0]
    columns = list(ENTRY.tables["pull_requests"].columns)
    closed = sorted(row[columns.index("closed_at")] for row in calm["pull_requests"] if row[columns.index("closed_at")])
    day = closed[len(closed) // 2].date()
    expected = {
        row[0]
        for row in calm["pull_requests"]
        if row[columns.index("closed_at")] is None or row[columns.index("closed_at")].date() >= day
    }
    warehouse = new_warehouse("home")
    settings = of(github_repositories=(f"{owner}/*",), start_date=day)
    for full in (False, False, True):
        outcomes = warehouse.refresh(ENTRY, settings, full=full)
        assert not [outcome.error for outcome in outcomes if outcome.error]
        assert {row[0] for row in warehouse.table(ENTRY, "pull_requests")} == expected
    assert warehouse.rows("select distinct configured_as from raw_github.repositories") == [(f"{owner}/*",)]


def test_a_repository_that_its_owner_no_longer_lists_is_a_failure_and_no_deletion(
    simulator: Simulator, of: Organization, new_warehouse: Callable[[str], RawWarehouse]
) -> None:
    first, *_ = simulator.organization.repositories
    owner, _, name = of().github_repositories[0].partition("/")
    settings = of(github_repositories=(f"{owner}/*",))
    warehouse = new_warehouse("home")
    warehouse.refresh(ENTRY, settings)
    count = warehouse.rows("select count(*) from raw_github.pull_requests where deleted_at is null")
    simulator.organization.repositories.remove(first)
    outcomes = warehouse.refresh(ENTRY, settings)
    errors = {outcome.scope_name: outcome.error for outcome in outcomes if outcome.error}
    assert list(errors) == [f"{owner}/{name}"]
    assert f"no longer lists {owner}/{name} under {owner}/*" in str(errors[f"{owner}/{name}"])
    assert warehouse.rows("select count(*) from raw_github.pull_requests where deleted_at is null") == count
    assert f"add !{owner}/{name} to GITHUB_REPOSITORIES" in str(errors[f"{owner}/{name}"])
    # One that is asked for by its name alone says nothing of the others.
    others = [outcome for outcome in warehouse.refresh(ENTRY, settings, scopes=(f"{owner}/api",)) if outcome.error]
    assert f"{owner}/{name}" not in {outcome.scope_name for outcome in others}
    # the cure that it names
    settings = of(github_repositories=(f"{owner}/*", f"!{owner}/{name.upper()}"))
    outcomes = warehouse.refresh(ENTRY, settings)
    assert outcomes
    assert not [outcome.error for outcome in outcomes if outcome.error]
    assert f"{owner}/{name}" not in {outcome.scope_name for outcome in outcomes}
    assert warehouse.rows("select count(*) from raw_github.pull_requests where deleted_at is null") == count


def test_a_repository_that_is_left_out_is_not_read(
    simulator: Simulator, of: Organization, new_warehouse: Callable[[str], RawWarehouse]
) -> None:
    first, *others = of().github_repositories
    owner, _, _ = first.partition("/")
    settings = of(github_repositories=(f"{owner}/*", f"!{first}"))
    warehouse = new_warehouse("home")
    names = {outcome.scope_name for outcome in warehouse.refresh(ENTRY, settings)}
    assert set(others) <= names
    assert first not in names
    assert warehouse.rows(f"select count(*) from raw_github.repositories where name_with_owner = '{first}'") == [(0,)]
    errors = [outcome.error for outcome in warehouse.refresh(ENTRY, settings, scopes=(first,))]
    assert errors == [f"{first} is left out by !{first} in GITHUB_REPOSITORIES: take that out first."] * len(errors)
    assert errors
    # taken back, all of it is read
    warehouse.refresh(ENTRY, of(github_repositories=(f"{owner}/*",)), scopes=(first,))
    assert warehouse.rows(f"select count(*) from raw_github.repositories where name_with_owner = '{first}'") == [(1,)]


def test_an_earlier_first_day_uncovers_history(
    of: Organization, calm: Rows, new_warehouse: Callable[[str], RawWarehouse]
) -> None:
    columns = list(ENTRY.tables["pull_requests"].columns)
    closed = sorted(row[columns.index("closed_at")] for row in calm["pull_requests"] if row[columns.index("closed_at")])
    warehouse = new_warehouse("home")
    for start in (closed[-2].date(), closed[len(closed) // 2].date(), None):
        outcomes = warehouse.refresh(ENTRY, of(start_date=start))
        assert not [outcome.error for outcome in outcomes if outcome.error]
    assert differences(warehouse.everything(ENTRY), calm) == {}


def test_a_backfill_reads_again_what_ended_since_a_day(
    tmp_path: Path, new_warehouse: Callable[[str], RawWarehouse], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PULL_REQUESTS_PER_PAGE", 1)
    path = tmp_path / "story.txt"
    path.write_text(AN_EARLY_AND_A_LATE_ONE, "utf-8")
    warehouse = new_warehouse("home")

    def titles() -> list[tuple[str, bool]]:
        rows = warehouse.rows("select title, deleted_at is not null from raw_github.pull_requests order by number")
        return [(str(title), bool(is_gone)) for title, is_gone in rows]

    with Simulator(organization=tell(path).organization) as simulator:
        settings = settings_of(simulator, services=())
        warehouse.refresh(ENTRY, settings)
        # What no increment would notice, since nothing else moves with it.
        for pull_request in simulator.organization.repositories[0].pull_requests:
            pull_request.title += ", again"
        warehouse.refresh(ENTRY, settings)
        assert titles() == [("First", False), ("Second", False), ("Third", False), ("Fourth", False)]

        simulator.log.clear()
        warehouse.refresh(ENTRY, settings, full=True, since=date(2026, 3, 10))
        # The page of the first older one tells that all that follow are older; then, once, what changed meanwhile.
        assert titles() == [
            ("First", False),
            ("Second, again", False),
            ("Third, again", False),
            ("Fourth, again", False),
        ]
        assert [entry.operation for entry in simulator.log].count("pullRequests") == 3 + 2

        warehouse.refresh(ENTRY, settings, full=True)
        assert titles()[0] == ("First, again", False)


def test_a_backfill_of_what_was_never_read_reads_it_whole(
    of: Organization, calm: Rows, new_warehouse: Callable[[str], RawWarehouse]
) -> None:
    warehouse = new_warehouse("home")
    warehouse.refresh(ENTRY, of(), full=True, since=date(2030, 1, 1))
    assert differences(warehouse.everything(ENTRY), calm) == {}


def test_a_long_read_tells_how_far_it_has_come(
    of: Organization, new_warehouse: Callable[[str], RawWarehouse], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading_read, "PROGRESS_SECONDS", 0)
    monkeypatch.setattr(queries, "PULL_REQUESTS_PER_PAGE", 8)
    name, *_ = of().github_repositories
    told: list[str] = []
    warehouse = new_warehouse("home")
    warehouse.refresh(ENTRY, of(), scopes=(name,), on_progress=told.append)
    [(count,)] = warehouse.rows("select count(*) from raw_github.pull_requests")
    steps = [
        re.fullmatch(rf"GitHub: {name}: ([\d,]+) of {count:,} pull requests \((\d+) pages?\)", text) for text in told
    ]
    done = [(int(step[1].replace(",", "")), int(step[2])) for step in steps if step]
    assert done == sorted(done)
    assert done[-1][0] == count
    assert done[-1][1] > 1


def test_a_refresh_of_one_repository_leaves_the_others_alone(
    of: Organization, new_warehouse: Callable[[str], RawWarehouse]
) -> None:
    name, *_ = of().github_repositories
    outcomes = new_warehouse("home").refresh(ENTRY, of(), scopes=(name, "acme/nothing-here"))
    errors = {outcome.scope_name: outcome.error for outcome in outcomes}
    assert len(errors) == 2
    assert "GITHUB_REPOSITORIES" in (errors["acme/nothing-here"] or "")


AN_EARLY_AND_A_LATE_ONE = """
now 2026-03-20 12:00
people
  ann Ann ann@acme.example
repository web
  2026-03-02
    08:00  ann pushes m1
    09:00  ann pushes p1 on first
    09:10  ann opens #1 first "First"
    10:00  ann merges #1
  2026-03-03
    09:00  ann pushes p2 on second
    09:10  ann opens #2 second "Second"
    10:00  ann merges #2
  2026-03-12
    09:00  ann pushes p3 on third
    09:10  ann opens #3 third "Third"
    10:00  ann merges #3
    11:00  ann pushes p4 on fourth
    11:10  ann opens #4 fourth "Fourth"
"""


RELEASES_FROM_A_BRANCH = """
now 2026-03-20 12:00
people
  ann Ann ann@acme.example
repository web
  2026-03-02
    08:00  ann pushes m1
    08:30  ann releases v1.0
    09:00  ann pushes p1 on patch
    09:10  ann opens #1 patch "A patch"
    09:20  ann deploys pre to preview at=patch until 09:30
    10:00  ann pushes m2
    11:00  ann pushes r1 on release/1 from=v1.0
    12:00  ann pushes r2 on release/1
    12:30  ann releases v1.0.1 at=release/1
    13:00  ann pushes d1 on emergency from=v1.0
    13:10  ann deploys now to production at=emergency until 13:20
    14:00  ann pushes s1 on trial from=v1.0
    14:10  ann deploys try to staging at=trial until 14:20
    15:00  ann pushes x1 on unreleased from=v1.0
    16:00  ann loses gone
    16:10  ann deploys ghost to production at=gone until 16:20
linear
  team ENG
"""


def test_what_is_deployed_from_another_branch_is_read_with_its_history(
    tmp_path: Path, new_warehouse: Callable[[str], RawWarehouse]
) -> None:
    path = tmp_path / "story.txt"
    path.write_text(RELEASES_FROM_A_BRANCH, "utf-8")
    story = tell(path)
    warehouse = new_warehouse("home")
    sql = "select sha, parent_shas from raw_github.deployed_commits"

    def found() -> dict[str, str]:
        return {story.names[sha]: story.names[parents] for sha, parents in warehouse.rows(sql)}

    with Simulator(organization=story.organization) as simulator:
        settings = settings_of(simulator, services=())
        assert not [outcome.error for outcome in warehouse.refresh(ENTRY, settings) if outcome.error]
        # not p1, which its pull request has, nor what went to staging or nowhere, nor the commit that is gone
        assert found() == {"r2": "r1", "r1": "m1", "d1": "m1"}

        repository = story.organization.repositories[0]
        repository.tags.append(dataclasses.replace(repository.tags[-1], name="t1", commit=repository.branches["trial"]))
        count = len(simulator.log)
        assert not [outcome.error for outcome in warehouse.refresh(ENTRY, settings) if outcome.error]
        assert found() == {"r2": "r1", "r1": "m1", "d1": "m1", "s1": "m1"}
        # the repositories, the tags, and the history of what the new one names; not of what is gone
        assert len(simulator.log) - count == 3

        warehouse.refresh(ENTRY, settings, full=True)
        assert found() == {"r2": "r1", "r1": "m1", "d1": "m1", "s1": "m1"}


def test_a_branch_from_which_the_settings_deploy_is_read_with_its_history(
    tmp_path: Path, new_warehouse: Callable[[str], RawWarehouse]
) -> None:
    """Named later, it is read by the next refresh; what is pushed there, by the one after that."""
    path = tmp_path / "story.txt"
    path.write_text(RELEASES_FROM_A_BRANCH, "utf-8")
    story = tell(path)
    warehouse = new_warehouse("home")

    def found() -> set[str]:
        return {story.names[sha] for (sha,) in warehouse.rows("select sha from raw_github.deployed_commits")}

    with Simulator(organization=story.organization) as simulator:
        warehouse.refresh(ENTRY, settings_of(simulator, services=()))
        assert found() == {"r2", "r1", "d1"}
        settings = settings_of(simulator, services=(), deployments=Deployments(branches=("un*",)))
        assert not [outcome.error for outcome in warehouse.refresh(ENTRY, settings) if outcome.error]
        assert found() == {"r2", "r1", "d1", "x1"}
        branches = story.organization.repositories[0].branches
        branches["unknown"] = branches["trial"]
        assert not [outcome.error for outcome in warehouse.refresh(ENTRY, settings) if outcome.error]
        assert found() == {"r2", "r1", "d1", "x1", "s1"}


def test_tags_are_dated_once_where_they_deploy(
    tmp_path: Path, new_warehouse: Callable[[str], RawWarehouse], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dates that an earlier version did not load are asked for where tags deploy, and nowhere else."""
    path = tmp_path / "story.txt"
    path.write_text(RELEASES_FROM_A_BRANCH, "utf-8")
    story = tell(path)
    repository = story.organization.repositories[0]
    first, *_ = repository.tags
    at = first.created_at + timedelta(days=1)
    repository.tags.append(dataclasses.replace(first, id="T_annotated", name="t1", is_annotated=True, created_at=at))
    repository.tags.append(dataclasses.replace(first, id="T_light", name="t2", is_annotated=False, created_at=at))
    warehouse = new_warehouse("home")
    dates = "select name, tagged_at, committed_at from raw_github.tags where name in ('t1', 't2') order by name"
    committed = first.commit.committed_at

    with Simulator(organization=story.organization) as server:

        def asked(settings: Settings) -> int:
            count = len(server.log)
            assert not [outcome.error for outcome in warehouse.refresh(ENTRY, settings) if outcome.error]
            return len(server.log) - count

        usual = settings_of(server, services=())
        deploying = settings_of(server, services=(), deployments=Deployments(source="tags"))
        with monkeypatch.context() as earlier:
            real = shape.tag_rows
            undated = {"tagged_at": None, "committed_at": None}
            earlier.setattr(shape, "tag_rows", lambda *of: [{**row, **undated} for row in real(*of)])
            earlier.setattr(TagsMark, "is_dated", property(lambda _mark: False, lambda _mark, _value: None))
            asked(usual)
        assert warehouse.rows(dates) == [("t1", None, None), ("t2", None, None)]
        assert asked(usual) == 1
        assert asked(deploying) == 2
        assert warehouse.rows(dates) == [("t1", at, committed), ("t2", None, committed)]
        assert asked(deploying) == 1

        # it moves, and another one is deleted
        head = repository.head
        assert head is not None
        moved = dataclasses.replace(repository.tags[-1], commit=head)
        repository.tags[-2:] = [moved]
        asked(deploying)
        assert warehouse.rows(dates) == [("t2", None, head.committed_at)]


def test_what_was_deployed_before_the_start_date_is_not_asked_for(
    tmp_path: Path, new_warehouse: Callable[[str], RawWarehouse]
) -> None:
    path = tmp_path / "story.txt"
    path.write_text(RELEASES_FROM_A_BRANCH, "utf-8")
    story = tell(path)
    warehouse = new_warehouse("home")
    with Simulator(organization=story.organization) as simulator:
        warehouse.refresh(ENTRY, settings_of(simulator, services=(), start_date=date(2026, 3, 3)))
    assert warehouse.rows("select sha from raw_github.deployed_commits") == []
