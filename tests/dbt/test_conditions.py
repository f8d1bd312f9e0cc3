"""Each condition of each model and raw table is kept by a good row, and named by the test when a row breaks it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import duckdb
import pytest

from .harness import build
from .project import DATABASE, Node, Project

_GOOD = {
    "VARCHAR": "'x'",
    "VARCHAR[]": "['x']",
    "BIGINT": "1",
    "INTEGER": "1",
    "HUGEINT": "1",
    "DOUBLE": "0.5",
    "BOOLEAN": "true",
    "DATE": "date '2026-03-02'",
    "TIMESTAMP": "timestamp '2026-03-02 09:00'",
    "TIMESTAMP WITH TIME ZONE": "timestamptz '2026-03-02 09:00:00+00'",
}
"""A value of each type, as SQL."""


@pytest.fixture(scope="module")
def empty(project: Project) -> Iterator[duckdb.DuckDBPyConnection]:
    """Every model, made from raw tables without a row: it tells the columns of each."""
    with build(project, {}) as connection:
        yield connection


def _columns(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    return {name: str(kind) for name, kind, *_ in connection.execute(f"describe {relation}").fetchall()}


def _tables(project: Project, test: Node) -> tuple[str, dict[str, str]]:
    """The table that a test is of, and those that it looks into, each with the field that is looked for."""
    node = project.manifest["nodes"][test.unique_id]
    name = node["attached_node"] or node["depends_on"]["nodes"][0]
    found = project.manifest["nodes"].get(name) or project.manifest["sources"][name]
    fields = {
        project.relation(re.findall(r"'(\w+)'", each["to"])[-1]): each["field"]
        for each in node["test_metadata"]["kwargs"].get("relationships", ())
    }
    return f'"{DATABASE}"."{found["schema"]}"."{found["name"]}"', fields


def _name(relation: str) -> str:
    return relation.rpartition(".")[2].strip('"')


_BREAKS = {
    "measured or excluded": {"value": "null"},
    "a reason has a code": {"exclusion_code": "'x'"},
    "a rate counts a part": {"kind": "'rate'", "part_column": "null", "minimum_sample": "5"},
    "a duration or rate has a minimum": {"kind": "'duration'"},
    "all history has no window before": {"window_days": "null"},
    "what has no window before says nothing of it": {"has_previous": "false"},
    "every open pull request has one age": {"open_over_4_weeks": "99"},
    "a median is of something": {"open_hours_median": "null"},
    "a share is of the whole": {"hours_share": "2"},
}
"""By expression, what breaks it in a row that keeps all."""

_ONE_AGE = ("open_1_to_3_days", "open_3_to_7_days", "open_1_to_4_weeks", "open_over_4_weeks")
"""The ages that the one open pull request of that row does not have."""


def _broken(condition: str, good: dict[str, str]) -> list[dict[str, str]]:
    """Rows that break this condition and no other, made from a row that keeps all."""
    kind, _, rest = condition.partition(": ")
    if kind in ("one row", "unique"):
        return [good, good]
    if kind == "not null":
        return [good | {rest.strip('"'): "null"}]
    if kind in ("accepted values", "relationship"):
        return [good | {rest: "'nobody knows this'"}]
    if rest in _BREAKS:
        return [good | _BREAKS[rest]]
    assert rest.endswith(" is a share"), f"say here what breaks {condition!r}"
    return [good | {rest.removesuffix(" is a share"): "2"}]


def test_each_condition_is_named_by_its_test(project: Project, empty: duckdb.DuckDBPyConnection) -> None:
    from veelocity_pipeline.defs.assets.models import conditions  # imported late: with it comes Dagster

    tried = 0
    for test in project.tests:
        said = project.manifest["nodes"][test.unique_id]["test_metadata"]["kwargs"]
        relation, fields = _tables(project, test)
        good = {name: _GOOD[kind] for name, kind in _columns(empty, relation).items()}
        good |= {name: f"'{values[0]}'" for name, values in said.get("accepted_values", {}).items()}
        # (a row that names another of its own table would lose it when that one's key is broken)
        good |= {
            each["column"]: "null" for each in said.get("relationships", ()) if f"'{_name(relation)}'" in each["to"]
        }
        good |= {name: "null" for name in ("excluded_because", "exclusion_code", "minimum_sample") if name in good}
        good |= {name: "0" for name in _ONE_AGE if name in good}
        names = conditions(said)
        assert names, f"{test.name} has no condition"
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.execute(f"attach ':memory:' as {DATABASE}")
            for table in {relation, *fields}:
                kinds = ", ".join(f'"{name}" {kind}' for name, kind in _columns(empty, table).items())
                connection.execute(f"create schema if not exists {table.rpartition('.')[0]}")
                connection.execute(f"create table {table} ({kinds})")
            for table, field in fields.items():
                connection.execute(f"insert into {table} by name select 'x' as {field}" if table != relation else "")
            for rows, expected in [([good], set()), *((_broken(name, good), {name}) for name in names)]:
                connection.execute(f"delete from {relation}")
                for row in rows:
                    values = ", ".join(f'{value} as "{name}"' for name, value in row.items())
                    connection.execute(f"insert into {relation} by name select {values}")
                found = {condition for condition, _ in connection.execute(test.code).fetchall()}
                assert found == expected, f"{test.name}: {rows}"
        tried += len(names)
    assert tried > 300
