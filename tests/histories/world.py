"""One history: an organisation that changes, a warehouse that follows it, and the comparison at the end.

Everything is real but the organisation: requests over loopback, dlt into a file, processes that are killed.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import logging
import multiprocessing
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient

from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.loading import read
from veelocity_pipeline.loading.dlt import LoadError, make_pipeline, prepare
from veelocity_pipeline.loading.look import look
from veelocity_pipeline.loading.read import load
from veelocity_pipeline.simulator import Fault, Simulator
from veelocity_pipeline.simulator.github import actions as simulated_actions
from veelocity_pipeline.sources import SOURCES
from veelocity_pipeline.sources.github_actions import asking, runs, windows
from veelocity_pipeline.sources.kit.connector import Outcome, RefreshRequest, SourceEntry
from veelocity_pipeline.sources.kit.http import client as http
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.store import connect

NAMES = ("acme/one", "acme/two", "acme/three")
FORKSERVER = multiprocessing.get_context("forkserver")
FORKSERVER.set_forkserver_preload(["tests.histories.world"])


# ------------------------------------------------------------------------------------------- what can happen


@dataclass(frozen=True)
class Change:
    """Somebody does something."""

    name: str
    picks: tuple[int, ...] = ()


@dataclass(frozen=True)
class Wait:
    """Time passes."""

    seconds: int


@dataclass(frozen=True)
class Configure:
    """The settings name these of the three repositories."""

    repositories: tuple[int, ...]


@dataclass(frozen=True)
class Refresh:
    """The source is read.

    Attributes:
        full: everything again.
        scope: number of the one repository or team that is asked for.
        during: what happens just before which request is answered.
        ends: how it ends too early: "kill" (SIGKILL) or "interrupt" (SIGINT), at which "request", or "statement" of a
            load in the warehouse.
        faults: what goes wrong on the way: kind, how many requests pass first.
        lost: number of a repository that is not found from some request on, as one that may no longer be read.
    """

    full: bool = False
    scope: int | None = None
    during: tuple[tuple[int, Change | Wait], ...] = ()
    ends: tuple[str, str, int] | None = None
    faults: tuple[tuple[str, int], ...] = ()
    lost: tuple[int, int] | None = None


Step = Change | Wait | Configure | Refresh


@dataclass(frozen=True)
class History:
    """What happens, in order, and how small everything is.

    Attributes:
        source: which source reads it.
        page: the most that a page of GraphQL holds, and a page of REST.
        batch: rows that are enough for a load.
        threads: scopes that are read at once.
    """

    source: str
    steps: tuple[Step, ...]
    page: int = 2
    batch: int = 30
    threads: int = 1


FOUNDING: Mapping[str, tuple[Step, ...]] = {
    "github": (
        Change("open a pull request", (2, 0, 1, 1, 2)),
        Change("open an issue", (2,)),
        Change("review a pull request", (0, 0, 0, 3)),
        Change("comment on a pull request"),
        Change("label a pull request"),
        Wait(60),
        Change("open a pull request", (1, 1, 2, 2, 1)),
        Change("merge a pull request", (0, 1, 1)),
        Change("open an issue", (1,)),
        Change("make a tag", (1,)),
        Change("draft a release", (1,)),
        Change("make a deployment", (1, 0, 0, 0, 0, 1)),
        Wait(90_000),
        Change("open a pull request from a fork", (2,)),
        Change("push to the default branch", (2, 1)),
        Change("make a tag", (2,)),
        Change("publish a release"),
        Change("make a deployment", (2,)),
    ),
    "github_actions": (
        Change("start a run", (2, 1)),
        Change("go on with a run"),
        Wait(60),
        Change("start a run", (2, 1)),
        Change("start a run", (1, 1, 1)),
        Wait(90_000),
        Change("go on with a run", (1,)),
        Change("open a pull request from a fork", (2,)),
    ),
    "linear": (
        Change("begin a cycle"),
        Change("begin a project"),
        Change("create a Linear issue", (0, 1, 1, 1, 2)),
        Change("create a Linear issue", (1, 2, 2)),
        Change("comment on a Linear issue"),
        Change("move a Linear issue"),
        Wait(90_000),
        Change("create a Linear issue", (1,)),
        Change("make a Linear label", (0,)),
        Change("label a Linear issue"),
        Change("attach to a Linear issue"),
    ),
}
"""What there is before a history begins."""


class DifferenceError(AssertionError):
    """The warehouse that followed is not what it ought to be."""


# ------------------------------------------------------------------------------------------------ settings


@contextlib.contextmanager
def made_small(history: History) -> Iterator[None]:
    """Pages and batches so small that tiny organisations have many of each; no time is lost in waiting."""
    page = history.page + 1
    changed: list[tuple[Any, str, Any]] = [
        (read, "BATCH_ROWS", history.batch),
        (http, "_backoff", lambda *_: 0.0),
        (asking, "PER_PAGE", page),
        (runs, "CAP", 8 * page),
        (windows, "CAP", 8 * page),
        (windows, "GOAL", 6 * page),
        (simulated_actions, "FILTERED_LIMIT", 8 * page),
    ]
    before = [(module, name, getattr(module, name)) for module, name, _ in changed]
    try:
        for module, name, value in changed:
            setattr(module, name, value)
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


def settings_for(environment: Mapping[str, str], repositories: tuple[str, ...], threads: int) -> Settings:
    return Settings.model_validate(
        {
            "github_tokens": (environment["GITHUB_TOKEN"],),
            "github_api_url": environment["GITHUB_API_URL"],
            "github_repositories": repositories,
            "linear_api_key": environment["LINEAR_API_KEY"],
            "linear_api_url": environment["LINEAR_API_URL"],
            "concurrency": threads,
            # paths of commits, and jobs, are read only where a rule looks at them
            "services": ({"name": "one", "repository": NAMES[0], "paths": ("src/**",), "job_patterns": ("deploy 1",)},),
        }
    )


def refresh(entry: SourceEntry, settings: Settings, folder: Path, request: RefreshRequest) -> list[Outcome]:
    return list(load(entry, settings, make_pipeline(entry, Home(folder)), request))


def _refresh_and_die(
    history: History, environment: Mapping[str, str], names: tuple[str, ...], folder: str, request: RefreshRequest,
    statement: int | None, number: int,
) -> None:  # fmt: skip
    """What a process does that is ended in the middle: by another one, or at a statement of its own."""
    os.setpgid(0, 0)
    logging.disable(logging.CRITICAL)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    if statement is not None:
        left = itertools.count(statement, -1)
        execute, commit = DuckDbSqlClient.execute_query, DuckDbSqlClient.commit_transaction

        def counted(function: Callable[..., Any]) -> Callable[..., Any]:
            def run(*arguments: Any, **named: Any) -> Any:
                if next(left) == 0:
                    os.kill(os.getpid(), number)
                return function(*arguments, **named)

            return run

        DuckDbSqlClient.execute_query = counted(execute)  # type: ignore[method-assign]
        DuckDbSqlClient.commit_transaction = counted(commit)  # type: ignore[method-assign]
    with made_small(history):
        refresh(SOURCES[history.source], settings_for(environment, names, history.threads), Path(folder), request)


# ------------------------------------------------------------------------------------------------- the world


@dataclass
class World:
    """A history while it happens."""

    history: History
    folder: Path
    simulator: Simulator
    configured: tuple[int, ...] = (0, 1, 2)
    told: list[str] = field(default_factory=list)
    is_hidden: bool = False
    is_interrupted: bool = False
    refreshes: int = 0

    @property
    def entry(self) -> SourceEntry:
        return SOURCES[self.history.source]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(NAMES[number] for number in self.configured)

    @property
    def settings(self) -> Settings:
        return settings_for(self.simulator.environment(), self.names, self.history.threads)

    def tell(self, text: str) -> None:
        self.told.append(f"{len(self.told) + 1:3}. {self.simulator.now:%Y-%m-%d %H:%M:%S}  {text}")

    def step(self, step: Step) -> None:
        if isinstance(step, Wait):
            self.simulator.advance(minutes=step.seconds / 60)
        elif isinstance(step, Change):
            told = self.simulator.change(step.name, step.picks)
            if told is not None:
                self.is_hidden = self.is_hidden or not told.is_shown
                self.tell(told.text + ("" if told.is_shown else "   [does not show]"))
        elif isinstance(step, Configure):
            self.configured = tuple(sorted({number % len(NAMES) for number in step.repositories})) or (0,)
            self.tell(f"the settings name {', '.join(self.names)}")
        else:
            self.refresh(step)

    def refresh(self, step: Refresh) -> None:
        scopes: tuple[str, ...] = ()
        if step.scope is not None:
            teams = [team.key for team in self.simulator.organization.workspace.teams]
            found = teams if self.history.source == "linear" else self.names
            scopes = (found[step.scope % len(found)],)
        request = RefreshRequest(step.full, scopes)
        self.refreshes += 1
        self.simulator.advance(minutes=0)  # the hour's budget is full again
        begun = len(self.simulator.log)
        text = f"refresh{' full' if step.full else ''}{f' of {scopes[0]}' if scopes else ''}"
        self.tell(text)
        was_hidden, self.is_hidden = self.is_hidden, False
        for number, change in step.during:
            self.simulator.before_request(number, functools.partial(self.step, change))
        self.simulator.faults = [Fault(kind, after=after) for kind, after in step.faults]
        organization = self.simulator.organization
        there = list(organization.repositories)
        if step.lost is not None and self.history.source != "linear":
            number, when = step.lost
            self.simulator.before_request(when, lambda: organization.repositories.remove(there[number % len(there)]))
            self.tell(f"… which loses {there[number % len(there)].full_name} from sight at request {when}")
        loads: int | None = None
        is_plain = not (step.full or scopes or step.during or step.faults or step.lost or step.ends)
        if is_plain and self.refreshes % 2 == 0:  # as often with a look before it as without
            loads = self.loads_after_quiet_look(request)
        error: str | None = None
        if step.ends is None:
            outcomes = refresh(self.entry, self.settings, self.folder / "grown", request)
            error = next((outcome.error for outcome in outcomes if outcome.error), None)
            is_complete = error is None
            ending = f" with {error}" if error else ""
        else:
            is_complete = self.cut_short(request, step.ends)
            ending = "" if is_complete else f" by {step.ends[0]} at a {step.ends[1]}"
        if loads is not None and loads != self.loads():
            raise DifferenceError("a look finds nothing, and the refresh after it does")
        self.simulator.forget_plans()
        self.simulator.faults = []
        organization.repositories[:] = there
        if step.full and is_complete and not scopes and not self.is_interrupted and len(self.configured) == len(NAMES):
            was_hidden = False
        self.is_hidden = self.is_hidden or was_hidden
        if step.full and not is_complete:
            self.is_interrupted = True
        self.tell(f"… ended after {len(self.simulator.log) - begun} requests{ending}")
        if error and not step.faults and not step.during and not step.lost:
            raise DifferenceError(f"a refresh fails: {error}")

    def loads(self) -> int:
        """How many loads there were."""
        with connect(Home(self.folder / "grown"), read_only=True) as connection:
            [(count,)] = connection.execute(f"select count(*) from {self.entry.dataset}._dlt_loads").fetchall()
        return int(count)

    def loads_after_quiet_look(self, request: RefreshRequest) -> int | None:
        """How many loads there were when a look found nothing new; None where it found something."""
        outcomes = look(self.entry, self.settings, Home(self.folder / "grown"), request)
        self.simulator.advance(minutes=0)
        return None if outcomes is None else self.loads()

    def cut_short(self, request: RefreshRequest, ends: tuple[str, str, int]) -> bool:
        """Refresh in a process of its own that does not come to its end; whether it came there all the same."""
        how, where, number = ends
        code = signal.SIGKILL if how == "kill" else signal.SIGINT
        process = FORKSERVER.Process(
            target=_refresh_and_die,
            args=(
                self.history,
                self.simulator.environment(),
                self.names,
                str(self.folder / "grown"),
                request,
                number if where == "statement" else None,
                int(code),
            ),
        )

        def end() -> None:
            while process.pid is None:
                time.sleep(0.001)
            os.kill(process.pid, code)

        if where == "request":
            self.simulator.before_request(number, end)
        process.start()
        process.join(60)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise DifferenceError("a refresh that was interrupted does not end")
        return process.exitcode == 0

    # -- the end

    def finish(self) -> None:
        """Bring the warehouse up to date as anybody would, and compare it with one that was filled now."""
        self.refresh(Refresh())
        if self.is_hidden:
            self.refresh(Refresh(full=True))
            if self.is_interrupted:
                # the one before went on from where an earlier one had been interrupted
                self.refresh(Refresh(full=True))
        shutil.copytree(_empty(self.entry), self.folder / "fresh")
        self.simulator.page_limit = None
        outcomes = refresh(self.entry, self.settings, self.folder / "fresh", RefreshRequest(full=True))
        for outcome in outcomes:
            if outcome.error:
                raise DifferenceError(f"the full refresh fails: {outcome.error}")
        compare(self)


_EMPTY: dict[str, Path] = {}


def _empty(entry: SourceEntry) -> Path:
    """A folder whose warehouse has all tables and no row: what every history begins with."""
    if entry.name not in _EMPTY:
        folder = Path(tempfile.mkdtemp(prefix="veelocity-empty-"))
        (folder / "dlt").mkdir()
        prepare(entry, make_pipeline(entry, Home(folder)))
        shutil.rmtree(folder / "dlt")
        (folder / "dlt").mkdir()
        _EMPTY[entry.name] = folder
    return _EMPTY[entry.name]


def run(history: History, folder: Path) -> World:
    """Let a history happen.

    Raises:
        DifferenceError: with the whole story, where the warehouse is not as it ought to be.
    """
    with made_small(history), Simulator(size="tiny", page_limit=history.page) as simulator:
        shutil.copytree(_empty(SOURCES[history.source]), folder / "grown")
        world = World(history, folder, simulator)
        for step in FOUNDING[history.source]:
            world.step(step)
        try:
            for step in history.steps:
                world.step(step)
            world.finish()
        except (DifferenceError, LoadError) as error:
            raise DifferenceError("\n".join(["", *world.told, "", str(error), "", repr(history)])) from None
    return world


# ---------------------------------------------------------------------------------------------- comparison


Row = dict[str, Any]


PARENTS = {
    "pull_request_id": "pull_requests",
    "commit_id": "commits",
    "issue_id": "issues",
    "deployment_id": "deployments",
}
"""The table of the things that have children, by the column that says whose child one is."""


def rows_of(folder: Path, entry: SourceEntry) -> dict[str, list[Row]]:
    content = {}
    with duckdb.connect(str(Home(folder).working), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        for name, table in entry.tables.items():
            columns = ", ".join(f'"{column}"' for column in table.columns)
            found = connection.execute(f"select {columns} from {entry.dataset}.{name}").fetchall()
            content[name] = [dict(zip(table.columns, values, strict=True)) for values in found]
    return content


def compare(world: World) -> None:
    """Every current row of every table is in both, and those that are marked as gone are only in one."""
    grown = rows_of(world.folder / "grown", world.entry)
    fresh = rows_of(world.folder / "fresh", world.entry)
    problems: list[str] = []
    for name, table in world.entry.tables.items():
        keys = table.primary_key
        gone = [row for row in grown[name] if row.get("deleted_at") is not None]
        current = [row for row in grown[name] if row.get("deleted_at") is None]
        # What belonged to something that is gone stays with it.
        parents = PARENTS.get(table.merge_key, "")
        lost = {row["id"] for row in grown.get(parents, ()) if row.get("deleted_at") is not None}
        current = [row for row in current if row.get(table.merge_key) not in lost]
        current = [row for row in current if not _is_kept(world, name, row, grown, fresh)]
        if any(row.get("deleted_at") is not None for row in fresh[name]):
            problems.append(f"{name}: a first load marks rows as gone")
        if keys:
            there = {tuple(row[key] for key in keys) for row in fresh[name]}
            problems += [
                f"{name}: marked as gone, and there: {row}" for row in gone if tuple(row[key] for key in keys) in there
            ]
        found = _differences(name, keys, current, fresh[name])
        if name == "deployed_commits":
            # Whatever was deployed once is kept, whether or not something still says so.
            found = [problem for problem in found if "too many" not in problem]
        problems += found
    problems += _against_the_truth(world, fresh)
    if problems:
        raise DifferenceError("\n".join(problems[:12]))


def _differences(name: str, keys: tuple[str, ...], grown: list[Row], fresh: list[Row]) -> list[str]:
    if not keys:
        one, other = (sorted(map(repr, rows)) for rows in (grown, fresh))
        if one == other:
            return []
        return [f"{name}: too many: {row}" for row in _minus(one, other)] + [
            f"{name}: missing: {row}" for row in _minus(other, one)
        ]
    problems = []
    by_key = {tuple(row[key] for key in keys): row for row in fresh}
    seen = set()
    for row in grown:
        key = tuple(row[column] for column in keys)
        if key in seen:
            problems.append(f"{name}: twice: {row}")
        seen.add(key)
        other_row = by_key.get(key)
        if other_row is None:
            problems.append(f"{name}: too many: {row}")
        elif other_row != row:
            different = {column: (row[column], other_row[column]) for column in row if row[column] != other_row[column]}
            problems.append(f"{name} {key}: (followed, fresh): {different}")
    problems += [f"{name}: missing: {by_key[key]}" for key in by_key.keys() - seen]
    return problems


def _minus(one: list[str], other: list[str]) -> list[str]:
    left = list(one)
    for row in other:
        if row in left:
            left.remove(row)
    return left


def _is_kept(world: World, table: str, row: Row, grown: dict[str, list[Row]], fresh: dict[str, list[Row]]) -> bool:
    """What is rightly in the warehouse that followed alone: of repositories and teams that are read no more, and runs
    that are older than any that GitHub still has."""
    if world.history.source == "linear":
        # A team that is gone looks like one that the key may no longer read.
        teams = {each["id"] for each in fresh["teams"]}
        if table == "teams":
            return row["id"] not in teams
        if "team_id" in row:
            return row["team_id"] is not None and row["team_id"] not in teams
        if "issue_id" in row:
            lost = {each["id"] for each in grown["issues"] if each["team_id"] not in teams}
            return row["issue_id"] in lost
        return False
    repositories = {each.id for each in _configured(world)}
    if row["id" if table == "repositories" else "repository_id"] not in repositories:
        return True
    if world.history.source == "github_actions" and table != "workflows":
        visible = [each["created_at"] for each in fresh["runs"] if each["repository_id"] == row["repository_id"]]
        run = next((each for each in grown["runs"] if each["id"] == row["id" if table == "runs" else "run_id"]), None)
        if run is None:
            return False
        if table == "jobs" and run["head_branch"] != _default_branches(world)[row["repository_id"]]:
            # Read while the branch that has another name now was the default one, and true as they were.
            return True
        return not visible or run["created_at"] < min(visible)
    return False


def _default_branches(world: World) -> dict[str, str]:
    return {each.id: each.default_branch for each in _configured(world)}


def _configured(world: World) -> list[Any]:
    found = (world.simulator.organization.repository(name) for name in world.names)
    return [each for each in found if each is not None]


def _against_the_truth(world: World, fresh: dict[str, list[Row]]) -> list[str]:
    """The main things, with their times, as the organisation itself knows them."""
    expected: dict[str, set[tuple[Any, ...]]] = {}
    organization = world.simulator.organization
    if world.history.source == "linear":
        expected["issues"] = {(each.id, _exact(each.updated_at)) for each in organization.workspace.issues}
        expected["teams"] = {(each.id, _exact(each.updated_at)) for each in organization.workspace.teams}
        children = {(comment.id,) for each in organization.workspace.issues for comment in each.comments
                    if comment.archived_at is None}  # fmt: skip
        kept = {(row["id"],) for row in fresh["comments"]}
        if not children <= kept:
            return [f"comments: missing {children - kept}"]
    elif world.history.source == "github_actions":
        expected["runs"] = {(run.id, _exact(run.last.updated_at)) for each in _configured(world) for run in each.runs}
    else:
        expected["pull_requests"] = {
            (one.id, _exact(one.updated_at)) for each in _configured(world) for one in each.pull_requests
        }
        expected["issues"] = {(one.id, _exact(one.updated_at)) for each in _configured(world) for one in each.issues}
        expected["releases"] = {
            (one.id, _exact(one.updated_at)) for each in _configured(world) for one in each.releases
        }
        expected["deployments"] = {
            (one.id, _exact(one.updated_at)) for each in _configured(world) for one in each.deployments
        }
    problems = []
    for table, facts in expected.items():
        found = {(row["id"], row["updated_at"]) for row in fresh[table]}
        if found != facts:
            problems.append(f"{table}: the full refresh itself differs from the truth: {found ^ facts}")
    return problems


def _exact(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
