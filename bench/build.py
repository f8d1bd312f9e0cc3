"""What it costs to build, publish and report on an organisation of one, ten and a hundred repositories.

Each command runs in a process of its own. The floors are measured in the same run and on the same warehouse: what
DuckDB itself takes for the models' SELECTs, and for the copy of the published tables.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from veelocity_pipeline.transform.prepare import prepared
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.store import connect

from .organization import parts, write
from .process import Spent, run
from .row import Row

SIZES = (1, 10, 100)
"""Repositories, of a thousand pull requests each."""

GROWTH = 11
"""The most that ten times the rows may take times the time."""

MEGABYTES = 4096

BESIDE_DUCKDB = 3
START = 2
"""What dbt may take: so many times DuckDB's own time for the same SELECTs, and so many seconds beside that."""

BESIDE_COPY = 1.5

REBUILD = 12
"""Seconds that a whole rebuild of one repository may take."""

CHANGED = 30
"""The same of a hundred, when one pull request of theirs changed."""

COUNTED = ("raw_github.pull_requests", "raw_github.commits", "raw_github_actions.runs", "raw_linear.issues")


@dataclass(frozen=True)
class _Built:
    """One size, measured.

    Attributes:
        whole: `veelocity rebuild` of everything: rules, models, their tests, publish, report.
        changed: the same after one pull request changed, of what depends on it.
        unchanged: the same with nothing changed.
        models: the part of it that dbt does, in a process of its own.
        dbt, tests: seconds of that without the process's start, and how many tests there were.
        floor: DuckDB with the SQL of the same models.
        report: `veelocity report`.
        publish, copy, read: seconds: of a publish, of a bare copy of its tables, of reading all of them.
        rows: by raw table.
    """

    whole: Spent
    changed: Spent
    unchanged: Spent
    models: Spent
    dbt: float
    tests: int
    floor: Spent
    report: Spent
    publish: float
    copy: float
    read: float
    rows: dict[str, int]

    @property
    def megabytes(self) -> float:
        """The most that any process of it held."""
        return max(each.megabytes for each in (self.whole, self.changed, self.models))


def rows() -> Iterator[Row]:
    """Build each size and tell; the targets are of the largest."""
    built = {}
    with tempfile.TemporaryDirectory(prefix="veelocity-bench-") as folder:
        made = parts(Path(folder))
        for size in SIZES:
            home = Home(Path(folder) / f"home-{size}")
            built[size] = _built(home, write(made, home, size))
            yield from _told(size, built[size])
            shutil.rmtree(home.path)
    *_, smaller, largest = SIZES
    for what, one, ten in (
        ("all models", built[smaller].dbt, built[largest].dbt),
        ("everything", built[smaller].whole.seconds, built[largest].whole.seconds),
    ):
        yield Row(f"{largest} repositories against {smaller}: {what}", "times", ten / one, GROWTH)


def _built(home: Home, environment: dict[str, str]) -> _Built:
    def veelocity(command: str) -> Spent:
        return run([_beside("veelocity"), command], environment)

    whole = veelocity("rebuild")
    with connect(home) as connection:
        connection.execute("update raw_github.pull_requests set title = title || '.' where number = 7")
        rows = {name: connection.execute(f"select count(*) from {name}").fetchall()[0][0] for name in COUNTED}
    changed = veelocity("rebuild")
    unchanged = veelocity("rebuild")
    module = [sys.executable, "-m"]
    models = run([*module, "bench.transform"], environment)
    dbt = json.loads(models.output.splitlines()[-1])
    copied = json.loads(run([*module, "bench.publish"], environment).output)
    report = veelocity("report")
    manifest = prepared(home).manifest_path
    floor = run([*module, "bench.models", str(home.working), str(manifest)], environment)
    return _Built(
        whole, changed, unchanged, models, dbt["seconds"], dbt["tests"], floor, report,
        copied["publish"], copied["floor"], copied["read"], rows,
    )  # fmt: skip


def _told(size: int, built: _Built) -> Iterator[Row]:
    counts = ", ".join(f"{count:,} {name.partition('.')[2].replace('_', ' ')}" for name, count in built.rows.items())
    title = f"{size} {'repository' if size == 1 else 'repositories'}"
    is_smallest, is_largest = size == SIZES[0], size == SIZES[-1]
    note = f"rules, models, tests, publish, report; {built.whole.cpu:.0f} s of CPU; {counts}"
    limit: float | None = REBUILD if is_smallest else None
    yield Row(f"{title}: `veelocity rebuild`", "s", built.whole.seconds, limit, note)
    limit = CHANGED if is_largest else None
    yield Row("… one pull request changed", "s", built.changed.seconds, limit, f"{built.changed.cpu:.0f} s of CPU")
    yield Row("… nothing changed", "s", built.unchanged.seconds, None, f"{built.unchanged.cpu:.0f} s of CPU")
    note = f"{built.tests} tests, {built.models.cpu:.0f} s of CPU"
    yield Row("… of that dbt, everything", "s", built.dbt, BESIDE_DUCKDB * built.floor.seconds + START, note)
    yield Row("… the same SELECTs in DuckDB", "s", built.floor.seconds, None, f"{built.floor.cpu:.0f} s of CPU")
    note = f"reading all of it takes {built.read:.2f} s"
    yield Row("… publish", "s", built.publish, None, note)
    limit = BESIDE_COPY if is_largest else None
    yield Row("… publish against a bare copy", "times", built.publish / built.copy, limit, f"of {built.copy:.2f} s")
    yield Row("… `veelocity report`", "s", built.report.seconds, None, f"{built.report.megabytes:.0f} MB of memory")
    note = f"dbt alone: {built.models.megabytes:.0f} MB"
    yield Row("… memory, the largest of all processes", "MB", built.megabytes, MEGABYTES, note)


def _beside(command: str) -> str:
    return str(Path(sys.executable).with_name(command))
