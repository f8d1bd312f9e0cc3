"""Trials: a refresh that something happens to, and one more that nothing does; both against undisturbed ones."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from tests.inprocess import marts
from veelocity_pipeline.simulator import Fault, Simulator
from veelocity_pipeline.sources import SOURCES
from veelocity_pipeline.warehouse.home import Home

RATES = (0.02, 0.1, 0.3)

MIDDLE = '"after": "'
"""In the variables of every page of a list but the first."""

GRAPHQL = ("partial", "gave_up", "lost_field", "lost_node", "respelt_limit")
"""Faults that there are in GraphQL alone."""

KINDS: dict[str, Callable[[float], Fault]] = {
    **{
        kind: lambda rate, kind=kind: Fault(  # type: ignore[misc]
            kind, match="graphql" if kind in GRAPHQL else "", rate=rate, seconds=2.0
        )
        for kind in ("502", "504", "drop", "timeout", *GRAPHQL, "not_json", "empty", "primary_limit")
    },
    "primary_limit in the middle of a list": lambda rate: Fault("primary_limit", match=MIDDLE, rate=rate),
    "secondary_limit": lambda rate: Fault("secondary_limit", rate=rate, retry_after=1),
    "secondary_limit without Retry-After": lambda rate: Fault("secondary_limit", rate=rate, retry_after=None),
    **{
        kind: lambda rate, kind=kind: Fault(kind, rate=rate)  # type: ignore[misc]
        for kind in ("abuse", "not_modified", "bare", "garbled", "duplicated", "moved", "surrogate", "not_utf8")
    },
    **{
        kind: lambda rate, kind=kind: Fault(kind, rate=rate)  # type: ignore[misc]
        for kind in ("unauthorized", "forbidden", "not_found")
    },
}
"""Every kind of fault there is a table row for, at a rate."""

Raw = dict[str, Counter[str]]


def raw_rows(home: Home) -> Raw:
    """All raw rows, of each table its declared columns."""
    if not home.working.exists():
        return {}
    found = {}
    with duckdb.connect(str(home.working), read_only=True) as connection:
        there = {*connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()}
        for entry in SOURCES.values():
            for name, table in entry.tables.items():
                if (entry.dataset, name) in there:
                    rows = connection.execute(f"select {', '.join(table.columns)} from {entry.dataset}.{name}")
                    found[f"{entry.dataset}.{name}"] = Counter(map(repr, rows.fetchall()))
    return found


class Kill(Fault):
    """Kills the refresh at a request: by then it is sent and not answered."""

    def __init__(self, after: int) -> None:
        super().__init__("drop", after=after)
        self.pid = 0

    def meets(self, request: str) -> bool:
        met = super().meets(request)
        if met:
            os.kill(self.pid, signal.SIGKILL)
        return met


@dataclass(frozen=True)
class Trial:
    """What is done to a refresh.

    Attributes:
        what, detail: for the table.
        is_increment: the refresh follows a whole one and twelve days; else it is the first.
        fault: makes what the simulator does.
        request: the request at which the process is killed; 0 for none.
        plan: what the process does to itself; see ``child.Plan``.
    """

    what: str
    detail: str
    is_increment: bool = False
    fault: Callable[[], Fault] | None = None
    request: int = 0
    plan: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """What became of it.

    Attributes:
        status: exit status; below zero the signal that ended it.
        spoilt: requests that the fault met.
        requests: more than an undisturbed refresh sends; where it was killed, the next refresh's number of all.
        waited: seconds that the disturbed refresh would have waited.
        at_once: whether all raw rows were right after the disturbed refresh already.
        raw, marts: whether all rows are, after one more that nothing disturbs.
        healed_by: that one's exit status.
        said: the last line of the disturbed refresh.
    """

    trial: Trial
    status: int
    spoilt: int
    requests: int
    next_requests: int
    waited: float
    at_once: bool
    raw: bool
    marts: bool
    healed_by: int
    said: str
    differs: str = ""


def trials(rates: tuple[float, ...] = RATES) -> Iterator[Trial]:
    """All there are."""
    for rate in rates:
        for name, make in KINDS.items():
            yield Trial(name, f"{rate:.0%} of requests", fault=lambda make=make, rate=rate: make(rate))  # type: ignore[misc]
    for is_increment in (False, True):
        when = "an increment" if is_increment else "a first load"
        requests = (2, 9, 15) if is_increment else (4, 20, 45)
        for number in requests:
            yield Trial("kill -9", f"{when}, request {number}", is_increment, request=number)
        plans: dict[str, dict[str, Any]] = {
            "while rows are loaded": {"kill_at": "load", "number": 2, "seconds": 0.15},
            "while later rows are loaded": {"kill_at": "load", "number": 4, "seconds": 0.3},
            "as dbt starts": {"kill_at": "build", "seconds": 0.5},
            "while dbt builds": {"kill_at": "build", "seconds": 3.0},
            "while dbt tests": {"kill_at": "build", "seconds": 5.0, "with_tests": True},
            "marts copied, not published": {"kill_at": "copied"},
            "published, not remembered": {"kill_at": "published"},
        }
        for name, plan in plans.items():
            yield Trial("kill -9", f"{when}, {name}", is_increment, plan=plan)
        for step, room in (("load", 20_000), ("build", 200_000), ("publish", 200_000)):
            full: dict[str, Any] = {"full_at": step, "number": 2, "room": room}
            yield Trial("disk full", f"{when}, in {step}", is_increment, plan=full)


@dataclass
class _State:
    """What an undisturbed refresh comes to."""

    raw: Raw
    marts: dict[str, Any]
    requests: int


class Ground:
    """Where trials are made: one folder, made anew for each, and one address for the simulator.

    Args:
        folder: for everything that is written.
        with_marts: build and compare the marts too; else only what is loaded.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = Home(folder / "home")
        self.home.make()
        self.config = folder / "veelocity.toml"
        self.config.write_text(
            '[[services]]\nname = "part"\nrepository = "acme/web"\npaths = ["**"]\n', encoding="utf-8"
        )
        self._environment = {
            "VEELOCITY_HOME": str(self.home.path),
            "VEELOCITY_CONFIG": str(self.config),
            "VEELOCITY_ENV_FILE": os.devnull,
        }
        os.environ.update(self._environment)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.faults.child"])
        self._port = 0
        self._after_first = folder / "after-first"
        self._clean: dict[bool, _State] = {}

    @contextmanager
    def simulator(self, is_increment: bool) -> Iterator[Simulator]:
        with Simulator(size="small", port=self._port) as simulator:
            # The same address for all, since addresses are part of what ETags stand for.
            self._port = int(simulator.github_url.split(":")[2].split("/")[0])
            if is_increment:
                simulator.advance(days=12)
            yield simulator

    def reset(self, is_increment: bool = False) -> None:
        for path in (self.home.dlt, self.home.dagster):
            shutil.rmtree(path, ignore_errors=True)
        for path in self.home.path.glob("*"):
            if path.is_file() or path.is_symlink():
                path.unlink()
        self.home.make()
        if is_increment:
            for path in self._after_first.iterdir():
                shutil.copy2(path, self.home.path / path.name)

    def refresh(self, simulator: Simulator, **plan: Any) -> tuple[int, float, str]:
        """Exit status, seconds of waiting, last line."""
        from tests.faults.child import Plan, run

        output = self.folder / "output.txt"
        waits = Path(f"{output}.waits")
        waits.unlink(missing_ok=True)
        environment = {**self._environment, **simulator.environment()}
        process = self._context.Process(target=run, args=(environment, Plan(**plan), str(output)))
        process.start()
        for fault in simulator.faults:
            if isinstance(fault, Kill):
                fault.pid = process.pid or 0
        process.join(900)
        lines = [line.strip() for line in output.read_text(encoding="utf-8").splitlines() if line.strip()]
        waited = json.loads(waits.read_text(encoding="utf-8")) if waits.exists() else 0.0
        return process.exitcode if process.exitcode is not None else 999, waited, lines[-1] if lines else ""

    def clean(self, is_increment: bool) -> _State:
        """What comes of undisturbed refreshes."""
        if is_increment not in self._clean:
            if is_increment:
                self.clean(False)
            self.reset(is_increment)
            with self.simulator(is_increment) as simulator:
                status, _, said = self.refresh(simulator, with_tests=True)
                assert status == 0, said
                self._clean[is_increment] = _State(raw_rows(self.home), marts(self.home), len(simulator.log))
            if not is_increment:
                self._after_first.mkdir(exist_ok=True)
                for path in (self.home.working, self.home.published, self.home.status):
                    shutil.copy2(path, self._after_first / path.name)
        return self._clean[is_increment]

    def run(self, trial: Trial) -> Result:
        """The disturbed refresh and the one after it."""
        expected = self.clean(trial.is_increment)
        self.reset(trial.is_increment)
        with self.simulator(trial.is_increment) as simulator:
            fault = trial.fault() if trial.fault else Kill(trial.request - 1) if trial.request else None
            simulator.faults[:] = [fault] if fault else []
            plan = {**trial.plan, "batch_rows": 0 if trial.fault else 200}
            status, waited, said = self.refresh(simulator, **plan)
            requests = len(simulator.log)
            simulator.faults.clear()
            before = raw_rows(self.home)
            healed_by, _, problem = self.refresh(simulator)
            next_requests = len(simulator.log) - requests
            after, built = raw_rows(self.home), marts(self.home) if self.home.published.exists() else {}
            if trial.what == "moved":
                # The organisation is another one now.
                self.reset()
                assert self.refresh(simulator)[0] == 0
                expected = _State(raw_rows(self.home), marts(self.home), expected.requests)
        differing = [name for name in expected.raw if after.get(name) != expected.raw[name]]
        differing += [name for name in expected.marts if built.get(name) != expected.marts[name]]
        return Result(
            trial,
            status,
            fault.spoilt if fault else 0,
            requests - expected.requests,
            next_requests,
            waited,
            before == expected.raw,
            after == expected.raw,
            built == expected.marts,
            healed_by,
            said,
            ", ".join(differing) + (f"; {problem}" if healed_by else ""),
        )
