"""What a build or a publish that is killed, or that finds the disk full, leaves behind: the next one is right."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests import inprocess
from tests.conftest import copied
from veelocity_pipeline.warehouse import publish as warehouse_publish
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.store import connect

BUILD = """
import os, resource, signal, sys
from pathlib import Path
from veelocity_pipeline.transform.build import steps
from veelocity_pipeline.transform.fingerprint import Building
from veelocity_pipeline.transform.prepare import prepared
from veelocity_pipeline.transform.runner import Runner
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.lock import writing

home, what = Home(Path(sys.argv[1])), sys.argv[2]
built = []

def on_built(name):
    built.append(name)
    if len(built) == 40 and what == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if len(built) == 10 and what == "full":
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
project = prepared(home)
with writing(home, "a build"):
    for _, done in steps(Building(project, home, trust=False), Runner(project, home, on_built), lambda text: None):
        for each in done:
            assert each.is_good, each.message
print(len(built))
"""
"""Builds what changed; at a place that is named the process is killed, or no file may grow any more."""

PUBLISH = """
import os, signal, sys
from pathlib import Path
from veelocity_pipeline.warehouse.store import connect
from veelocity_pipeline.warehouse import publish as warehouse_publish
from veelocity_pipeline.warehouse.home import Home

real = warehouse_publish._copy_marts

def copy(*arguments):
    real(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)

warehouse_publish._copy_marts = copy
warehouse_publish.publish(Home(Path(sys.argv[1])))
"""


def run(code: str, home: Home, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own."""
    command = [sys.executable, "-c", code, str(home.path), *arguments]
    return subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)


def without_models(home: Home) -> None:
    """Drop what the harness made, so that all of it is to be built."""
    with connect(home) as connection:
        for schema in ("intermediate", "marts", "seeds"):
            connection.execute(f"drop schema if exists {schema} cascade")


def test_builds_that_broke_off_are_made_good_by_the_next(small: Home, tmp_path: Path) -> None:
    """Nobody is locked out, what they built counts as not built, and what was published is there meanwhile."""
    home = copied(small, tmp_path / "home")
    without_models(home)

    killed = run(BUILD, home, "killed")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    stopped = run(BUILD, home, "full")
    assert stopped.returncode == 1
    assert "warehouse.duckdb" in stopped.stderr
    assert home.published.read_bytes() == small.published.read_bytes()

    healed = run(BUILD, home, "nothing")
    assert healed.returncode == 0, healed.stderr
    assert int(healed.stdout) > 100
    home.published.unlink()
    warehouse_publish.publish(home)
    assert inprocess.marts(home) == inprocess.marts(small)
    assert inprocess.marts(home)["fct_pull_requests"]


def test_a_publish_that_is_killed_leaves_what_was_published(small: Home, tmp_path: Path) -> None:
    home = copied(small, tmp_path / "home")
    with connect(home) as connection:
        connection.execute("delete from marts.fct_reviews")
    assert run(PUBLISH, home).returncode == -signal.SIGKILL
    assert home.published.read_bytes() == small.published.read_bytes()
    assert warehouse_publish.publish(home).rows["fct_reviews"] == 0
    assert inprocess.marts(home) == {**inprocess.marts(small), "fct_reviews": []}
    assert not list(home.path.glob("*.staged*"))
