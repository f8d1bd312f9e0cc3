"""The same raw rows in another order make the same marts (METRICS, rule 10)."""

from __future__ import annotations

import random

import duckdb
import pytest

from .harness import SCENARIOS, Project, build, given

_BUSY = [
    "delivery_carriers_and_cherry_picks",
    "delivery_monorepo_with_two_services",
    "delivery_two_production_environments",
    "delivery_workflow_runs",
    "failures_incidents",
    "failures_reverts",
]


def _marts(project: Project, connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple]]:
    return {
        node.name: sorted(connection.execute(f"select * from {node.relation}").fetchall(), key=repr)
        for node in project.nodes
        if '"marts"' in node.relation
    }


@pytest.mark.parametrize("name", _BUSY)
def test_the_order_of_raw_rows_changes_no_mart(project: Project, name: str) -> None:
    rows = given(SCENARIOS / name / "given")
    shuffled = {table: random.Random(7).sample(lines, len(lines)) for table, lines in reversed(rows.items())}
    with build(project, rows) as first, build(project, shuffled) as second:
        expected, found = _marts(project, first), _marts(project, second)
    assert expected["fct_deployments"]
    assert found == expected
