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

from veelocity_pipeline.settings import CHECKOUT
from veelocity_pipeline.warehouse import Home, connect

from .organization import parts, write
from .process import Spent, run
from .row import Row

SIZES = (1, 10, 100)
"""Repositories, of a thousand pull requests each."""

GROWTH = 11
"""The most that ten times the rows may take times the time."""

MEGABYTES = 4096

BESIDE_DUCKDB = 2
BESIDE_COPY = 1.5

SWEEP = "int_deployments_traced"
"""The model in Python, which has rows of its own."""


COUNTED = ("raw_github.pull_requests", "raw_github.commits", "raw_github_actions.runs", "raw_linear.issues")


@dataclass(frozen=True)
class _Built:
    """One size, measured.

    Attributes:
        whole: `veelocity rebuild`: rules, models, their tests, publish, report.
        again: the same after one pull request changed.
        start: dbt with the smallest of the models.
        models, sweep, tests: dbt with these alone.
        floor: DuckDB with the SQL of the same models.
        report: `veelocity report`.
        publish, copy, read: seconds: of a publish, of a bare copy of its tables, of reading all of them.
        rows: by raw table.
    """

    whole: Spent
    again: Spent
    start: Spent
    models: Spent
    sweep: Spent
    tests: Spent
    floor: Spent
    report: Spent
    publish: float
    copy: float
    read: float
    rows: dict[str, int]

    @property
    def megabytes(self) -> float:
        """The most that any process of it held."""
        return max(each.megabytes for each in (self.whole, self.again, self.models, self.sweep, self.tests))


def rows() -> Iterator[Row]:
    """Build each size and tell; the targets are of the largest."""
    built = {}
    with tempfile.TemporaryDirectory(prefix="veelocity-bench-") as folder:
        made = parts(Path(folder))
        for size in SIZES:
            home = Home(Path(folder) / f"home-{size}")
            built[size] = _built(home, write(made, home, size))
            yield from _told(size, built[size], is_largest=size == SIZES[-1])
            shutil.rmtree(home.path)
    *_, smaller, largest = SIZES
    for what, one, ten in (
        ("all models", built[smaller].models.seconds, built[largest].models.seconds),
        ("everything", built[smaller].whole.seconds, built[largest].whole.seconds),
    ):
        yield Row(f"{largest} repositories against {smaller}: {what}", "times", ten / one, GROWTH)


def _built(home: Home, environment: dict[str, str]) -> _Built:
    def veelocity(command: str) -> Spent:
        return run([_beside("veelocity"), command], environment)

    def dbt(*arguments: str) -> Spent:
        project = str(CHECKOUT / "dbt_project")
        place = ["--project-dir", project, "--profiles-dir", project, "--target-path", str(target)]
        return run(
            [_beside("veelocity-dbt"), *arguments, *place], environment | {"VEELOCITY_WAREHOUSE": str(home.working)}
        )

    whole = veelocity("rebuild")
    with connect(home) as connection:
        connection.execute("update raw_github.pull_requests set title = title || '.' where number = 7")
        rows = {
            name: connection.execute(f"select count(*) from {name}").fetchall()[0][0]
            for name in (
                "raw_github.pull_requests",
                "raw_github.commits",
                "raw_github_actions.runs",
                "raw_linear.issues",
            )
        }
    again = veelocity("rebuild")
    target = home.dbt / "run"
    start = dbt("run", "--select", "int_settings")
    models = dbt("run", "--exclude", SWEEP)
    sweep = dbt("run", "--select", SWEEP)
    tests = dbt("test", "--exclude-resource-type", "unit_test")
    manifest = home.path / "manifest.json"
    dbt("compile")
    shutil.copy(target / "manifest.json", manifest)
    module = [sys.executable, "-m"]
    copied = json.loads(run([*module, "bench.publish"], environment).output)
    report = veelocity("report")
    floor = run([*module, "bench.models", str(home.working), str(manifest)], environment)
    return _Built(
        whole, again, start, models, sweep, tests, floor, report,
        copied["publish"], copied["floor"], copied["read"], rows,
    )  # fmt: skip


def _told(size: int, built: _Built, *, is_largest: bool) -> Iterator[Row]:
    counts = ", ".join(f"{count:,} {name.partition('.')[2].replace('_', ' ')}" for name, count in built.rows.items())
    title = f"{size} {'repository' if size == 1 else 'repositories'}"
    whole = "rules, models, tests, publish, report"
    yield Row(f"{title}: `veelocity rebuild`", "s", built.whole.seconds, None, f"{whole}; {counts}")
    yield Row("… again, one pull request changed", "s", built.again.seconds, None, f"{built.again.cpu:.0f} s of CPU")
    note = f"{built.models.cpu:.0f} s of CPU; without them dbt takes {built.start.seconds:.1f} s"
    yield Row("… all models, `dbt run`", "s", built.models.seconds, None, note)
    yield Row("… the same SELECTs in DuckDB", "s", built.floor.seconds, None, f"{built.floor.cpu:.0f} s of CPU")
    beyond = (built.models.seconds - built.start.seconds) / built.floor.seconds
    limit = BESIDE_DUCKDB if is_largest else None
    yield Row("… dbt without its start against DuckDB", "times", beyond, limit)
    yield Row("… the sweep", "s", built.sweep.seconds - built.start.seconds, None, "start of dbt left out")
    yield Row("… all tests", "s", built.tests.seconds - built.start.seconds, None, "start of dbt left out")
    note = f"reading all of it takes {built.read:.2f} s"
    yield Row("… publish", "s", built.publish, None, note)
    limit = BESIDE_COPY if is_largest else None
    yield Row("… publish against a bare copy", "times", built.publish / built.copy, limit, f"of {built.copy:.2f} s")
    yield Row("… `veelocity report`", "s", built.report.seconds, None, f"{built.report.megabytes:.0f} MB of memory")
    note = f"the models without tests: {built.models.megabytes:.0f} MB"
    yield Row("… memory, the largest of all processes", "MB", built.megabytes, MEGABYTES, note)


def _beside(command: str) -> str:
    return str(Path(sys.executable).with_name(command))
