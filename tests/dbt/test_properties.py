"""Neither the order of raw rows nor a child that was loaded twice changes a mart."""

from __future__ import annotations

import random
from pathlib import Path

import duckdb
import pytest

from .harness import SCENARIOS, SOURCES, Project, build, given

_WITHOUT_KEY = {
    f"raw_{source}.{name}" for source, tables in SOURCES.items() for name, table in tables.items() if table.merge_key
}
"""Tables whose rows come as sets: no key of theirs stops a twin."""

_FOLDERS = sorted(path for path in SCENARIOS.iterdir() if (path / "expected").is_dir())


def _marts(project: Project, connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    return {
        node.name: sorted(map(repr, connection.execute(f"select * from {node.relation}").fetchall()))
        for node in project.nodes
        if node.contract
    }


@pytest.mark.parametrize("folder", _FOLDERS, ids=lambda path: path.name)
def test_order_and_twins_change_nothing(project: Project, folder: Path) -> None:
    rows = given(folder / "given")
    mixed = {}
    for name, each in rows.items():
        twins = each if name in _WITHOUT_KEY else []
        mixed[name] = random.Random(7).sample([*each, *twins], len(each) + len(twins))
    with build(project, rows) as plain, build(project, mixed) as other:
        expected, found = _marts(project, plain), _marts(project, other)
    assert [name for name in expected if expected[name] != found[name]] == []
