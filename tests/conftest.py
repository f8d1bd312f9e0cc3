"""Every test has settings of its own: nothing of the machine's environment or of a real .env reaches it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.transform.prepare import ship
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.lock import exclusively

VEELOCITY = Path(sys.executable).with_name("veelocity")

OURS = tuple(
    field.validation_alias for field in Settings.model_fields.values() if isinstance(field.validation_alias, str)
)

SET_BY_RUNS = ("DAGSTER_HOME", "VEELOCITY_WORKING_FILE", "DLT_PROJECT_DIR")

TESTS = Path(__file__).parent

MARKS = {
    "dbt": ("dbt/", "transform/"),
    "sources": ("sources/", "simulator/", "histories/"),
    "integration": ("integration/", "golden/", "defs/", "dashboards/"),
    "browser": ("report/test_in_browser.py", "report/test_reading.py", "integration/test_doors.py"),
    "npm": ("dashboards/test_connector.py", "report/test_page.py"),
    "postgres": ("integration/test_postgres.py",),
    "quick": (
        *("dbt/", "operations/", "report/test_formatting.py", "report/test_scorecard.py", "test_column_lineage.py"),
        *("test_export.py", "test_foreign.py", "test_guard.py", "test_commit_graph.py", "test_logs.py"),
        *(
            "test_query.py",
            "test_rooms.py",
            "test_connections.py",
            "test_environments.py",
            "test_reverts.py",
            "test_rules.py",
            "test_settings.py",
            "test_terminal.py",
            "test_warehouse.py",
        ),
    ),
}
"""By marker, the beginnings of the paths of its tests; ``pyproject.toml`` says what each is for."""

WHOLE_HOMES = {"refreshed", "small", "simulator", "environment"}
"""Fixtures of a loaded home or a server, which no quick test waits for."""

LONG = ("integration", "histories", "transform", "sources", "report", "dashboards", "dbt")
"""Folders in the order in which workers begin them, so that none has a long module left when the others are done."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Spare the inner loop the imports of all other tests."""
    if config.option.markexpr != "quick" or collection_path.suffix != ".py":
        return None
    path = collection_path.relative_to(TESTS).as_posix()
    return None if path.startswith(MARKS["quick"]) or path.endswith(("conftest.py", "__init__.py")) else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        path = item.path.relative_to(TESTS).as_posix()
        is_quick = not (
            WHOLE_HOMES & set(getattr(item, "fixturenames", ()))
            or any(item.get_closest_marker(name) for name in ("slow", "browser"))
        )
        for mark, beginnings in MARKS.items():
            if path.startswith(beginnings) and (is_quick or mark != "quick"):
                item.add_marker(mark)
    if "PYTEST_XDIST_WORKER" in os.environ:  # (those of a folder stay in the order of chance)
        ranks = {folder: rank for rank, folder in enumerate(LONG)}
        items.sort(key=lambda item: ranks.get(item.path.relative_to(TESTS).parts[0], len(LONG)))


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in (*OURS, "VEELOCITY_CONFIG", *SET_BY_RUNS):
        monkeypatch.setenv(name, "")  # so that what a run in this process sets is put back, too
        monkeypatch.delenv(name)
    for name in ("HOME", "USER"):
        if name in os.environ:
            monkeypatch.setenv(name, os.environ[name])
    monkeypatch.setenv("VEELOCITY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VEELOCITY_ENV_FILE", os.devnull)
    umask = os.umask(0o022)
    os.umask(umask)
    yield
    os.umask(umask)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Write a ``veelocity.toml`` for the test."""

    def write(text: str) -> None:
        path = tmp_path / "veelocity.toml"
        path.write_text(text, encoding="utf-8")
        monkeypatch.setenv("VEELOCITY_CONFIG", str(path))

    return write


def veelocity(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the console script as a user would."""
    ship()  # as `make setup` did, should the models have changed since
    return subprocess.run(
        [VEELOCITY, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@contextmanager
def reader_of(path: Path) -> Iterator[int]:
    """Another process that has a DuckDB file open for reading meanwhile; its id."""
    code = "import duckdb,sys; c=duckdb.connect(sys.argv[1], read_only=True); print('open', flush=True); input()"
    reader = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "open\n"
        yield reader.pid
    finally:
        reader.communicate("\n")


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all workers."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def refreshed(shared: Path) -> Home:
    """A home after a refresh of the medium simulated organisation in this process; for reading only.

    Its settings lie beside it (``refreshed.toml``).
    """
    return _first_refresh(shared, "medium")


@pytest.fixture(scope="session")
def small(shared: Path) -> Home:
    """The same of the small one, for tests that go on from there in a copy (:func:`copied`)."""
    return _first_refresh(shared, "small")


def copied(home: Home, path: Path) -> Home:
    """A home of one's own with the same warehouse, published marts and status."""
    copy = Home(path)
    copy.make()
    for file in (home.working, home.published, home.status):
        shutil.copyfile(file, copy.path / file.name)
    return copy


def _first_refresh(shared: Path, size: str) -> Home:
    home = Home(shared / ("refreshed" if size == "medium" else size))
    with exclusively(home.path.with_suffix(".lock")):
        if not home.published.exists():
            from tests.inprocess import refresh, settings_of  # imported late: few tests need the simulator
            from veelocity_pipeline.simulator import Simulator

            with Simulator(size=size) as simulator:
                configuration = simulator.configuration()
                home.path.with_suffix(".toml").write_text(configuration, encoding="utf-8")
                assert refresh(home, settings_of(simulator, configuration)) == []
    return home
