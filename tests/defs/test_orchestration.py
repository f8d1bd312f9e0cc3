"""Runs that say they are going on: which of them live, and what becomes of the others."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from veelocity_pipeline.defs import ended
from veelocity_pipeline.defs.ended import report_dead_runs
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.lock import alive

RUN = "00000000-0000-0000-0000-00000000000"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.make()
    return made


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as made:
        yield made


def add(instance: dg.DagsterInstance, number: int, status: dg.DagsterRunStatus) -> str:
    run = dg.DagsterRun(job_name="incremental_refresh", run_id=f"{RUN}{number}", status=status)
    return instance.add_run(run).run_id


def status(instance: dg.DagsterInstance, run: str) -> dg.DagsterRunStatus:
    found = instance.get_run_by_id(run)
    assert found is not None
    return found.status


def _live(path: Path, run: str, entered: Any, leave: Any) -> None:
    with alive(Home(path), run):
        entered.set()
        leave.wait()


class Worker:
    """A run's process, which shows that it lives."""

    def __init__(self, home: Home, run: str) -> None:
        context = multiprocessing.get_context("spawn")
        entered, self._leave = context.Event(), context.Event()
        self._process = context.Process(target=_live, args=(home.path, run, entered, self._leave))
        self._process.start()
        assert entered.wait(60)

    def kill(self) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, 9)
        self._process.join(60)

    def end(self) -> None:
        self._leave.set()
        self._process.join(60)


def test_a_killed_run_is_marked_at_once_and_a_living_one_left_alone(home: Home, instance: dg.DagsterInstance) -> None:
    killed = add(instance, 1, dg.DagsterRunStatus.STARTED)
    waits = add(instance, 2, dg.DagsterRunStatus.STARTED)
    worker, waiter = Worker(home, killed), Worker(home, waits)
    try:
        assert report_dead_runs(instance, home) == []
        worker.kill()
        # the warehouse is free, and still the one that waits for it is none of the dead
        assert report_dead_runs(instance, home) == [killed]
        assert report_dead_runs(instance, home) == []
    finally:
        waiter.end()
    assert status(instance, killed) == dg.DagsterRunStatus.FAILURE
    assert status(instance, waits) == dg.DagsterRunStatus.STARTED
    assert not list((home.dagster / "alive").iterdir())


@pytest.mark.parametrize(
    ("how", "limit"),
    [
        (dg.DagsterRunStatus.STARTED, "_SETTLED_AFTER"),
        (dg.DagsterRunStatus.CANCELING, "_SETTLED_AFTER"),
        (dg.DagsterRunStatus.NOT_STARTED, "_STARTED_AFTER"),
        (dg.DagsterRunStatus.STARTING, "_STARTED_AFTER"),
    ],
)
def test_a_run_that_never_showed_itself_has_a_while_to(
    how: dg.DagsterRunStatus, limit: str, home: Home, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = add(instance, 1, how)
    assert report_dead_runs(instance, home) == []
    monkeypatch.setattr(ended, limit, 0)
    assert report_dead_runs(instance, home) == [run]
    assert status(instance, run) == dg.DagsterRunStatus.FAILURE
