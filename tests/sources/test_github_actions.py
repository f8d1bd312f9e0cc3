"""GitHub Actions against a small fake of its REST API, and the shapes of its rows."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from veelocity_pipeline.config.sections import Deployments, Service
from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.sources.github.provider import GITHUB
from veelocity_pipeline.sources.github_actions import ENTRY, shape
from veelocity_pipeline.sources.github_actions.connector import GitHubActionsConnector
from veelocity_pipeline.sources.kit.connector import Chunk, Known, RefreshRequest, Scope
from veelocity_pipeline.sources.kit.http.client import Client
from veelocity_pipeline.sources.kit.http.errors import AuthenticationError, BadAnswerError, NotFoundError
from veelocity_pipeline.sources.kit.tables import Row

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SCOPE = Scope("R_web", "acme/web", "acme/web", {"node": {"defaultBranchRef": {"name": "main"}}})
REPOSITORY = {"id": 7, "node_id": "R_old_format", "full_name": "acme/web"}


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def run_node(number: int, created: datetime, **changes: Any) -> dict[str, Any]:
    """A run as the API has it, trimmed to what matters and a little more."""
    return {
        "id": number,
        "node_id": f"WFR_{number}",
        "name": "CI",
        "path": ".github/workflows/ci.yml",
        "display_title": f"Change {number}",
        "run_number": number,
        "run_attempt": 1,
        "event": "push",
        "status": "completed",
        "conclusion": "success",
        "workflow_id": 11,
        "head_sha": f"{number:040x}",
        "head_branch": "main",
        "head_repository": REPOSITORY,
        "repository": REPOSITORY,
        "actor": {"login": "ada", "type": "User"},
        "html_url": f"https://github.example/acme/web/actions/runs/{number}",
        "created_at": text(created),
        "run_started_at": text(created),
        "updated_at": text(created + timedelta(minutes=5)),
        **changes,
    }


class FakeActions:
    """One repository's Actions: filters, pages, caps and ETags as GitHub has them."""

    def __init__(self, runs: Iterable[dict[str, Any]] = ()) -> None:
        self.runs = {run["id"]: run for run in runs}
        self.attempts: dict[tuple[int, int], dict[str, Any]] = {}
        self.jobs: dict[int, list[dict[str, Any]]] = {}
        self.tags = {"v1"}
        self.workflows = [
            {
                "id": 11,
                "node_id": "W_11",
                "name": "CI",
                "path": ".github/workflows/ci.yml",
                "state": "active",
                "html_url": "https://github.example/acme/web/blob/main/.github/workflows/ci.yml",
                "created_at": "2025-01-01T00:00:00Z",
                "updated_at": "2025-01-01T00:00:00Z",
            }
        ]
        self.now = NOW
        self.has_actions = True
        self.has_repository = True
        self.log: list[tuple[int, httpx.URL]] = []
        self.stop_after: int | None = None

    def client(self) -> Client:
        return Client(
            "https://github.example/api/v3",
            "https://github.example/api/graphql",
            [SecretStr("token")],
            transport=httpx.MockTransport(self.answer),
            sleep=lambda _seconds: None,
            provider=GITHUB,
        )

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.stop_after is not None and len(self.log) >= self.stop_after:
            return self._send(request, 401, {"message": "Bad credentials"})
        if request.url.path.endswith("/graphql"):
            self.log.append((200, request.url))
            asked = json.loads(request.content)["variables"]
            names = {f"t{key[1:]}": value for key, value in asked.items() if value.startswith("refs/tags/")}
            found = {key: {"name": name[10:]} if name[10:] in self.tags else None for key, name in names.items()}
            return httpx.Response(200, json={"data": {"repository": {"id": "R_web", **found}}}, request=request)
        path = request.url.path.removeprefix("/api/v3/repos/acme/web")
        if not self.has_repository or (path and not self.has_actions):
            return self._send(request, 404, {"message": "Not Found"})
        if not path:
            return self._send(request, 200, {"id": 7, "full_name": "acme/web"})
        if path == "/actions/workflows":
            return self._list(request, "workflows", self.workflows)
        if path == "/actions/runs":
            return self._runs(request)
        if match := re.fullmatch(r"/actions/runs/(\d+)", path):
            return self._one(request, self.runs.get(int(match[1])))
        if match := re.fullmatch(r"/actions/runs/(\d+)/attempts/(\d+)", path):
            return self._one(request, self.attempts.get((int(match[1]), int(match[2]))))
        if match := re.fullmatch(r"/actions/runs/(\d+)/jobs", path):
            assert request.url.params["filter"] == "all"
            return self._list(request, "jobs", self.jobs.get(int(match[1]), []))
        raise AssertionError(f"unexpected {request.url}")

    def _runs(self, request: httpx.Request) -> httpx.Response:
        created = request.url.params["created"]
        if created.startswith(">="):
            low, high = created[2:], "9999"
        else:
            low, high = created.split("..")
        chosen = [run for run in self.runs.values() if low <= run["created_at"] <= high]
        chosen.sort(key=lambda run: (run["created_at"], run["id"]), reverse=True)
        return self._list(request, "workflow_runs", chosen[:1000], len(chosen))

    def _list(
        self, request: httpx.Request, key: str, items: list[dict[str, Any]], total: int | None = None
    ) -> httpx.Response:
        size, page = int(request.url.params["per_page"]), int(request.url.params.get("page", 1))
        body = {"total_count": len(items) if total is None else total, key: items[(page - 1) * size : page * size]}
        headers = {}
        if page * size < len(items):
            headers["Link"] = f'<{request.url.copy_set_param("page", page + 1)}>; rel="next"'
        return self._send(request, 200, body, headers)

    def _one(self, request: httpx.Request, node: dict[str, Any] | None) -> httpx.Response:
        return self._send(request, 200, node) if node else self._send(request, 404, {"message": "Not Found"})

    def _send(
        self, request: httpx.Request, status: int, body: Any, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        content = json.dumps(body).encode()
        tag = f'"{hashlib.sha256(content).hexdigest()}"'
        headers = {"Date": format_datetime(self.now, usegmt=True), "ETag": tag, **(headers or {})}
        if status == 200 and request.headers.get("If-None-Match") == tag:
            status, content = 304, b""
        self.log.append((status, request.url))
        return httpx.Response(status, content=content, headers=headers, request=request)

    def counted(self) -> dict[int, int]:
        """How many answers there were of each status, since the last time this was asked."""
        counts: dict[int, int] = {}
        for status, _ in self.log:
            counts[status] = counts.get(status, 0) + 1
        self.log.clear()
        return counts


class Store(Known):
    """What chunks leave behind: rows by table and key, and the mark."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[tuple[Any, ...], Row]] = {name: {} for name in ENTRY.tables}
        self.mark: dict[str, Any] = {}
        self.loaded = 0

    def take(self, chunks: Iterable[Chunk]) -> None:
        for chunk in chunks:
            for name, rows in chunk.rows.items():
                for row in rows:
                    key = [column for column in ENTRY.tables[name].primary_key if column != "repository_id"]
                    self.tables[name][tuple(row[column] for column in key)] = row
                    self.loaded += 1
            for name, ids in chunk.listed.items():
                for row in self.tables[name].values():
                    if row["id"] not in ids:
                        row["deleted_at"] = NOW
            if chunk.mark is not None:
                self.mark = json.loads(json.dumps(chunk.mark))

    def values(self, table: str, column: str, scope_id: str) -> set[Any]:
        return {row[column] for row in self.tables[table].values()}

    def rows(self, table: str, columns: Iterable[str], scope_id: str, where: str = "") -> list[Row]:
        names = list(columns)
        found = list(self.tables[table].values())
        for condition in where.split(" and ") if where else ():
            if chosen := re.fullmatch(r"(id|run_id) in \(([\d, ]+)\)", condition):
                wanted = {int(number) for number in chosen[2].split(", ")}
                found = [row for row in found if row[chosen[1]] in wanted]
            else:
                assert condition == "deleted_at is null"
                found = [row for row in found if row["deleted_at"] is None]
        return [{name: row[name] for name in names} for row in found]


def settings(**changes: Any) -> Settings:
    return Settings.model_construct(
        **{**Settings.model_construct().__dict__, "github_repositories": ("acme/web",), **changes}
    )


def refresh(server: FakeActions, store: Store, full: bool = False, since: date | None = None, **changes: Any) -> None:
    connector = GitHubActionsConnector(settings(**changes), server.client())
    request = RefreshRequest(full=full, since=since)
    store.take(connector.read(SCOPE, json.loads(json.dumps(store.mark)), request, store))


def expected(server: FakeActions) -> dict[tuple[int], Row]:
    return {(number,): shape.run_row(run, SCOPE.id) for number, run in server.runs.items()}


def every(count: int, step: timedelta, start: datetime, first: int = 1) -> list[dict[str, Any]]:
    return [run_node(first + number, start + step * number) for number in range(count)]


# ----------------------------------------------------------------------------------------------- shape


def test_a_run_as_a_row() -> None:
    row = shape.run_row(run_node(5, datetime(2026, 5, 1, 10, tzinfo=UTC)), "R_web")
    assert row["id"] == 5
    assert row["repository_id"] == row["head_repository_id"] == "R_web"
    assert row["head_repository"] == "acme/web"
    assert (row["actor_login"], row["actor_type"]) == ("ada", "User")
    assert row["updated_at"] == datetime(2026, 5, 1, 10, 5, tzinfo=UTC)
    assert set(row) == set(ENTRY.tables["runs"].columns)


def test_a_run_of_deleted_things_has_nulls() -> None:
    node = run_node(5, NOW, head_repository=None, actor=None, name=None, head_branch=None, conclusion=None)
    node["status"] = "queued"
    row = shape.run_row(node, "R_web")
    empty = ("head_repository_id", "head_repository", "actor_login", "actor_type", "name", "head_branch", "conclusion")
    assert [row[column] for column in empty] == [None] * 7


def test_a_forks_run_is_told_from_our_own() -> None:
    fork = {"id": 8, "node_id": "R_fork", "full_name": "eve/web"}
    row = shape.run_row(run_node(5, NOW, head_repository=fork), "R_web")
    assert (row["head_repository_id"], row["head_repository"]) == ("R_fork", "eve/web")


def test_an_attempt_and_a_job_as_rows() -> None:
    attempt = shape.attempt_row(run_node(5, NOW, run_attempt=2), "R_web")
    assert (attempt["run_id"], attempt["run_attempt"]) == (5, 2)
    assert set(attempt) == set(ENTRY.tables["run_attempts"].columns)
    job = shape.job_row(job_node(9, 5, "deploy", conclusion=None, completed_at=None, html_url=None), "R_web")
    assert (job["completed_at"], job["url"], job["conclusion"]) == (None, None, None)
    assert set(job) == set(ENTRY.tables["jobs"].columns)


def job_node(number: int, run: int, name: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "run_id": run,
        "run_attempt": 1,
        "name": name,
        "status": "completed",
        "conclusion": "success",
        "html_url": f"https://github.example/acme/web/actions/runs/{run}/job/{number}",
        "started_at": text(NOW),
        "completed_at": text(NOW),
        **changes,
    }


# ------------------------------------------------------------------------------------------- first load


def test_a_quiet_repository_costs_three_requests() -> None:
    server, store = FakeActions(every(100, timedelta(days=3), NOW - timedelta(days=300))), Store()
    refresh(server, store)
    assert store.tables["runs"] == expected(server)
    assert store.tables["workflows"][(11,)]["name"] == "CI"
    assert server.counted() == {200: 3}
    before = store.mark
    store.loaded = 0
    server.now += timedelta(hours=1)
    refresh(server, store)
    # The workflows, one window and the open one: all unchanged, all free.
    assert server.counted() == {304: 3}
    assert store.loaded == 0
    assert store.mark == before


def test_an_empty_repository() -> None:
    server, store = FakeActions(), Store()
    refresh(server, store)
    assert store.tables["runs"] == {}
    server.runs = {1: run_node(1, NOW + timedelta(minutes=1))}
    server.now += timedelta(hours=1)
    refresh(server, store)
    assert store.tables["runs"] == expected(server)


def test_a_busy_repository_is_read_whole_at_one_request_per_hundred_runs() -> None:
    # A burst, a quiet year, and a steady flow.
    runs = [
        *every(1500, timedelta(seconds=20), NOW - timedelta(days=700)),
        *every(3000, timedelta(minutes=20), NOW - timedelta(days=50), first=10_000),
    ]
    server, store = FakeActions(runs), Store()
    refresh(server, store)
    assert store.tables["runs"] == expected(server)
    # 45 full pages, and what it takes to find the windows.
    assert sum(server.counted().values()) <= 45 + 25
    server.now += timedelta(minutes=1)
    store.loaded = 0
    refresh(server, store)
    counts = server.counted()
    assert set(counts) == {304}
    # 35 of the 42 days' runs, 2,520, in pages of 100, with partly filled ones at the windows' ends.
    assert counts[304] <= 45
    assert store.loaded == 0


def test_more_runs_in_one_second_than_can_be_listed_fail_by_name() -> None:
    runs = every(1001, timedelta(0), NOW - timedelta(days=90))
    server, store = FakeActions([*runs, run_node(5000, NOW - timedelta(days=1))]), Store()
    with pytest.raises(BadAnswerError, match=r"acme/web has 1,001 workflow runs .*2026-03-03T12:00:00Z"):
        refresh(server, store)
    # What was read before that stays.
    assert (5000,) in store.tables["runs"]


def test_a_thousand_runs_in_one_second_are_read() -> None:
    server, store = FakeActions(every(1000, timedelta(0), NOW - timedelta(days=90))), Store()
    refresh(server, store)
    assert len(store.tables["runs"]) == 1000


def test_an_interrupted_first_load_goes_on_where_it_was() -> None:
    server, store = FakeActions(every(4000, timedelta(minutes=20), NOW - timedelta(days=60))), Store()
    for refreshes in range(1, 3):
        server.stop_after = len(server.log) + 15
        with pytest.raises(AuthenticationError):
            refresh(server, store)
        assert store.mark["open"] is None
        # One that was read already is run again in between.
        server.now += timedelta(minutes=7)
        server.runs[3990] |= {"run_attempt": refreshes + 1, "updated_at": text(server.now)}
    server.stop_after = None
    server.counted()
    refresh(server, store)
    assert store.tables["runs"] == expected(server)
    # Of forty pages those that were left, and the two windows again of which a part had been read; the others, asked
    # again, cost nothing.
    assert server.counted()[200] <= 32


def test_start_date_leaves_out_what_ended_before() -> None:
    runs = [
        run_node(1, datetime(2026, 2, 1, tzinfo=UTC)),
        # Created before and run again after.
        run_node(2, datetime(2026, 2, 20, tzinfo=UTC), updated_at="2026-03-05T00:00:00Z", run_attempt=2),
        run_node(3, datetime(2026, 2, 20, tzinfo=UTC), status="in_progress", conclusion=None),
        run_node(4, datetime(2026, 3, 1, tzinfo=UTC)),
        run_node(5, datetime(2020, 3, 1, tzinfo=UTC)),
    ]
    server, store = FakeActions(runs), Store()
    refresh(server, store, start_date=date(2026, 3, 1))
    assert set(store.tables["runs"]) == {(2,), (3,), (4,)}
    assert not any("2020" in str(url) or "2008" in str(url) for _, url in server.log)
    # An earlier start uncovers the rest.
    refresh(server, store, start_date=None)
    assert store.tables["runs"] == expected(server)


def test_a_backfill_asks_only_for_windows_in_which_something_may_have_ended_since() -> None:
    server, store = FakeActions(every(400, timedelta(days=1), NOW - timedelta(days=399))), Store()
    refresh(server, store)
    before = {key: dict(row) for key, row in store.tables["runs"].items()}
    since = (NOW - timedelta(days=100)).date()
    created = {number: datetime.fromisoformat(run["created_at"]) for number, run in server.runs.items()}
    # A run lasts 65 days at most, from its creation to the end of its last attempt.
    again = {number for number, moment in created.items() if moment >= NOW - timedelta(days=160)}
    old = {number for number, moment in created.items() if moment < NOW - timedelta(days=170)}
    for run in server.runs.values():
        run["display_title"] = "renamed"
    gone = max(again)
    del server.runs[gone]
    server.log.clear()
    refresh(server, store, full=True, since=since)
    after = store.tables["runs"]
    assert all(after[(number,)] == shape.run_row(server.runs[number], SCOPE.id) for number in again - {gone})
    assert all(after[(number,)] == before[(number,)] for number in old)
    assert [key for key, row in after.items() if row["deleted_at"]] == [(gone,)]
    # The next increment is none of all.
    server.counted()
    refresh(server, store)
    assert server.counted().get(200, 0) <= 1


# -------------------------------------------------------------------------------------------- increments


def test_new_changed_and_rerun_ones_are_found() -> None:
    server, store = FakeActions(every(1800, timedelta(minutes=30), NOW - timedelta(days=37))), Store()
    refresh(server, store)
    server.counted()
    store.loaded = 0
    server.now += timedelta(hours=2)
    # One created 29 days ago is run again, and over; one is new and not over.
    old = next(run for run in server.runs.values() if run["created_at"] > text(NOW - timedelta(days=29)))
    old |= {"run_attempt": 2, "run_started_at": text(server.now), "updated_at": text(server.now)}
    server.runs[9000] = run_node(9000, NOW + timedelta(hours=1), status="in_progress", conclusion=None)
    refresh(server, store)
    assert store.tables["runs"] == expected(server)
    counts = server.counted()
    # The page of the old one and the open window.
    assert counts[200] == 2
    assert store.loaded == 2
    server.runs[9000] |= {"status": "completed", "conclusion": "failure", "updated_at": text(server.now)}
    refresh(server, store)
    assert store.tables["runs"] == expected(server)


def test_a_grown_open_window_is_closed() -> None:
    server, store = FakeActions(every(10, timedelta(hours=1), NOW - timedelta(days=2))), Store()
    refresh(server, store)
    for day in range(1, 40):
        server.now = NOW + timedelta(days=day)
        server.runs |= {
            run["id"]: run for run in every(60, timedelta(minutes=10), server.now - timedelta(hours=20), day * 1000)
        }
        refresh(server, store)
    assert store.tables["runs"] == expected(server)
    server.counted()
    refresh(server, store)
    counts = server.counted()
    assert set(counts) == {304}
    # 35 days of 60 runs on pages of a hundred or so; what is older is not asked any more.
    assert counts[304] <= 40


@pytest.mark.parametrize("is_first", [True, False], ids=["first", "increment"])
def test_a_read_that_is_cut_off_anywhere_goes_on_at_the_page(is_first: bool) -> None:
    """Within a window too, whose pages have jobs to be asked for."""

    def world() -> tuple[FakeActions, Store]:
        server, store = FakeActions(every(20, timedelta(hours=1), NOW - timedelta(days=30))), Store()
        if not is_first:
            refresh(server, store, **rules)
        server.now = NOW + timedelta(days=60)
        more = [deploying(1000 + number, NOW + timedelta(minutes=80 * number)) for number in range(1050)]
        server.runs |= {run["id"]: run for run in more}
        server.jobs = {run["id"]: [job_node(run["id"] * 10, run["id"], "deploy")] for run in more}
        server.counted()
        return server, store

    rules: dict[str, Any] = {"deployments": Deployments(job_patterns=("deploy",))}
    server, store = world()
    refresh(server, store, **rules)
    clean, count = store.tables, len(server.log)
    assert count > 1_000
    for cut in (30, count // 4, count // 2, count - 40):
        server, store = world()
        server.stop_after = cut
        with pytest.raises(AuthenticationError):
            refresh(server, store, **rules)
        server.stop_after, before = None, len(server.log)
        refresh(server, store, **rules)
        # The page that was being read with its hundred jobs, and the pages of a window of which a part was read.
        assert len(server.log) - before <= count - cut + 115
        assert store.tables == clean


def test_an_unfinished_run_is_asked_for_by_id_until_it_ends() -> None:
    waiting = run_node(1, NOW - timedelta(days=20), status="waiting", conclusion=None)
    server, store = FakeActions([waiting, run_node(2, NOW - timedelta(days=1))]), Store()
    refresh(server, store)
    server.now += timedelta(days=40)
    refresh(server, store)
    server.now += timedelta(days=2)
    waiting |= {"status": "completed", "conclusion": "success", "updated_at": text(server.now)}
    refresh(server, store)
    assert store.tables["runs"] == expected(server)
    assert any(url.path.endswith("/actions/runs/1") for _, url in server.log)
    server.log.clear()
    refresh(server, store)
    assert not any(url.path.endswith("/actions/runs/1") for _, url in server.log)


def test_an_unfinished_run_that_was_deleted_is_forgotten() -> None:
    server, store = FakeActions([run_node(1, NOW - timedelta(days=20), status="queued", conclusion=None)]), Store()
    refresh(server, store)
    del server.runs[1]
    for days in (40, 42):
        server.now = NOW + timedelta(days=days)
        refresh(server, store)
    assert store.mark["unfinished"] == {}
    assert (1,) in store.tables["runs"]


def test_a_full_refresh_heals_and_keeps_what_expired() -> None:
    server, store = FakeActions(every(30, timedelta(days=1), NOW - timedelta(days=31))), Store()
    refresh(server, store)
    store.tables["runs"][(5,)] = {**store.tables["runs"][(5,)], "conclusion": "wrong"}
    gone = shape.run_row(server.runs.pop(1), SCOPE.id)
    refresh(server, store, full=True)
    assert store.tables["runs"] == {**expected(server), (1,): gone}


def test_a_renamed_repository_is_read_again() -> None:
    server, store = FakeActions(every(5, timedelta(days=1), NOW - timedelta(days=10))), Store()
    refresh(server, store)
    store.mark["name"] = "acme/former"
    for run in server.runs.values():
        run["html_url"] = run["html_url"].replace("web", "site")
    refresh(server, store)
    assert store.tables["runs"] == expected(server)
    assert store.mark["name"] == "acme/web"


# ------------------------------------------------------------------------------------ attempts and jobs


def deploying(number: int, created: datetime, **changes: Any) -> dict[str, Any]:
    return run_node(number, created, **{"name": "Deploy", "path": ".github/workflows/deploy.yml", **changes})


def test_earlier_attempts_of_deploying_runs_only() -> None:
    created = NOW - timedelta(days=3)
    server = FakeActions(
        [run_node(1, created, run_attempt=3), deploying(2, created, run_attempt=3), deploying(3, created)]
    )
    server.attempts = {(2, number): deploying(2, created, run_attempt=number) for number in (1, 2)}
    store = Store()
    refresh(server, store)
    assert set(store.tables["run_attempts"]) == {(2, 1), (2, 2)}
    assert not any("/runs/1/attempts" in str(url) for _, url in server.log)
    # Run again: only the attempt that is new is asked for.
    server.log.clear()
    server.attempts[(2, 3)] = {**server.runs[2]}
    server.runs[2] |= {"run_attempt": 4, "updated_at": text(NOW)}
    refresh(server, store)
    assert set(store.tables["run_attempts"]) == {(2, 1), (2, 2), (2, 3)}
    assert [url.path[-10:] for _, url in server.log if "attempts" in url.path] == ["attempts/3"]


def test_a_check_never_deploys_whatever_it_is_called() -> None:
    created = NOW - timedelta(days=3)
    fork = {"id": 8, "node_id": "R_fork", "full_name": "eve/web"}
    server, store = (
        FakeActions(
            [
                deploying(1, created, run_attempt=2, event="pull_request"),
                deploying(2, created, run_attempt=2, head_repository=fork),
                deploying(3, created, run_attempt=2, head_repository=None),
            ]
        ),
        Store(),
    )
    refresh(server, store)
    assert not any("attempts" in str(url) for _, url in server.log)


def test_an_attempt_that_is_gone_is_left_out() -> None:
    server, store = FakeActions([deploying(2, NOW - timedelta(days=3), run_attempt=2)]), Store()
    refresh(server, store)
    assert store.tables["run_attempts"] == {}
    assert (2,) in store.tables["runs"]


def test_jobs_where_a_rule_looks_at_them() -> None:
    created = NOW - timedelta(days=3)
    server = FakeActions(
        [
            run_node(1, created),
            run_node(2, created, event="pull_request"),
            run_node(3, created, run_attempt=2, head_branch="v1"),
            run_node(4, created, head_branch="ada/fix"),
            run_node(5, created, head_branch=None),
        ]
    )
    server.jobs = {
        4: [job_node(600, 4, "deploy")],
        1: [job_node(number, 1, f"test {number}") for number in range(130)],
        3: [
            job_node(500, 3, "Deploy to production", run_attempt=1),
            job_node(501, 3, "Deploy to production", run_attempt=2),
        ],
    }
    server.attempts = {(3, 1): run_node(3, created)}
    without = Store()
    refresh(server, without)
    assert without.tables["jobs"] == {}
    rules: dict[str, Any] = {"deployments": Deployments(job_patterns=("deploy",))}
    store = Store()
    refresh(server, store, **rules)
    assert set(store.tables["jobs"]) == {(number,) for number in range(130)} | {(500,), (501,)}
    assert set(store.tables["run_attempts"]) == {(3, 1)}
    assert sorted(url.path.split("/")[-2] for _, url in server.log if url.path.endswith("/jobs")) == ["1", "1", "3"]
    assert sum(url.path.endswith("/graphql") for _, url in server.log) == 1
    # A full refresh does not ask again what has ended and did not change.
    server.log.clear()
    refresh(server, store, full=True, **rules)
    assert not any(url.path.endswith("/jobs") for _, url in server.log)
    # A rule that comes later finds what is loaded.
    refresh(server, without, **rules)
    assert without.tables == store.tables
    server.counted()
    refresh(server, without, **rules)
    assert set(server.counted()) == {304}


def test_a_services_rules_count_too() -> None:
    server = FakeActions([run_node(3, NOW - timedelta(days=1), name="Ship checkout", run_attempt=2)])
    server.attempts = {(3, 1): run_node(3, NOW - timedelta(days=1), name="Ship checkout")}
    store = Store()
    service = Service(name="checkout", repository="acme/web", workflow_patterns=("ship checkout",))
    refresh(server, store, services=(service,))
    assert set(store.tables["run_attempts"]) == {(3, 1)}


def test_jobs_tell_which_attempt_of_a_deploying_run_deployed_and_when_an_odd_one_ended() -> None:
    """On the default branch, a tag or a branch of the settings: 2, 3 (v1), 5 and 6."""
    created = NOW - timedelta(days=60)
    odd = {"updated_at": text(created + timedelta(days=35, seconds=1))}
    server = FakeActions(
        [
            deploying(1, created),
            deploying(2, created, run_attempt=2),
            deploying(3, created, run_attempt=2, head_branch="v1"),
            deploying(4, created, run_attempt=2, head_branch="ada/fix"),
            deploying(5, created, run_attempt=2, head_branch="stable/2"),
            deploying(6, created, **odd),
            deploying(7, created, updated_at=text(created + timedelta(days=35))),
            run_node(8, created, run_attempt=2, **odd),
            deploying(9, created, run_attempt=2, event="pull_request"),
        ]
    )
    server.jobs = {run: [job_node(100 * run, run, "a job")] for run in server.runs}
    store = Store()
    refresh(server, store, deployments=Deployments(branches=("stable/*",)))
    assert {row["run_id"] for row in store.tables["jobs"].values()} == {2, 3, 5, 6}


def test_a_plausible_end_outlasts_a_later_touch() -> None:
    """Until the run is run again: that attempt has an end of its own."""
    created = NOW - timedelta(days=3)
    server, store = FakeActions([deploying(1, created)]), Store()
    refresh(server, store)
    ended = store.tables["runs"][1,]["updated_at"]
    server.now = NOW + timedelta(days=60)
    server.runs[1]["updated_at"] = text(server.now)
    refresh(server, store, full=True)
    assert store.tables["runs"][1,]["updated_at"] == ended
    server.runs[1] |= {"run_attempt": 2, "run_started_at": text(server.now - timedelta(hours=1))}
    refresh(server, store, full=True)
    assert store.tables["runs"][1,]["updated_at"] == server.now


# ------------------------------------------------------------------------------------- without Actions


def test_a_repository_without_actions_has_no_runs() -> None:
    server, store = FakeActions(), Store()
    server.has_actions = False
    refresh(server, store)
    assert store.mark == {}
    assert store.loaded == 0


def test_actions_that_could_be_read_before_are_a_failure() -> None:
    server, store = FakeActions(every(3, timedelta(days=1), NOW - timedelta(days=9))), Store()
    refresh(server, store)
    server.has_actions = False
    with pytest.raises(NotFoundError, match="acme/web cannot be read any more"):
        refresh(server, store)
    assert len(store.tables["runs"]) == 3


def test_a_repository_that_is_gone_is_a_failure() -> None:
    server = FakeActions()
    server.has_repository = False
    with pytest.raises(NotFoundError, match="acme/web"):
        refresh(server, Store())


def test_an_answer_of_another_kind_is_one_sentence() -> None:
    server = FakeActions()
    server.answer = lambda request: httpx.Response(200, json={"hello": "world"}, request=request)  # type: ignore[method-assign]
    with pytest.raises(BadAnswerError, match="without 'workflows': is GITHUB_API_URL the API"):
        refresh(server, Store())


# --------------------------------------------------------------------------------------------- contract


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    folder = os.environ.get("VEELOCITY_CONTRACTS")
    if not folder:
        pytest.skip("VEELOCITY_CONTRACTS is not set: the official OpenAPI is not there to compare with")
    found: dict[str, Any] = json.loads(gzip.decompress((Path(folder) / "github.openapi.json.gz").read_bytes()))
    return found


def test_every_request_is_in_the_official_openapi(openapi: dict[str, Any]) -> None:
    created = NOW - timedelta(days=3)
    server = FakeActions([deploying(2, created, run_attempt=2), run_node(1, NOW - timedelta(days=40), status="queued")])
    server.attempts = {(2, 1): deploying(2, created)}
    server.jobs = {2: [job_node(1, 2, "deploy")]}
    rules: dict[str, Any] = {"deployments": Deployments(job_patterns=("deploy",))}
    store = Store()
    refresh(server, store, **rules)
    server.now += timedelta(days=45)
    refresh(server, store, **rules)
    server.has_actions = False
    with pytest.raises(NotFoundError):
        refresh(server, store, **rules)
    seen = set()
    for _, url in server.log:
        path = url.path.removeprefix("/api/v3").replace("/acme/web", "/{owner}/{repo}")
        path = re.sub(r"/attempts/\d+", "/attempts/{attempt_number}", re.sub(r"/runs/\d+", "/runs/{run_id}", path))
        operation = openapi["paths"][path]["get"]
        seen.add(path)
        names = set()
        for parameter in operation.get("parameters", ()):
            if "$ref" in parameter:
                parameter = openapi["components"]["parameters"][parameter["$ref"].rsplit("/", 1)[1]]
            if parameter["in"] == "query":
                names.add(parameter["name"])
        assert set(url.params) <= names, path
    assert len(seen) == 6
