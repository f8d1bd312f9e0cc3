"""Answers that others have met: objects that fail for ever, fields that may not be read, lists with a bad member."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.simulator import Fault, Simulator
from veelocity_pipeline.simulator.github.face import GITHUB_TOKEN
from veelocity_pipeline.simulator.spoilt import Spoilt
from veelocity_pipeline.sources import SOURCES
from veelocity_pipeline.sources.kit.connector import Outcome, RefreshRequest, Scope, ScopeFailure
from veelocity_pipeline.sources.kit.http import client as http

from .conftest import RawWarehouse
from .test_github import settings_of as github_settings

New = Callable[[str], RawWarehouse]


@pytest.fixture
def simulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    """A small organisation of the test's own; waits take no time."""
    real = http.Client.__init__

    def patient(self: http.Client, *arguments: Any, **named: Any) -> None:
        real(self, *arguments, **{**named, "sleep": lambda _seconds: None})

    monkeypatch.setattr(http.Client, "__init__", patient)
    with Simulator(size="small") as made:
        yield made


def settings_of(simulator: Simulator, **fields: Any) -> Settings:
    """Settings for all sources of the simulated organisation."""
    key, url = (simulator.environment()[name] for name in ("LINEAR_API_KEY", "LINEAR_API_URL"))
    return github_settings(simulator, linear_api_key=SecretStr(key), linear_api_url=url, **fields)


