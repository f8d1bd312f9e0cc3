"""dbt itself builds what the harness builds, and its unit tests pass: what scenarios show, they show of dbt too."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.publish import publish

from .harness import SCENARIOS, build, failed_tests, given
from .project import DATABASE, Project, dbt
from .raw import create_raw_tables

_SCENARIO = SCENARIOS / "attachments_and_closing_references"


@pytest.mark.slow
def test_dbt_makes_of_rows_what_the_harness_makes(tmp_path: Path, project: Project) -> None:
    """Run every seed, model, data test and unit test at once: dbt says what fails."""
    rows = given(_SCENARIO / "given")
    warehouse = tmp_path / f"{DATABASE}.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        create_raw_tables(connection, rows)
    ran = dbt(tmp_path, "build").result.results
    assert sum(str(each.node.resource_type) == "unit_test" for each in ran) == len(project.unit_tests)
    assert sum(str(each.node.resource_type) == "test" for each in ran) == len(project.tests)
    with build(project, rows) as harness, duckdb.connect(str(warehouse), read_only=True) as by_dbt:
        for connection in (harness, by_dbt):
            connection.execute("set timezone = 'UTC'")
        for node in project.nodes:
            made, expected = (
                (connection.execute(f"describe {node.relation}").fetchall(), _rows(connection, node.relation))
                for connection in (by_dbt, harness)
            )
            assert made == expected, node.name


def _rows(connection: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    return sorted(map(repr, connection.execute(f"from {relation}").fetchall()))


def test_of_no_rows_there_are_marts_that_keep_every_condition(project: Project) -> None:
    with build(project, {}) as connection:
        assert failed_tests(project, connection) == []


def test_descriptions_are_comments_of_the_published_tables_and_columns(tmp_path: Path, project: Project) -> None:
    """SQL clients show them. The model that is built says so of itself; the manifest says it of all marts."""
    with duckdb.connect(str(tmp_path / f"{DATABASE}.duckdb")) as connection:
        create_raw_tables(connection, {})
    dbt(tmp_path, "run", "--select", "dim_metrics")
    home = Home(tmp_path)
    publish(home)
    with duckdb.connect(str(home.published), read_only=True) as connection:
        tables = connection.execute("select table_name, comment from duckdb_tables()").fetchall()
        columns = dict(connection.execute("select column_name, comment from duckdb_columns()").fetchall())
    [(table, comment)] = tables
    assert table == "dim_metrics"
    assert comment.startswith("One row per metric: what it is called")
    assert columns["title"] == "What people call it."
    assert columns["table"].startswith("The published table that has its number (quote this column")
    assert columns["is_key"] == "One of DORA's five keys."
    marts = [
        node
        for node in project.manifest["nodes"].values()
        if node["resource_type"] == "model" and node["fqn"][1] == "marts"
    ]
    assert len(marts) > 20
    assert all(node["config"]["persist_docs"] == {"relation": True, "columns": True} for node in marts)
