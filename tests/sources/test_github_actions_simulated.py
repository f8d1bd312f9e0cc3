"""GitHub Actions from the simulated GitHub into a warehouse: all of it, and an increment equals a full load."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.simulator import Fault, Simulator
from veelocity_pipeline.sources.github_actions import ENTRY
from veelocity_pipeline.sources.github_actions.connector import GitHubActionsConnector
from veelocity_pipeline.sources.github_actions.jobs import NEVER_DEPLOYS

from .conftest import RawWarehouse

MakeSettings = Callable[..., Settings]
MakeWarehouse = Callable[[str], RawWarehouse]


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(size="small", seed=7) as running:
        yield running


@pytest.fixture
def configured(simulator: Simulator, settings: MakeSettings) -> MakeSettings:
    """Settings that lead to the simulator."""
    environment = simulator.environment()

    def make(**fields: Any) -> Settings:
        given = {
            "github_tokens": (environment["GITHUB_TOKEN"],),
            "github_api_url": environment["GITHUB_API_URL"],
            "github_repositories": tuple(environment["GITHUB_REPOSITORIES"].split(",")),
        }
        return settings(**{**given, **fields})

    return make


def test_everything_is_there(simulator: Simulator, configured: MakeSettings, new_warehouse: MakeWarehouse) -> None:
    settings, warehouse = configured(), new_warehouse("home")
    outcomes = warehouse.refresh(ENTRY, settings)
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    repositories = simulator.organization.repositories
    runs = [run for repository in repositories for run in repository.runs]
    assert set(warehouse.rows("select id, repository_id, workflow_id, run_attempt from raw_github_actions.runs")) == {
        (run.id, run.repository.id, run.workflow.id, len(run.attempts)) for run in runs
    }
    expected = {(flow.id, flow.name, flow.path) for repository in repositories for flow in repository.workflows}
    assert set(warehouse.rows("select id, name, path from raw_github_actions.workflows")) == expected
    earlier = {
        (run.id, attempt.number, attempt.status, attempt.conclusion, attempt.started_at, attempt.updated_at)
        for run in runs
        if settings.deploys(f"{run.repository.owner.login}/{run.repository.name}", run.workflow.name, run.workflow.path)
        for attempt in run.attempts[:-1]
    }
    columns = "run_id, run_attempt, status, conclusion, run_started_at, updated_at"
    assert set(warehouse.rows(f"select {columns} from raw_github_actions.run_attempts")) == earlier
    # of a run that deploys the jobs tell which of several attempts did
    again = {
        job.id
        for run in runs
        if len(run.attempts) > 1
        and run.event not in NEVER_DEPLOYS
        and (
            run.head_branch == run.repository.default_branch or run.head_branch in {t.name for t in run.repository.tags}
        )
        and settings.deploys(
            f"{run.repository.owner.login}/{run.repository.name}", run.workflow.name, run.workflow.path
        )
        for attempt in run.attempts
        for job in attempt.jobs
    }
    assert {row[0] for row in warehouse.rows("select id from raw_github_actions.jobs")} == again


def test_jobs_are_there_where_a_rule_looks_at_them(
    simulator: Simulator, configured: MakeSettings, new_warehouse: MakeWarehouse
) -> None:
    warehouse = new_warehouse("home")
    warehouse.refresh(ENTRY, configured(deployments={"job_patterns": ["deploy"]}))
    events = {"pull_request", "pull_request_target", "merge_group", "issue_comment"}
    expected = {
        (job.id, run.id, attempt.number, job.name)
        for repository in simulator.organization.repositories
        for run in repository.runs
        if run.event not in events and run.head_repository is repository
        if run.head_branch in {repository.default_branch, *(tag.name for tag in repository.tags)}
        for attempt in run.attempts
        for job in attempt.jobs
    }
    assert expected
    assert set(warehouse.rows("select id, run_id, run_attempt, name from raw_github_actions.jobs")) == expected


def test_an_increment_equals_a_full_load(
    simulator: Simulator, configured: MakeSettings, new_warehouse: MakeWarehouse
) -> None:
    settings = configured(deployments={"job_patterns": ["deploy"]})
    warehouse = new_warehouse("home")
    warehouse.refresh(ENTRY, settings)
    for days in (0.2, 3, 20):
        simulator.advance(days=days)
        warehouse.refresh(ENTRY, settings)
    fresh = new_warehouse("fresh")
    fresh.refresh(ENTRY, settings)
    assert warehouse.everything(ENTRY) == fresh.everything(ENTRY)
    warehouse.refresh(ENTRY, settings, full=True)
    assert warehouse.everything(ENTRY) == fresh.everything(ENTRY)


def test_an_idle_increment_is_free(
    simulator: Simulator, configured: MakeSettings, new_warehouse: MakeWarehouse
) -> None:
    settings, warehouse = configured(), new_warehouse("home")
    warehouse.refresh(ENTRY, settings)
    before = warehouse.everything(ENTRY)
    seen = len(simulator.log)
    outcomes = warehouse.refresh(ENTRY, settings)
    asked = simulator.log[seen:]
    assert [request.status for request in asked if request.path.startswith("/github/repos")].count(200) == 0
    assert len([request for request in asked if "graphql" in request.path]) == 1
    assert sum(outcome.rows for outcome in outcomes) == 0
    assert warehouse.everything(ENTRY) == before


def test_a_repository_that_fails_does_not_stop_the_others(
    simulator: Simulator, configured: MakeSettings, new_warehouse: MakeWarehouse
) -> None:
    settings, warehouse = configured(), new_warehouse("home")
    first, second = settings.github_repositories
    simulator.faults.append(Fault(kind="forbidden", match=f"/repos/{first}/actions", times=99))
    outcomes = warehouse.refresh(ENTRY, settings)
    errors = {outcome.scope_name: outcome.error for outcome in outcomes}
    assert first in str(errors[first])
    assert "GITHUB_TOKEN" in str(errors[first]) or "give the token read access" in str(errors[first])
    assert errors[second] is None


def test_check_counts_the_workflows(simulator: Simulator, configured: MakeSettings) -> None:
    connector = GitHubActionsConnector(configured(github_repositories=("acme/web", "acme/nothing")))
    found = {result.subject: result for result in connector.check()}
    repository = next(each for each in simulator.organization.repositories if each.name == "web")
    assert found["acme/web"].detail == f"GitHub Actions can be read: {len(repository.workflows)} workflows."
    assert not found["acme/nothing"].ok
