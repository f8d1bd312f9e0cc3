"""Every scenario's marts are what a person worked out by hand.

And neither the order of raw rows, nor a row that was loaded twice, nor another repository changes them.
"""

from __future__ import annotations

from collections import Counter

import duckdb
import pytest

from .harness import (
    FOLDERS,
    OF_REPOSITORIES,
    Scenario,
    build,
    differences,
    failed_tests,
    given,
    may_have_siblings,
    mixed,
    with_siblings,
)
from .invariants import broken
from .project import Project


def _marts(project: Project, connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    return {
        node.name: sorted(map(repr, connection.execute(f"select * from {node.relation}").fetchall()))
        for node in project.nodes
        if node.contract
    }


@pytest.mark.parametrize("scenario", FOLDERS, indirect=True, ids=lambda path: path.name)
def test_scenario(project: Project, scenario: Scenario) -> None:
    wrong = [
        line
        for expected in sorted((scenario.folder / "expected").glob("*.csv"))
        for line in differences(project, scenario.connection, expected)
    ]
    assert not wrong, "\n" + "\n".join(wrong)
    assert not failed_tests(project, scenario.connection)
    assert broken(scenario.connection) == {}


@pytest.mark.slow
@pytest.mark.parametrize("scenario", FOLDERS, indirect=True, ids=lambda path: path.name)
def test_order_and_twins_change_nothing(project: Project, scenario: Scenario) -> None:
    expected = _marts(project, scenario.connection)
    with build(project, mixed(given(scenario.folder / "given"))) as other:
        found = _marts(project, other)
    assert [name for name in expected if expected[name] != found[name]] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "scenario",
    [path for path in FOLDERS if may_have_siblings(given(path / "given"))],
    indirect=True,
    ids=lambda path: path.name,
)
def test_a_repository_that_is_just_like_it_changes_nothing(project: Project, scenario: Scenario) -> None:
    with build(project, with_siblings(given(scenario.folder / "given"))) as other:
        lost = {}
        for name, where in OF_REPOSITORIES.items():
            own, found = (
                Counter(each.execute(f"select * from marts.{name} where {where}").fetchall())
                for each in (scenario.connection, other)
            )
            lost[name] = own - found
        assert not any(lost.values())
        assert not failed_tests(project, other)