def one(simulator: Simulator, kind: str) -> Any:
    """Something of the first repository, or of the workspace, that is neither the first nor the last of its kind."""
    found: list[Any] = []
    if kind == "issues of a team":
        found = list(simulator.organization.workspace.issues)
    elif kind == "commits":
        repository = simulator.organization.repositories[0]
        commit = repository.head
        while commit is not None:
            found.append(commit)
            commit = commit.parents[0] if commit.parents else None
    else:
        found = next(all_ for each in simulator.organization.repositories if (all_ := getattr(each, kind)))
    return found[len(found) // 2]


def skipped(outcomes: list[Outcome]) -> dict[str, int]:
    return {outcome.table: outcome.skipped for outcome in outcomes if outcome.skipped}


def others(warehouse: RawWarehouse, source: str, key: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows but those that name an object."""
    everything = warehouse.everything(SOURCES[source])
    return {name: [row for row in rows if key not in row] for name, rows in everything.items()}


ALWAYS = [
    ("github", "pull_requests", "reviews", "502"),
    ("github", "pull_requests", "", "FORBIDDEN"),
    ("github", "pull_requests", "", "NOT_FOUND"),
    ("github", "pull_requests", "commits", "SERVICE_UNAVAILABLE"),
    ("github", "issues", "body", "502"),
    ("github", "commits", "message", "502"),
    ("linear", "issues of a team", "history", "502"),
    ("linear", "issues of a team", "team", "FORBIDDEN"),
    ("linear", "issues of a team", "comments", "LOCK_TIMEOUT"),
]


@pytest.mark.parametrize(("source", "kind", "field", "code"), ALWAYS)
def test_one_bad_object_costs_one_object(
    source: str, kind: str, field: str, code: str, simulator: Simulator, new_warehouse: New
) -> None:
    entry, settings = SOURCES[source], settings_of(simulator)
    clean, hurt = new_warehouse("clean"), new_warehouse("hurt")
    clean.refresh(entry, settings)
    bad = one(simulator, kind)
    key = bad.sha if kind == "commits" else bad.id
    simulator.spoilt.append(Spoilt(bad.id, field, code))
    for _ in range(2):
        outcomes = hurt.refresh(entry, settings)
        assert {outcome.error for outcome in outcomes} == {None}
        table = "issues" if source == "linear" else kind
        lost = skipped(outcomes)
        # A commit does not know its pull request either.
        assert lost in ({table: 1}, {table: 1, "commits": 1})
        (said,) = [outcome.skipped_example for outcome in outcomes if outcome.skipped and outcome.table == table]
        # Of one that is null wherever it is listed GitHub does not say the id either.
        assert key in (said or "") or not field
        if kind != "commits":
            assert others(hurt, source, bad.id) == others(clean, source, bad.id)
        else:
            assert len(hurt.table(entry, "commits")) == len(clean.table(entry, "commits"))
    simulator.spoilt.clear()
    assert skipped(hurt.refresh(entry, settings)) == {}
    assert hurt.everything(entry) == clean.everything(entry)


@pytest.mark.parametrize("field", ["headRepository", "author"])
def test_what_may_be_null_is_null(field: str, simulator: Simulator, new_warehouse: New) -> None:
    bad = one(simulator, "pull_requests")
    simulator.spoilt.append(Spoilt(bad.id, field, "FORBIDDEN"))
    warehouse = new_warehouse("home")
    outcomes = warehouse.refresh(SOURCES["github"], settings_of(simulator))
    assert {outcome.error for outcome in outcomes} == {None}
    assert skipped(outcomes) == {}
    column = {"headRepository": "head_repository_id", "author": "author_login"}[field]
    assert warehouse.rows(f"select {column} from raw_github.pull_requests where id = '{bad.id}'") == [(None,)]


def test_a_full_refresh_deletes_nothing_that_cannot_be_read(simulator: Simulator, new_warehouse: New) -> None:
    entry, settings, warehouse = SOURCES["github"], settings_of(simulator), new_warehouse("home")
    warehouse.refresh(entry, settings)
    before = warehouse.everything(entry)
    for kind, field in (("pull_requests", "reviews"), ("issues", "body")):
        simulator.spoilt.append(Spoilt(one(simulator, kind).id, field))
    assert skipped(warehouse.refresh(entry, settings, full=True)) == {"pull_requests": 1, "issues": 1}
    assert warehouse.everything(entry) == before


@pytest.mark.parametrize("what", ["run", "jobs", "commit"])
def test_a_run_or_a_diff_that_always_fails_costs_itself(what: str, simulator: Simulator, new_warehouse: New) -> None:
    run = one(simulator, "runs")
    source = "github" if what == "commit" else "github_actions"
    entry, settings = SOURCES[source], settings_of(simulator, deployments={"job_patterns": ["deploy"]})
    clean, hurt = new_warehouse("clean"), new_warehouse("hurt")
    if what == "commit":
        repository = simulator.organization.repositories[0]
        settings = settings_of(
            simulator, services=[{"name": "x", "repository": repository.full_name, "paths": ["src/**"]}]
        )
    clean.refresh(entry, settings)
    if what == "run":
        simulator.spoilt.append(Spoilt(str(run.id)))
        key, table = run.id, "runs"
    elif what == "jobs":
        jobs = clean.rows("select run_id from raw_github_actions.jobs order by 1")
        key, table = jobs[len(jobs) // 2][0], "jobs"
        simulator.faults.append(Fault("502", f"/runs/{key}/jobs", rate=1.0))
    else:
        found = clean.rows("select sha from raw_github.commit_files order by 1")
        key, table = found[len(found) // 2][0], "commit_files"
        simulator.faults.append(Fault("502", f"/commits/{key}", rate=1.0))
    for _ in range(2):
        outcomes = hurt.refresh(entry, settings)
        assert {outcome.error for outcome in outcomes} == {None}
        assert skipped(outcomes) == {table: 1}
        assert others(hurt, source, key) == others(clean, source, key)
    simulator.spoilt.clear()
    simulator.faults.clear()
    hurt.refresh(entry, settings, full=what == "run")
    assert hurt.everything(entry) == clean.everything(entry)


@pytest.mark.parametrize(("field", "code"), [("issues", "FORBIDDEN"), ("", "FORBIDDEN"), ("issues", "502")])
def test_one_bad_member_of_an_owner_is_a_failure_by_its_name(field: str, code: str, simulator: Simulator) -> None:
    first, *rest = simulator.organization.repositories
    simulator.spoilt.append(Spoilt(first.id, field, code))
    owner = first.full_name.partition("/")[0]
    connector = SOURCES["github"].connector(settings_of(simulator, github_repositories=(f"{owner}/*",)))
    found = connector.scopes(RefreshRequest())
    assert {item.name for item in found if isinstance(item, Scope)} == {each.full_name for each in rest}
    # Of one that is null altogether GitHub does not say the name either.
    named = [item.name for item in found if isinstance(item, ScopeFailure)]
    assert named == [first.full_name if field else f"{owner}/* (2)"]


def test_each_repository_is_read_with_a_token_that_sees_it(simulator: Simulator, new_warehouse: New) -> None:
    names = [each.full_name for each in simulator.organization.repositories]
    tokens = [f"github_pat_of_number_{number}" for number in range(len(names))]
    simulator.github.token_repositories = {token: [name] for token, name in zip(tokens, names, strict=True)}
    clean, several = new_warehouse("clean"), new_warehouse("several")
    entry = SOURCES["github"]
    settings = settings_of(simulator, github_repositories=tuple(names))
    clean.refresh(entry, settings)
    dead = "ghp_dead00000000000000dead"
    outcomes = several.refresh(
        entry, settings_of(simulator, github_repositories=tuple(names), github_tokens=(dead, *tokens))
    )
    assert {outcome.error for outcome in outcomes} == {None}
    assert several.everything(entry) == clean.everything(entry)
    assert GITHUB_TOKEN not in tokens


def test_impossible_dates_cost_the_date(simulator: Simulator, new_warehouse: New) -> None:
    bad = one(simulator, "commits")
    simulator.spoilt += [
        Spoilt(bad.id, "authoredDate", value="0000-01-01T00:00:00Z"),
        Spoilt(bad.id, "committedDate", value="-0001-01-01T00:00:00Z"),
    ]
    warehouse = new_warehouse("home")
    outcomes = warehouse.refresh(SOURCES["github"], settings_of(simulator))
    assert {outcome.error for outcome in outcomes} == {None}
    sql = f"select authored_at, committed_at from raw_github.commits where sha = '{bad.sha}'"
    assert warehouse.rows(sql) == [(None, None)]


@pytest.mark.parametrize("kind", ["lost_field", "lost_node", "surrogate", "not_utf8", "respelt_limit", "unauthorized"])
@pytest.mark.parametrize("source", ["github", "github_actions", "linear"])
def test_what_passes_leaves_no_trace(source: str, kind: str, simulator: Simulator, new_warehouse: New) -> None:
    entry, settings = SOURCES[source], settings_of(simulator)
    clean, hurt = new_warehouse("clean"), new_warehouse("hurt")
    clean.refresh(entry, settings)
    simulator.faults.append(Fault(kind, times=4, after=1))
    outcomes = hurt.refresh(entry, settings) if kind != "unauthorized" else []
    if kind == "unauthorized":
        simulator.faults[:] = [Fault(kind, times=1, after=number) for number in (2, 4, 6)]
        outcomes = hurt.refresh(entry, settings)
    assert {outcome.error for outcome in outcomes} == {None}
    simulator.faults.clear()
    hurt.refresh(entry, settings)
    assert hurt.everything(entry) == clean.everything(entry)


def test_an_answer_beyond_all_bounds_costs_its_repository(simulator: Simulator, new_warehouse: New) -> None:
    names = [each.full_name for each in simulator.organization.repositories]
    simulator.faults.append(Fault("huge", f'"name": "{names[0].partition("/")[2]}"', rate=1.0))
    outcomes = new_warehouse("home").refresh(SOURCES["github"], settings_of(simulator))
    failed = {outcome.scope_name for outcome in outcomes if outcome.error}
    assert len(failed) == 1


def run_ends(warehouse: RawWarehouse) -> list[tuple[Any, ...]]:
    sql = "select (id, run_attempt)::varchar, updated_at from raw_github_actions.runs where status = 'completed'"
    return warehouse.rows(sql)


def test_a_plausible_end_of_a_run_stays(
    simulator: Simulator, new_warehouse: New, settings: Callable[..., Settings]
) -> None:
    entry, chosen, warehouse = SOURCES["github_actions"], settings_of(simulator), new_warehouse("home")
    warehouse.refresh(entry, chosen)
    before = run_ends(warehouse)
    simulator.advance(days=401)
    simulator.settle()
    assert simulator.touch_runs()
    warehouse.refresh(entry, chosen, full=True)
    after = dict(run_ends(warehouse))
    same = {key: end for key, end in before if key in after}
    assert len(same) > 50
    assert {key: after[key] for key in same} == same
