"""The mutation check itself: what it changes, what it knows to be the same, and that it notices."""

from __future__ import annotations

import pytest

from .harness import SCENARIOS, build_unit_test, make, unit_test_fails
from .mutate import Mutant, ScenarioWorld, SiblingWorld, mutants
from .project import Node, Project


def _changes(code: str) -> set[str]:
    node = Node("model.x", "x", "model", "marts", '"warehouse"."marts"."x"', code)
    return {f"{each.was} → {each.now}" for each in mutants(node)}


def test_one_thing_is_changed_at_a_time() -> None:
    found = _changes("select distinct coalesce(max(a), 0) as a from t left join u using (k) where b and not c")
    assert found == {
        "DISTINCT → (nothing)",
        "COALESCE(MAX(a), 0) → MAX(a)",
        "MAX(a) → MIN(a)",
        "0 → 1",
        "LEFT JOIN u USING (k) → INNER JOIN u USING (k)",
        "WHERE b AND NOT c → (nothing)",
        "b AND NOT c → b OR NOT c",
        "b AND NOT c → b",
        "b AND NOT c → NOT c",
        "NOT c → c",
    }


@pytest.mark.parametrize(
    ("rest", "is_same"),
    [
        ("", False),
        ("where u.a = 1", True),
        ("where u.is_good", True),
        ("where not u.is_good", True),
        ("where u.a is not null and t.b", True),
        ("where u.a = 1 or u.b > 2", True),
        ("where u.a = 1 or t.b", False),
        ("where u.a is null", False),
        ("where coalesce(u.a, 1) = 1", False),
        ("where t.a = 1", False),
        ("inner join v on v.k = u.k", True),
        ("left join v on v.k = u.k", False),
    ],
)
def test_an_inner_join_is_not_turned_left_where_its_strangers_are_lost_later(rest: str, is_same: bool) -> None:
    found = _changes(f"select 1.0 as x from t inner join u on u.id = t.id {rest}")
    assert ("INNER JOIN u ON u.id = t.id → LEFT JOIN u ON u.id = t.id" not in found) is is_same


def test_what_exists_selects_is_not_changed() -> None:
    assert not any(each.startswith("1 ") for each in _changes("select a from t where exists (select 1 from u)"))


def test_unit_tests_hold_on_duckdb_alone(project: Project) -> None:
    world = ScenarioWorld(project, SCENARIOS / "unreviewed_pull_request")
    failed = []
    for test in project.unit_tests:
        with build_unit_test(project, test, world.connection) as connection:
            if unit_test_fails(connection, test, project.node(test.model).code):
                failed.append(test.name)
    assert failed == []


def test_a_model_that_is_made_again_is_the_same(project: Project) -> None:
    world = ScenarioWorld(project, SCENARIOS / "failures_reverts")
    assert [node.name for node in project.nodes if node.kind == "model" and make(world.connection, node)] == []


@pytest.fixture(scope="module")
def worlds(project: Project) -> list[ScenarioWorld]:
    """What a mutant changes in them, they take back."""
    names = ("failures_reverts", "failures_revert_window", "delivery_carriers_and_cherry_picks")
    return [ScenarioWorld(project, SCENARIOS / name) for name in names]


@pytest.mark.parametrize(
    ("model", "was", "now"),
    [
        (
            "int_deployment_failures",
            "revert.deployed_at > failed.finished_at + to_hours(failed.revert_window_hours)",
            "false",
        ),
        ("int_shipped_changes", "select * from by_carrier", "select * from by_carrier where false"),
        ("int_shipped_changes", "deployments.is_baseline,", "false as is_baseline,"),
        ("fct_deployments", "WHERE counts", ""),
    ],
)
def test_scenarios_notice(project: Project, worlds: list[ScenarioWorld], model: str, was: str, now: str) -> None:
    code = project.node(model).code
    changed = code.replace(was.replace("NOT", "not").replace("AND", "and").replace("WHERE", "where"), now)
    assert changed != code
    noticed = [world.notices(Mutant(model, was, now, changed)) for world in worlds]
    assert any(noticed)
    assert not all(noticed)


def test_a_sibling_notices_what_forgets_the_service(project: Project) -> None:
    folder = SCENARIOS / "delivery_two_production_environments"
    world = SiblingWorld(project, ScenarioWorld(project, folder), folder)
    code = project.node("int_deployments").code
    changed = code.replace("partition by service, environment\n", "partition by environment\n")
    assert changed != code
    assert world.notices(Mutant("int_deployments", "by service", "", changed))
    assert not world.notices(Mutant("int_deployments", "", "", code))
