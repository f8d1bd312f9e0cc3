"""Evidence's own DuckDB connector over a published file: what it reads is what Python's DuckDB reads.

The connector comes from npm's registry with its lock file (10 packages, 64 MB), and brings a DuckDB of its own.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.dashboards.evidence import (
    PROJECT,
    SOURCE,
    SOURCES,
    empty_copy,
    evidence_tables,
    filled,
    page_queries,
    published,
)
from tests.npm import installed
from veelocity_pipeline.warehouse.home import Home

CONNECTOR = Path(__file__).with_name("connector")


@pytest.fixture(scope="session")
def connector() -> Path:
    """A folder with the connector installed, and the script that runs it."""
    return installed([path for path in CONNECTOR.iterdir() if path.is_file()], "connector")


def ask(connector: Path, published_file: Path, folder: Path) -> dict[str, Any]:
    """What the connector makes of the source queries, and DuckDB of the pages' queries over that."""
    request, answer = folder / "request.json", folder / "answer.json"
    pages = [{"name": f"{query.page}.{query.name}", "sql": filled(query.sql)} for query in page_queries()]
    filename = os.path.relpath(published_file, SOURCE)
    request.write_text(json.dumps({"source": str(SOURCE), "filename": filename, "pages": pages}), encoding="utf-8")
    result = subprocess.run(
        ["node", "run.mjs", str(request), str(answer)],
        cwd=connector, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return dict(json.loads(answer.read_text(encoding="utf-8")))


def test_it_reads_what_python_reads(connector: Path, refreshed: Home, tmp_path: Path) -> None:
    answer = ask(connector, refreshed.published, tmp_path)
    assert answer["duckdb"] == "v1.4.4"
    assert set(answer["sources"]) == set(SOURCES)
    with published(refreshed.published) as marts:
        for name, sql in SOURCES.items():
            same(name, answer["sources"][name], marts.execute(sql))
    with evidence_tables(refreshed.published) as tables:
        for query in page_queries():
            same(
                f"{query.page}.{query.name}",
                answer["pages"][f"{query.page}.{query.name}"],
                tables.execute(filled(query.sql)),
            )


def test_before_the_first_load_it_makes_every_table(connector: Path, refreshed: Home, tmp_path: Path) -> None:
    answer = ask(connector, empty_copy(refreshed.published, tmp_path / "empty.duckdb"), tmp_path)
    assert {name: len(source["rows"]) for name, source in answer["sources"].items()} == dict.fromkeys(SOURCES, 1)
    assert {name for name, page in answer["pages"].items() if page["rows"]} == {
        f"{query.page}.{query.name}" for query in page_queries() if query.name == "state"
    }


def test_it_is_the_connector_of_the_project() -> None:
    """The test's packages are those that the project's lock file has under the same names, built for any machine."""
    tested, ours = (
        {name: package["version"] for name, package in json.loads(text.read_text())["packages"].items() if name}
        for text in (CONNECTOR / "package-lock.json", PROJECT / "package-lock.json")
    )
    assert {name: ours.get(name) for name in tested} == tested
    assert {name.rpartition("node-bindings-")[2] for name in tested if "node-bindings-" in name} >= {
        "linux-x64", "linux-arm64", "darwin-arm64", "darwin-x64", "win32-x64",
    }  # fmt: skip
    assert '"resolved"' not in (CONNECTOR / "package-lock.json").read_text(), "the lock file names a registry"


def same(name: str, read: dict[str, Any], cursor: Any) -> None:
    """The same columns, and the same rows in the same order."""
    columns = [column[0] for column in cursor.description]
    assert [column if isinstance(column, str) else column[0] for column in read["columns"]] == columns
    expected = cursor.fetchall()
    assert len(read["rows"]) == len(expected), name
    for got, wanted in zip(read["rows"], expected, strict=True):
        for column, left, right in zip(columns, got, wanted, strict=True):
            assert equal(left, right), f"{name}.{column}: {left!r} is not {right!r}"


def equal(read: Any, expected: Any) -> bool:
    """A value as JSON has it beside one of Python's DuckDB: times as text, whole numbers of 64 bits as text too."""
    if isinstance(expected, date):
        return datetime.fromisoformat(str(read).replace("Z", "")) == datetime.fromisoformat(str(expected))
    if isinstance(expected, bool) or expected is None or isinstance(expected, str):
        return read is expected or read == expected
    return math.isclose(float(read), float(expected), rel_tol=1e-9, abs_tol=1e-12)
