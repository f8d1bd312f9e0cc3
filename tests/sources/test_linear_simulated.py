"""Linear from the simulated Linear into a warehouse: all of it, and an increment equals a full load."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.simulator import Simulator
from veelocity_pipeline.sources.linear import ENTRY
from veelocity_pipeline.sources.linear.connector import LinearConnector

from .conftest import RawWarehouse

MakeWarehouse = Callable[[str], RawWarehouse]


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(size="small", seed=7) as running:
        yield running


@pytest.fixture
def configured(simulator: Simulator, settings: Callable[..., Settings]) -> Settings:
    """Settings that lead to the simulator."""
    environment = simulator.environment()
    return settings(linear_api_key=environment["LINEAR_API_KEY"], linear_api_url=environment["LINEAR_API_URL"])


def test_everything_is_there(simulator: Simulator, configured: Settings, new_warehouse: MakeWarehouse) -> None:
    warehouse = new_warehouse("home")
    outcomes = warehouse.refresh(ENTRY, configured)
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    workspace = simulator.organization.workspace

    def found(sql: str) -> set[tuple[object, ...]]:
        rows = warehouse.rows(sql)
        assert len(rows) == len(set(rows))
        return set(rows)

    assert found("select id, name, url_key from raw_linear.organization") == {
        (workspace.id, workspace.name, workspace.url_key)
    }
    assert found("select id, key, name from raw_linear.teams") == {
        (team.id, team.key, team.name) for team in workspace.teams
    }
    assert found("select id, email, is_active, is_app from raw_linear.users") == {
        (user.id, user.email, user.is_active, user.is_app) for user in workspace.users
    }
    assert found("select id, team_id, type from raw_linear.workflow_states") == {
        (state.id, team.id, state.type) for team in workspace.teams for state in team.states
    }
    assert found("select id, name, parent_id from raw_linear.labels") == {
        (label.id, label.name, label.parent.id if label.parent else None) for label in workspace.labels
    }
    assert found("select id, team_id, number from raw_linear.cycles") == {
        (cycle.id, team.id, cycle.number) for team in workspace.teams for cycle in team.cycles
    }
    assert found("select id, status_type from raw_linear.projects") == {
        (project.id, project.status.type) for project in workspace.projects
    }
    issues = workspace.issues
    columns = "id, team_id, number, title, description, state_id, priority, estimate, is_trashed"
    assert found(f"select {columns} from raw_linear.issues") == {
        (
            *(issue.id, issue.team.id, issue.number, issue.title, issue.description, issue.state.id),
            *(issue.priority, issue.estimate, issue.is_trashed),
        )
        for issue in issues
    }
    assert found("select issue_id, identifier from raw_linear.issue_previous_identifiers") == {
        (issue.id, key) for issue in issues for key in issue.previous_identifiers
    }
    assert found("select issue_id, label_id, name from raw_linear.issue_labels") == {
        (issue.id, label.id, label.name) for issue in issues for label in issue.labels
    }
    changes = "id, issue_id, from_state_id, to_state_id, to_state_type, actor_id, changed_at"
    assert found(f"select {changes} from raw_linear.issue_state_changes") == {
        (
            *(change.id, issue.id, change.from_state.id if change.from_state else None, change.to_state.id),
            *(change.to_state.type, change.actor.id if change.actor else None, change.created_at),
        )
        for issue in issues
        for change in issue.history
        if change.to_state
    }
    assert found("select id, issue_id, url, source_type from raw_linear.attachments") == {
        (attachment.id, issue.id, attachment.url, attachment.source_type)
        for issue in issues
        for attachment in issue.attachments
    }
    assert found("select id, issue_id, user_id, created_at from raw_linear.comments") == {
        (comment.id, issue.id, comment.user.id if comment.user else None, comment.created_at)
        for issue in issues
        for comment in issue.comments
    }


def test_an_increment_equals_a_full_load(
    simulator: Simulator, configured: Settings, new_warehouse: MakeWarehouse
) -> None:
    warehouse = new_warehouse("home")
    warehouse.refresh(ENTRY, configured)
    for days in (0.2, 3, 20):
        simulator.advance(days=days)
        warehouse.refresh(ENTRY, configured)
    fresh = new_warehouse("fresh")
    fresh.refresh(ENTRY, configured)
    assert warehouse.everything(ENTRY) == fresh.everything(ENTRY)
    warehouse.refresh(ENTRY, configured, full=True)
    assert warehouse.everything(ENTRY) == fresh.everything(ENTRY)


def test_an_idle_increment_is_cheap(simulator: Simulator, configured: Settings, new_warehouse: MakeWarehouse) -> None:
    warehouse = new_warehouse("home")
    warehouse.refresh(ENTRY, configured)
    before = warehouse.everything(ENTRY)
    seen = len(simulator.log)
    outcomes = warehouse.refresh(ENTRY, configured)
    # The workspace, and what changed in all teams.
    assert len(simulator.log) - seen == 2
    assert sum(outcome.rows for outcome in outcomes) == 0
    assert warehouse.everything(ENTRY) == before


def test_check_names_the_teams(simulator: Simulator, configured: Settings) -> None:
    (result,) = LinearConnector(configured).check()
    assert result.ok
    assert all(team.key in result.detail for team in simulator.organization.workspace.teams)
