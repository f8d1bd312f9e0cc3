"""Problems are told once, with where to look, and once more when they are over."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from tests.receiver import SECRET, Receiver
from tests.speaker import Speak, drip, drip_headers, endless, speaking
from veelocity_pipeline.operations import alerts
from veelocity_pipeline.operations.alerts import Problem, Told, failed_jobs, message, news, send, stale, unread
from veelocity_pipeline.operations.decisions import Run

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
SINCE = NOW - timedelta(hours=5)
UI = "https://pipeline.acme.example"

JOBS = {
    "full": ("full", "increment", "rebuild"),
    "increment": ("increment", "rebuild"),
    "rebuild": ("rebuild",),
}


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def run(job: str, hours: float, *, failed: bool = True) -> Run:
    return Run(f"{job}-{hours}", job, ago(hours), ago(hours - 0.1), failed=failed, succeeded=not failed)


# ----------------------------------------------------------------------------------------- what is wrong


def test_a_job_fails_since_its_first_failure_in_a_row() -> None:
    runs = [run("increment", 1), run("increment", 2), run("increment", 3, failed=False), run("increment", 4)]
    (problem,) = failed_jobs(runs, JOBS, {"increment-1": "build_models: a test failed."})
    assert problem == Problem(
        "job increment", "increment failed (2 times): build_models: a test failed", ago(2), "/runs/increment-1"
    )


def test_a_job_that_does_more_makes_a_failure_good() -> None:
    assert failed_jobs([run("full", 1, failed=False), run("increment", 2), run("rebuild", 3)], JOBS, {}) == []
    # an increment does not find what was deleted
    (problem,) = failed_jobs([run("increment", 1, failed=False), run("full", 2)], JOBS, {})
    assert problem.key == "job full"


def row(source: str, repository: str, error: str | None, succeeded: float | None, table: str = "a") -> dict[str, Any]:
    return {
        "source": source,
        "table_name": table,
        "repository": repository,
        "error": error,
        "attempted_at": ago(0.5).isoformat(),
        "succeeded_at": None if succeeded is None else ago(succeeded).isoformat(),
    }


def test_what_cannot_be_read_is_one_problem_per_repository() -> None:
    rows = [
        row("github", "acme/web", "No access.", 7),
        row("github", "acme/web", "No access.", 7, "b"),
        row("github_actions", "acme/web", "No access.", 9),
        row("github", "acme/api", None, 0.5),
        row("linear", "*", "The key is wrong.", None),
    ]
    linear, web = unread(rows, [run("increment", 0.1), run("increment", 0.6), run("increment", 2)])
    assert web == Problem("read acme/web", "acme/web cannot be read: No access", ago(9), "/runs/increment-0.6")
    assert (linear.what, linear.since) == ("Linear cannot be read: The key is wrong", ago(0.5))


def test_stale_is_what_no_part_was_read_of_in_time() -> None:
    rows = [row("github", "acme/web", None, 9), row("github", "acme/api", None, 1), row("linear", "ENG", None, 9)]

    def problems(published: float | None) -> list[str]:
        at = None if published is None else ago(published)
        found = stale(
            rows,
            at,
            sources=["github", "linear", "github_actions"],
            read_since=ago(3),
            published_since=ago(28),
        )
        return [problem.key for problem in found]

    assert problems(27) == ["stale linear"]
    assert problems(29) == ["stale linear", "stale marts"]
    assert problems(None) == ["stale linear"]


# ------------------------------------------------------------------------------------------ what is told

A, B = Problem("a", "a is wrong", SINCE, "/runs/1"), Problem("b", "b is wrong", SINCE)


def days(problems_by_hour: list[list[Problem]]) -> list[str]:
    """What is said in each hour, as signs: + begun, ! lasting, - over; by their first letters."""
    told: dict[str, Told] = {}
    lines = []
    for hour, problems in enumerate(problems_by_hour):
        said, told = news(problems, told, NOW + timedelta(hours=hour))
        told = {key: Told.from_json(json.loads(json.dumps(entry.to_json()))) for key, entry in told.items()}
        line = [f"+{p.key}" for p in said.begun] + [f"!{p.key}" for p in said.lasting]
        lines.append(" ".join(line + [f"-{t.what[0]}" for t in said.over]))
        assert bool(said) == bool(lines[-1])
        assert said.open == len(problems)
    return lines


def test_a_problem_is_told_once_then_daily_and_its_end_once() -> None:
    assert days([[A]] * 30 + [[]] * 3) == ["+a"] + [""] * 23 + ["!a"] + [""] * 5 + ["-a", "", ""]


def test_reminders_come_together() -> None:
    lines = days([[A]] * 5 + [[A, B]] * 45)
    assert {hour: line for hour, line in enumerate(lines) if line} == {0: "+a", 5: "+b", 24: "!a !b", 48: "!a !b"}


def test_what_comes_and_goes_every_hour_is_no_storm() -> None:
    lines = days([[A], []] * 12)
    assert {hour: line for hour, line in enumerate(lines) if line} == {
        0: "+a", 1: "-a", 6: "+a", 7: "-a", 12: "+a", 13: "-a", 18: "+a", 19: "-a",
    }  # fmt: skip
    assert days([[A], [], [A], [A], [A], [A], [A], [A]])[2:] == ["", "", "", "", "+a", ""]


def test_a_message_says_what_since_when_and_where() -> None:
    said, _ = news([A, B], {"c": Told("c was wrong <b>", SINCE, SINCE)}, NOW)
    content = message(said, UI)
    assert content["text"].splitlines() == [
        "Veelocity: 2 problems",
        f"• a is wrong (since 2026-03-04 07:00 UTC) {UI}/runs/1",
        f"• b is wrong (since 2026-03-04 07:00 UTC) {UI}",
        "• over: c was wrong &lt;b&gt; (since 2026-03-04 07:00 UTC)",
    ]
    assert len(content["blocks"]) == 4
    for block in content["blocks"]:
        assert block["text"]["type"] == "mrkdwn"
        assert len(block["text"]["text"]) <= 3000
    over, _ = news([], {"a": Told(A.what, SINCE, SINCE)}, NOW)
    assert message(over, UI)["text"].startswith("Veelocity: all clear")


def test_hundreds_of_problems_are_one_message_that_fits() -> None:
    many = [Problem(str(number), f"repository {number} {'x' * 5_000}", SINCE) for number in range(300)]
    said, _ = news(many, {str(n): Told(str(n), SINCE, NOW - timedelta(days=2)) for n in range(150)}, NOW)
    content = message(said, UI)
    assert content["text"].startswith("Veelocity: 300 problems")
    assert len(content["text"]) < 40_000
    assert len(content["blocks"]) <= 50
    assert all(len(block["text"]["text"]) <= 3000 for block in content["blocks"])


# ---------------------------------------------------------------------------------------------- sending


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


def test_a_message_arrives_and_its_address_is_not_told(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert send(receiver.url, {"text": "a"}) == ""
    assert receiver.received == [(f"/services/{SECRET}", {"text": "a"})]
    receiver.status = 500
    assert send(receiver.url, {"text": "a"}) == "127.0.0.1 answered with status 500"
    receiver.status = 302
    assert "302" in send(receiver.url, {"text": "a"})
    assert SECRET not in caplog.text


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/T0SECRET", "http://nowhere.invalid/T0SECRET", "http://[T0SECRET"])
def test_what_cannot_be_sent_says_why_without_the_address(url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    failure = send(SecretStr(url), {"text": "a"})
    assert "cannot be reached" in failure
    assert SECRET not in failure + caplog.text


@pytest.mark.parametrize("speak", [drip_headers, endless, drip])
def test_whoever_takes_alerts_cannot_hold_on_or_fill_the_memory(speak: Speak, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "MOST_SECONDS", 0.4)
    with speaking(speak) as server:
        said = send(SecretStr(server.url), {"text": "a"})
        assert server.asked == 1
    assert said == ("127.0.0.1 did not answer within 0 seconds" if speak is drip_headers else "")
