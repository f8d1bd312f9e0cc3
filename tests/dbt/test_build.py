"""dbt itself builds the project, on nothing and on rows, and its unit tests pass."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from .harness import DATABASE, SCENARIOS, Project, create_raw_tables, dbt, differences, given

_SCENARIO = SCENARIOS / "attachments_and_closing_references"


@pytest.fixture(scope="module")
def empty_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a warehouse that was built from raw tables without a row."""
    work = tmp_path_factory.mktemp("dbt_build")
    with duckdb.connect(str(work / f"{DATABASE}.duckdb")) as connection:
        create_raw_tables(connection)
    dbt(work, "build", "--exclude-resource-type", "unit_test")
    return work


def test_unit_tests_pass(empty_build: Path) -> None:
    dbt(empty_build, "test", "--select", "test_type:unit")


def test_dbt_builds_what_the_scenarios_compare(empty_build: Path, tmp_path: Path, project: Project) -> None:
    shutil.copytree(empty_build / "target", tmp_path / "target")
    with duckdb.connect(str(tmp_path / f"{DATABASE}.duckdb")) as connection:
        create_raw_tables(connection, given(_SCENARIO / "given"))
    dbt(tmp_path, "build", "--exclude-resource-type", "unit_test")
    with duckdb.connect(str(tmp_path / f"{DATABASE}.duckdb")) as connection:
        for expected in (_SCENARIO / "expected").glob("*.csv"):
            assert differences(project, connection, expected) == []
