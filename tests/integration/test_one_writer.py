"""One writer and readers that are never blocked, whatever is started, killed or cancelled when: with real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from tests.conftest import VEELOCITY
from tests.inprocess import marts
from tests.integration.dev import QUIET, Dev, eventually
from veelocity_pipeline.simulator import Fault, Simulator
from veelocity_pipeline.warehouse.home import Home

READER = """
import duckdb, sys
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    count = "select count(*) from marts.fct_pull_requests"
    print(*connection.execute(count).fetchall()[0], flush=True)
    sys.stdin.readline()
    print(*connection.execute(count).fetchall()[0], flush=True)
"""


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(size="small") as made:
        yield made


def started(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [VEELOCITY, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def statuses(home: Home) -> list[str]:
    """Of all runs, the latest first."""
    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        return [run.status.value for run in instance.get_runs()]


@dataclass
class Begun:
    """A home that two refreshes made at once, and what came of them."""

    home: Home
    environment: dict[str, str]
    said: list[str]
    exits: list[int]
    statuses: list[str]


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory, simulator: Simulator) -> Begun:
    home = Home(tmp_path_factory.mktemp("one-writer") / "home")
    environment = {
        **os.environ,
        **simulator.environment(),
        "VEELOCITY_HOME": str(home.path),
        "VEELOCITY_ENV_FILE": os.devnull,
    }
    both = [started(environment, "refresh") for _ in range(2)]
    said = [process.communicate(timeout=600)[0] for process in both]
    return Begun(home, environment, said, [process.returncode for process in both], statuses(home))


@pytest.fixture
def home(begun: Begun) -> Home:
    return begun.home


@pytest.fixture
def environment(begun: Begun) -> dict[str, str]:
    return begun.environment


def test_two_first_refreshes_at_once(begun: Begun, simulator: Simulator) -> None:
    assert begun.exits == [0, 0], begun.said
    assert sum("Waiting for the warehouse: incremental_refresh" in text for text in begun.said) == 1
    assert begun.statuses == ["SUCCESS", "SUCCESS"]
    with duckdb.connect(str(begun.home.working), read_only=True) as connection:
        count = "select count(*), count(distinct id) from raw_github.pull_requests"
        [(rows, ids)] = connection.execute(count).fetchall()
    assert rows == ids
    assert rows == sum(len(each.pull_requests) for each in simulator.organization.repositories)


def test_a_refresh_waits_for_a_rebuild_and_a_reader_for_nobody(
    home: Home, environment: dict[str, str], simulator: Simulator, tmp_path: Path
) -> None:
    before = marts(home)
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(home.published)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert reader.stdin is not None
    assert reader.stdout is not None
    try:
        assert int(reader.stdout.readline()) == len(before["fct_pull_requests"])
        rules = tmp_path / "veelocity.toml"
        rules.write_text('[people]\nbots = ["nobody"]\n', encoding="utf-8")
        environment = {**environment, "VEELOCITY_CONFIG": str(rules)}
        inode = home.published.stat().st_ino
        rebuild = started(environment, "rebuild")
        assert rebuild.stdout is not None
        assert any("Building " in line for line in rebuild.stdout)
        refresh = started(environment, "refresh")
        said, _ = refresh.communicate(timeout=600)
        rebuild.communicate(timeout=600)
        assert (rebuild.returncode, refresh.returncode) == (0, 0), said
        assert "Waiting for the warehouse: rebuild" in said
        assert home.published.stat().st_ino != inode
        after = marts(home)
        # the rule names a person that nobody knew
        assert {**after, "dim_people": before["dim_people"]} == before
        reader.stdin.write("\n")
        reader.stdin.flush()
        # It sees what it opened, for as long as it likes.
        assert int(reader.stdout.readline()) == len(before["fct_pull_requests"])
    finally:
        reader.kill()


def test_what_is_killed_or_cancelled_in_the_ui_leaves_the_next_run_clean(
    home: Home, environment: dict[str, str], simulator: Simulator, tmp_path: Path
) -> None:
    simulator.advance(days=3)
    before = home.published.read_bytes()
    environment = {**environment, **QUIET}

    def waits() -> bool:
        return any(fault.spoilt for fault in simulator.faults)

    def limit() -> None:
        """Have the next run wait in the middle, for as long as the test likes."""
        simulator.faults[:] = [Fault(kind="secondary_limit", match="pullRequests", times=1000, retry_after=1_800)]

    dev = Dev(environment, tmp_path / "dev.log")
    try:
        limit()
        killed = dev.launch("incremental_refresh")
        eventually(waits, "the run has come to the limit")
        dev.kill()
        simulator.faults.clear()

        dev = Dev(environment, tmp_path / "dev.log")
        eventually(lambda: dev.status(killed) == "FAILURE", "the killed run is shown as failed")

        limit()
        cancelled = dev.launch("incremental_refresh")
        eventually(waits, "the run has come to the limit")
        dev.cancel(cancelled)
        eventually(lambda: dev.status(cancelled) == "CANCELED", "the run is cancelled")
        simulator.faults.clear()
        assert home.published.read_bytes() == before

        last = dev.launch("incremental_refresh")
        eventually(lambda: dev.status(last) in ("SUCCESS", "FAILURE"), "the next run has ended")
        assert dev.status(last) == "SUCCESS"
    finally:
        dev.kill()
    assert home.published.read_bytes() != before

    assert len(marts(home)["fct_pull_requests"]) == sum(
        len(each.pull_requests) for each in simulator.organization.repositories
    )
