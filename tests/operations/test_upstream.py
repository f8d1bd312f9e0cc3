"""What changed upstream since it was read, told by a request or two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.operations import upstream
from veelocity_pipeline.operations.decisions import Start, Wait
from veelocity_pipeline.operations.upstream import Answer, Memory, ask, upstream_changed
from veelocity_pipeline.simulator import Fault, Simulator
from veelocity_pipeline.sources import SOURCES, Change, Scope
from veelocity_pipeline.sources.github.connector import newest_change
from veelocity_pipeline.sources.kit.http import client as http

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
ROWS = [
    {"source": "github", "source_key": "R1", "repository": "acme/web", "read_at": NOW.isoformat()},
    {"source": "linear", "source_key": "T1", "repository": "ENG", "read_at": NOW.isoformat()},
]


def change(key: str, name: str, minutes: int) -> Change:
    return Change(Scope(key, name), NOW + timedelta(minutes=minutes))


def decide(memory: Memory = Memory(), **answers: Answer) -> tuple[Start | Wait, Memory]:  # noqa: B008 - frozen
    decided, after = upstream_changed(answers, ROWS, memory, NOW, job="incremental_refresh")
    return decided, Memory.from_json(after.to_json())


def test_only_what_changed_is_read_by_every_source_that_reads_it() -> None:
    decided, _ = decide(
        github=Answer([change("R1", "acme/web", 1), change("R2", "acme/new", 2)]), linear=Answer([change("T1", "", 1)])
    )
    assert decided == Start(
        "incremental_refresh",
        "Changed upstream: acme/web, acme/new, ENG",
        {
            "github": ("acme/web", "acme/new"),
            "github_actions": ("acme/web", "acme/new"),
            "linear": ("ENG",),
        },
    )
    decided, _ = decide(github=Answer([]), linear=Answer([change("T1", "", 1)]))
    assert isinstance(decided, Start)
    assert decided.scopes == {"linear": ("ENG",)}


def test_a_change_is_asked_for_once_even_where_it_cannot_be_read() -> None:
    answer = Answer([change("R1", "acme/web", 1)])
    decided, memory = decide(github=answer)
    assert isinstance(decided, Start)
    decided, memory = decide(memory, github=answer)
    assert isinstance(decided, Wait)
    decided, memory = decide(memory, github=Answer([change("R1", "acme/web", 5)]))
    assert isinstance(decided, Start)
    _, memory = decide(memory, github=Answer([]))
    assert memory.asked == {}


def test_a_low_budget_is_left_to_the_schedules() -> None:
    decided, memory = decide(github=Answer([change("R1", "acme/web", 1)], share_left=0.04))
    assert isinstance(decided, Wait)
    assert "only 4% of the API's budget" in decided.reason
    assert not memory.may_ask("github", NOW + timedelta(minutes=59))
    assert memory.may_ask("github", NOW + timedelta(minutes=61))
    assert memory.may_ask("linear", NOW)
    assert memory.asked == {}


def test_an_error_is_a_reason_and_keeps_what_was_asked() -> None:
    _, memory = decide(github=Answer([change("R1", "acme/web", 1)]))
    decided, after = decide(memory, github=Answer(error="api.github.com cannot be reached."))
    assert decided == Wait("GitHub: api.github.com cannot be reached")
    assert after == memory


def test_the_newest_change_of_a_repository() -> None:
    node: dict[str, Any] = {"createdAt": "2026-01-01T00:00:00Z", "pushedAt": None, "updatedAt": "2026-09-09T00:00:00Z"}
    assert newest_change(node) == datetime(2026, 1, 1, tzinfo=UTC)
    node |= {"pushedAt": "2026-01-02T00:00:00Z", "issues": {"nodes": [None, {"updatedAt": "2026-01-03T00:00:00Z"}]}}
    assert newest_change(node) == datetime(2026, 1, 3, tzinfo=UTC)
    latest = {"updatedAt": "2026-01-04T00:00:00Z"}
    node["deployments"] = {"nodes": [{"updatedAt": "2026-01-01T00:00:00Z", "latestStatus": latest}]}
    assert newest_change(node) == datetime(2026, 1, 4, tzinfo=UTC)


# ------------------------------------------------------------------------------------- against the simulator


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(size="tiny") as made:
        yield made


@pytest.fixture
def settings(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in simulator.environment().items():
        monkeypatch.setenv(name, value)
    return load_settings()


def read(simulator: Simulator) -> list[dict[str, Any]]:
    """``status.json`` as it were if everything was just read."""
    now = simulator.now.isoformat()
    rows = [("github", each.id, each.full_name) for each in simulator.organization.repositories]
    rows += [("linear", each.id, each.key) for each in simulator.organization.workspace.teams]
    return [{"source": s, "source_key": key, "repository": name, "read_at": now} for s, key, name in rows]


def test_one_request_tells_what_changed_in_all_repositories(simulator: Simulator, settings: Settings) -> None:
    rows = read(simulator)
    simulator.log.clear()
    assert ask(SOURCES["github"], settings, rows).changes == []
    assert [request.operation for request in simulator.log] == ["repositories"]
    assert simulator.log[0].points <= 2
    simulator.advance(minutes=5)
    told = simulator.change("open an issue")
    assert told is not None
    answer = ask(SOURCES["github"], settings, rows)
    (changed,) = answer.changes or ()
    assert changed.scope.name in told.text
    assert answer.share_left is not None
    assert 0.9 < answer.share_left < 1


def test_one_request_tells_what_changed_in_all_teams(simulator: Simulator, settings: Settings) -> None:
    rows = read(simulator)
    simulator.log.clear()
    assert ask(SOURCES["linear"], settings, rows).changes == []
    assert len(simulator.log) == 1
    assert simulator.log[0].points < 500
    simulator.advance(minutes=5)
    assert simulator.change("create a Linear issue") is not None
    (changed,) = ask(SOURCES["linear"], settings, rows).changes or ()
    assert (changed.scope.name, changed.newest) == ("", simulator.now)


def test_github_actions_is_read_along(settings: Settings) -> None:
    assert ask(SOURCES["github_actions"], settings, []).changes is None


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Fault("secondary_limit", times=99, retry_after=600), "secondary limit"),
        (Fault("unauthorized", times=99), "GITHUB_TOKEN"),
        (Fault("slow", times=99, seconds=1.0), "did not answer within"),
    ],
)
def test_nothing_keeps_a_look_waiting(
    fault: Fault, says: str, simulator: Simulator, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "MOST_SECONDS", 0.3)
    monkeypatch.setattr(http, "REFUSED_PAUSE", 0.0)
    simulator.faults.append(fault)
    answer = ask(SOURCES["github"], settings, [])
    assert answer.changes is None
    assert says in answer.error


def test_what_is_not_configured_is_an_error_and_no_crash(
    monkeypatch: pytest.MonkeyPatch, config: Callable[[str], None]
) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORIES", "acme/web")
    assert "GITHUB_TOKEN" in ask(SOURCES["github"], load_settings(), []).error


def test_a_mistake_of_ours_is_a_reason_too(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("veelocity_pipeline.sources.github.connector.newest_change", lambda node: node["nothing"])
    assert ask(SOURCES["github"], settings, []).error == "unexpected KeyError while asking what changed; see the log"
