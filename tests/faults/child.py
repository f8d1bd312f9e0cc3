"""One refresh in a process of its own, which may be told to break at a place.

Preloaded by the fork server, so that a refresh begins at once: all libraries and the definitions are there.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from veelocity_pipeline.defs.assets import models as transform
from veelocity_pipeline.defs.assets import publish
from veelocity_pipeline.defs.location import loaded
from veelocity_pipeline.faces.cli.main import app
from veelocity_pipeline.loading import read
from veelocity_pipeline.sources.github import queries as github
from veelocity_pipeline.sources.kit.http import client as http
from veelocity_pipeline.sources.linear import queries as linear
from veelocity_pipeline.transform.runner import Done, Runner
from veelocity_pipeline.warehouse import publish as warehouse_publish
from veelocity_pipeline.warehouse import status
from veelocity_pipeline.warehouse.home import Home

assert loaded()  # loaded here, once for all refreshes

TIMEOUT = httpx.Timeout(0.5, connect=5.0)
"""Shorter than a fault's silence."""


@dataclass(frozen=True)
class Plan:
    """What is to happen to a refresh.

    Attributes:
        kill_at: load, build, copied (the marts, not yet published) or published (not yet remembered).
        number: of the load, counted from 1; 0 where there is no such.
        seconds: from that moment until the process is killed.
        full_at: load, build or publish: the step in which the disk is full.
        room: no file can be written beyond so many bytes from then on.
        batch_rows: rows that are enough for a load, so that there are several of them.
        with_tests: whether dbt tests what it builds, which is most of its time and changes no row.
    """

    kill_at: str = ""
    number: int = 0
    seconds: float = 0.0
    full_at: str = ""
    room: int = 0
    batch_rows: int = 0
    with_tests: bool = False


@dataclass
class _Waits:
    seconds: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, seconds: float) -> None:
        """Wait no time, and remember how long it would have been."""
        with self.lock:
            self.seconds += seconds


def run(environment: Mapping[str, str], plan: Plan, output: str) -> None:
    """``veelocity refresh``; its output and what it waited are written to files beside each other."""
    os.environ.update(environment)
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    small_pages(setattr)
    waits = _Waits()
    real = http.Client.__init__

    def patient(self: http.Client, *arguments: Any, **named: Any) -> None:
        real(self, *arguments, **{**named, "sleep": waits, "timeout": TIMEOUT})

    http.Client.__init__ = patient  # type: ignore[method-assign]
    _prepare(plan)
    status = 0
    try:
        app(["refresh"], standalone_mode=True)
    except SystemExit as end:
        status = int(end.code or 0)
    Path(f"{output}.waits").write_text(json.dumps(waits.seconds), encoding="utf-8")
    sys.stdout.flush()
    os._exit(status)


def small_pages(put: Callable[[Any, str, Any], None]) -> None:
    """Have a small organisation take as many requests as a larger one.

    Args:
        put: as ``setattr``.
    """
    for name in ("PULL_REQUESTS", "ISSUES", "COMMITS", "TAGS", "RELEASES", "DEPLOYMENTS"):
        put(github, f"{name}_PER_PAGE", 8)
    put(linear, "ISSUES_PER_PAGE", 8)


def _prepare(plan: Plan) -> None:
    if not plan.with_tests:
        real_build = Runner.build

        def build(self: Runner, select: Sequence[str], *, with_tests: bool = True) -> list[Done]:
            del with_tests
            return real_build(self, select, with_tests=False)

        Runner.build = build  # type: ignore[method-assign]
    if plan.batch_rows:
        read.BATCH_ROWS = plan.batch_rows
    loads = 0
    real_flush = read._Refresh.flush

    def flush(*arguments: Any) -> None:
        nonlocal loads
        loads += 1
        if plan.kill_at == "load" and loads == plan.number:
            _kill_after(plan.seconds)
        if plan.full_at == "load" and loads == plan.number:
            _limit(plan.room)
        real_flush(*arguments)

    read._Refresh.flush = flush  # type: ignore[method-assign,assignment]
    if plan.kill_at == "build" or plan.full_at == "build":
        real_inputs = status.was_ever_read

        def was_ever_read(home: Home) -> bool:
            found = real_inputs(home)
            if plan.kill_at:
                _kill_after(plan.seconds)
            else:
                _limit(plan.room)
            return found

        transform.was_ever_read = was_ever_read  # type: ignore[attr-defined]
    if plan.full_at == "publish":
        _before(warehouse_publish, "_copy_marts", lambda: _limit(plan.room))
    if plan.kill_at == "copied":
        real_copy = warehouse_publish._copy_marts

        def copy(*arguments: Any) -> Any:
            real_copy(*arguments)
            _kill_after(0)

        warehouse_publish._copy_marts = copy  # type: ignore[assignment]
    if plan.kill_at == "published":
        _before(publish, "remember_build", lambda: _kill_after(0))


def _before(module: Any, name: str, action: Callable[[], None]) -> None:
    real = getattr(module, name)

    def wrapped(*arguments: Any) -> Any:
        action()
        return real(*arguments)

    setattr(module, name, wrapped)


def _kill_after(seconds: float) -> None:
    def kill() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if seconds == 0:
        kill()
    threading.Timer(seconds, kill).start()


def _limit(room: int) -> None:
    """Let every write fail that goes beyond so many bytes of a file, as a full disk does."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
