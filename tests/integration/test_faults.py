"""What goes wrong while the sources are read is made good, at once or by the next read; a part of ``make faults``.

Here every kind of fault at one rate, up to the raw rows. What breaks off a build or a publish: ``tests/transform``.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults.trials import KINDS, Raw, raw_rows
from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.config.settings import CHECKOUT, Settings
from veelocity_pipeline.loading.dlt import make_pipeline
from veelocity_pipeline.loading.read import load
from veelocity_pipeline.simulator import Fault, Simulator
from veelocity_pipeline.sources import SOURCES, RefreshRequest
from veelocity_pipeline.sources.github import queries as github
from veelocity_pipeline.sources.github import shape
from veelocity_pipeline.sources.github.reading import Reading
from veelocity_pipeline.sources.kit.http import client as http
from veelocity_pipeline.sources.linear import queries as linear
from veelocity_pipeline.warehouse.home import Home

RATE = 0.1


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits take no time, and silence little."""
    real = http.Client.__init__

    def patient(self: http.Client, *arguments: Any, **named: Any) -> None:
        timeout = httpx.Timeout(0.5, connect=5.0)
        real(self, *arguments, **{**named, "sleep": lambda _seconds: None, "timeout": timeout})

    monkeypatch.setattr(http.Client, "__init__", patient)
    for name in ("PULL_REQUESTS", "ISSUES", "COMMITS", "TAGS", "RELEASES", "DEPLOYMENTS"):
        monkeypatch.setattr(github, f"{name}_PER_PAGE", 8)
    monkeypatch.setattr(linear, "ISSUES_PER_PAGE", 8)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(size="small") as made:
        yield made


Configured = Callable[[Simulator], Settings]


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch, config: Callable[[str], None]) -> Configured:
    """Settings for a simulator, with a service, so that paths are read too."""
    config('[[services]]\nname = "part"\nrepository = "acme/web"\npaths = ["**"]\n')

    def make(simulator: Simulator) -> Settings:
        for name, value in simulator.environment().items():
            monkeypatch.setenv(name, value)
        return load_settings()

    return make


def load_all(home: Home, settings: Settings, *sources: str) -> dict[str, str]:
    """Read these sources, or all; what could not be read, by repository."""
    home.make()
    return {
        f"{entry.name} {outcome.scope_name}": outcome.error
        for entry in (SOURCES[name] for name in sources or SOURCES)
        for outcome in load(entry, settings, make_pipeline(entry, home), RefreshRequest())
        if outcome.error
    }


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Raw]:
    """Raw rows that undisturbed reads come to: at first, and twelve days later."""
    return {"folder": tmp_path_factory.mktemp("calm")}  # type: ignore[dict-item]


@pytest.fixture
def clean(calm: dict[str, Any], configured: Configured) -> dict[str, Any]:
    if "first" not in calm:
        home = Home(calm["folder"] / "home")
        with Simulator(size="small") as simulator:
            assert load_all(home, configured(simulator)) == {}
            calm["first"], calm["requests"] = raw_rows(home), len(simulator.log)
            calm["before"] = shutil.copytree(home.path, calm["folder"] / "before")
            simulator.advance(days=12)
            assert load_all(home, configured(simulator)) == {}
            calm["later"] = raw_rows(home)
    return calm


@pytest.mark.parametrize("name", [name for name in KINDS if name != "moved"])
def test_a_fault_in_a_tenth_of_all_requests(
    name: str, simulator: Simulator, configured: Configured, clean: dict[str, Any], tmp_path: Path
) -> None:
    home, settings = Home(tmp_path / "home"), configured(simulator)
    fault = KINDS[name](RATE)
    simulator.faults.append(fault)
    errors = load_all(home, settings)
    simulator.faults.clear()
    assert fault.spoilt
    if not errors:
        assert raw_rows(home) == clean["first"]
    assert load_all(home, settings) == {}
    assert raw_rows(home) == clean["first"]


def test_what_moves_while_pages_are_read_is_neither_lost_nor_doubled(
    simulator: Simulator, configured: Configured, tmp_path: Path
) -> None:
    home, fresh, settings = Home(tmp_path / "home"), Home(tmp_path / "fresh"), configured(simulator)
    simulator.faults.append(KINDS["moved"](0.3))
    assert load_all(home, settings) == {}
    simulator.faults.clear()
    assert load_all(home, settings) == {}
    assert load_all(fresh, settings) == {}
    assert raw_rows(home) == raw_rows(fresh)


# --------------------------------------------------------------------------- one repository's failure is its own

WEB = '"name": "web"'


def spoilt(monkeypatch: pytest.MonkeyPatch, change: Callable[[dict[str, Any]], None]) -> None:
    """Let the pull requests of one repository come with something that does not belong there."""
    real = Reading.page

    def page(self: Any, document: str, field: str, *arguments: Any, **named: Any) -> Any:
        found = real(self, document, field, *arguments, **named)
        if self.name == "acme/web" and field == "pullRequests" and found["nodes"]:
            change(found["nodes"][-1])
        return found

    monkeypatch.setattr(Reading, "page", page)


def break_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    real = shape.pull_request_sets

    def broken(node: Any, repository: str) -> Any:
        if "/acme/web/" in node["url"]:
            raise ZeroDivisionError
        return real(node, repository)

    monkeypatch.setattr(shape, "pull_request_sets", broken)


SPOILS: dict[str, Callable[[Simulator, pytest.MonkeyPatch], object]] = {
    "not found": lambda simulator, _: simulator.faults.append(Fault("not_found", WEB, times=1000)),
    "forbidden": lambda simulator, _: simulator.faults.append(Fault("forbidden", WEB, times=1000)),
    "502 for ever": lambda simulator, _: simulator.faults.append(Fault("502", WEB, times=1000)),
    "no JSON for ever": lambda simulator, _: simulator.faults.append(Fault("not_json", WEB, times=1000)),
    "a value of another kind": lambda _, patch: spoilt(patch, lambda node: node.update(additions="many")),
    "an id that is null": lambda _, patch: spoilt(patch, lambda node: node.update(id=None)),
    "a commit that is null": lambda _, patch: spoilt(
        patch, lambda node: node["commits"]["nodes"][0].update(commit=None)
    ),
    "a list without its pages": lambda _, patch: spoilt(patch, lambda node: node["reviews"].pop("pageInfo")),
    "a mistake of ours": lambda _, patch: break_shape(patch),
}

COSTS_A_PULL_REQUEST = {"a commit that is null"}
"""Of these, what costs the one object alone, which is asked for again."""


@pytest.mark.parametrize("name", SPOILS)
def test_what_spoils_one_repository_leaves_the_others_alone_and_is_made_good(
    name: str,
    simulator: Simulator,
    configured: Configured,
    clean: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = Home(tmp_path / "home")
    shutil.copytree(clean["before"], home.path)
    simulator.advance(days=12)
    settings = configured(simulator)
    with monkeypatch.context() as patch:
        SPOILS[name](simulator, patch)
        errors = load_all(home, settings, "github")
    simulator.faults.clear()
    assert set(errors) == (set() if name in COSTS_A_PULL_REQUEST else {"github acme/web"})
    web = simulator.organization.repositories[0].id
    found = raw_rows(home)
    later = {table: rows for table, rows in clean["later"].items() if table.startswith("raw_github.")}
    for table, rows in later.items():
        others = {row: count for row, count in rows.items() if web not in row}
        assert {row: count for row, count in found[table].items() if web not in row} == others, table
        # What it had is there: of what was loaded before, nothing is gone but what was replaced by a later state.
        mine = sum(count for row, count in clean["first"][table].items() if web in row)
        assert sum(count for row, count in found[table].items() if web in row) >= mine, table
    assert load_all(home, settings, "github") == {}
    assert raw_rows(home) == clean["first"] | later  # no other source was read


# ------------------------------------------------------------------------------------------------ kill -9, disk full

CHILD = """
import os, resource, signal, sys, threading
from veelocity_pipeline.sources.github import queries as github
from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.loading.read import load
from veelocity_pipeline.sources import SOURCES, RefreshRequest
from veelocity_pipeline.loading import read as loading_read
from veelocity_pipeline.loading.dlt import make_pipeline
from veelocity_pipeline.warehouse.home import Home

settings, what, number = load_settings(), sys.argv[1], int(sys.argv[2])
github.PULL_REQUESTS_PER_PAGE = github.COMMITS_PER_PAGE = 8
loading_read.BATCH_ROWS, home, count = 100, Home(settings.home), 0
home.make()
real = loading_read._Refresh.flush

def flush(*arguments):
    global count
    count += 1
    if count == number:
        if what == "kill":
            threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
        else:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
    real(*arguments)

loading_read._Refresh.flush = flush
for entry in SOURCES.values():
    for outcome in load(entry, settings, make_pipeline(entry, home), RefreshRequest()):
        pass
"""


@pytest.mark.parametrize(("what", "number"), [("kill", 1), ("kill", 3), ("kill", 6), ("disk", 2)])
def test_a_load_that_is_killed_or_finds_the_disk_full_is_gone_on_with(
    what: str, number: int, simulator: Simulator, configured: Configured, clean: dict[str, Any]
) -> None:
    settings = configured(simulator)
    home = Home(settings.home)
    ended = subprocess.run(
        [sys.executable, "-c", CHILD, what, str(number)], env=os.environ, capture_output=True, text=True, check=False
    )
    if what == "kill":
        assert ended.returncode == -signal.SIGKILL
    else:
        assert ended.returncode == 1
        assert "LoadError" in ended.stderr
    asked = len(simulator.log)
    assert asked < clean["requests"]
    assert load_all(home, settings) == {}
    assert raw_rows(home) == clean["first"]
    # What had been loaded is not asked for again; what waited was a batch, and what lay in the queue (sixteen pages).
    assert len(simulator.log) <= clean["requests"] + 40


def test_every_trial_of_make_faults_finds_what_it_breaks() -> None:
    """Which is the program's own functions, by name: each plan is put in place, in a process that then ends."""
    code = """
import multiprocessing, sys
from tests.faults import child, day
from tests.faults.trials import trials

plans = [*(trial.plan for trial in trials()), *(trouble.plan for trouble in day.TROUBLES)]
processes = [multiprocessing.get_context("fork").Process(target=child._prepare, args=(child.Plan(**plan),)) for plan in
             {repr(plan): plan for plan in plans}.values()]
for process in processes:
    process.start()
    process.join()
print(len(processes))
sys.exit(any(process.exitcode for process in processes))
"""
    ran = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) > 5
