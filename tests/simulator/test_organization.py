"""The organisation: what it is like, that it is always the same, and that its records are true."""

from __future__ import annotations

import itertools
import os
import statistics
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import Any

import pytest

from veelocity_pipeline.simulator import Organization, Simulator
from veelocity_pipeline.simulator.organization.code_host import Commit, Issue, PullRequest
from veelocity_pipeline.simulator.organization.life import Life
from veelocity_pipeline.simulator.organization.plan import DEMO, MOMENT
from veelocity_pipeline.simulator.organization.tracker import LinearIssue
from veelocity_pipeline.simulator.organization.whole import DeploymentRecord
from veelocity_pipeline.simulator.organization.worktime import after_work_hours


def pull_requests(organization: Organization) -> list[PullRequest]:
    return [each for repository in organization.repositories for each in repository.pull_requests]


def hours(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() / 3600


# -- what it is like


def test_demo_has_the_size_it_was_asked_for(demo: Simulator) -> None:
    organization = demo.organization
    everything = pull_requests(organization)
    assert organization.now == MOMENT
    assert len(organization.repositories) >= 8
    assert sum(each.archived_at is not None for each in organization.repositories) == 1
    assert [each.former_names for each in organization.repositories if each.former_names] == [["acme/docs"]]
    assert len([each for each in organization.people if each.email.endswith("@acme.example")]) == 40
    assert len([each for each in organization.accounts if each.kind == "Bot"]) == 3
    assert len(everything) >= 2_500
    assert len(organization.workspace.issues) >= 1_500
    assert len(organization.workspace.teams) == 4
    assert [team.former_keys for team in organization.workspace.teams if team.former_keys] == [["INF"]]
    assert sum(len(each.runs) for each in organization.repositories) <= 4_000
    assert (MOMENT - DEMO.start).days > 540


def test_demo_has_every_rare_case(demo: Simulator) -> None:
    organization = demo.organization
    everything = pull_requests(organization)
    records = [each for each in organization.deployments if each.is_production]
    runs = [run for repository in organization.repositories for run in repository.runs]
    issues = organization.workspace.issues
    events = Counter(event.kind for each in everything for event in each.events)
    assert {each.merge_method for each in everything} == {"squash", "rebase", "merge", ""}
    assert {each.state for each in everything} == {"OPEN", "CLOSED", "MERGED"}
    assert {each.kind for each in records} == {"workflow_run", "deployment", "release"}
    assert {each.status for each in records} == {"success", "failure", "cancelled", "in_progress"}
    assert {failure.evidence for each in records for failure in each.failures} == {
        "rollback",
        "revert",
        "hotfix",
        "incident",
    }
    assert events["ReadyForReviewEvent"] > 300
    assert events["ConvertToDraftEvent"] > 10
    assert events["HeadRefForcePushedEvent"] > 50
    assert max(len(each.reviews) for each in everything) > 100
    assert max(len(review.comments) for each in everything for review in each.reviews) > 100
    assert max(len(each.comments) for each in everything) > 100
    assert max(len(each.commits) for each in everything) > 100
    assert max(len(each.paths) for each in everything) > 100
    assert any(each.is_cross_repository and each.head_branch == "main" for each in everything)
    assert any(each.is_carrier for each in everything)
    assert any(each.carries and not each.is_carrier for each in everything)
    assert any(each.author.deleted_at for each in everything)
    assert any("UTF-8" in each.title for each in everything)
    assert any(each.closing_issues for each in everything)
    assert any(len(run.attempts) > 1 for run in runs)
    assert any(run.last.status == "in_progress" for run in runs)
    assert any(run.event == "pull_request" and "eploy" in run.workflow.name for run in runs)
    assert any(
        status.state == "inactive"
        for repo in organization.repositories
        for d in repo.deployments
        for status in d.statuses
    )
    assert any(each.is_draft for repository in organization.repositories for each in repository.releases)
    assert any(each.is_prerelease for repository in organization.repositories for each in repository.releases)
    assert any(each.is_trashed for each in issues)
    assert any(each.auto_archived_at for each in issues)
    assert any(each.previous_identifiers for each in issues)
    assert {each.state.type for each in issues} >= {
        "backlog",
        "unstarted",
        "started",
        "completed",
        "canceled",
        "duplicate",
    }
    assert any(each.cause for each in organization.incidents)
    assert any(each.fix for each in organization.incidents)
    assert any(isinstance(each.issue, Issue) for each in organization.incidents)


def test_life_is_believable(demo: Simulator) -> None:
    everything = [each for each in pull_requests(demo.organization) if each.author.kind == "User"]
    merged = [hours(each.created_at, each.merged_at) for each in everything if each.merged_at]
    assert 2 < statistics.median(merged) < 72
    assert sum(each.created_at.weekday() < 5 for each in everything) / len(everything) > 0.99
    web = [each for each in demo.organization.deployments if each.repository.name == "web" and each.status == "success"]
    by_day = Counter(each.started_at.date() for each in web)
    assert statistics.median(by_day.values()) >= 2
    mobile = [each for each in demo.organization.deployments if each.repository.name == "mobile"]
    gaps = [hours(a.started_at, b.started_at) for a, b in itertools.pairwise(mobile)]
    assert 150 < statistics.median(gaps) < 180


@pytest.mark.parametrize(
    ("start", "worked", "end"),
    [
        ("2026-09-28T09:00:00", 2, "2026-09-28T11:00:00"),  # a Monday
        ("2026-09-28T17:00:00", 2, "2026-09-29T09:00:00"),
        ("2026-10-02T17:30:00", 1, "2026-10-05T08:30:00"),  # over a weekend
        ("2026-10-03T12:00:00", 1, "2026-10-05T09:00:00"),  # from a Saturday
        ("2026-09-28T22:00:00", 0, "2026-09-29T08:00:00"),
    ],
)
def test_work_is_done_in_working_hours(start: str, worked: float, end: str) -> None:
    assert after_work_hours(datetime.fromisoformat(start + "+00:00"), worked) == datetime.fromisoformat(end + "+00:00")


# -- always the same


def test_the_same_seed_is_the_same_organisation_in_another_process(small: Simulator) -> None:
    code = "from veelocity_pipeline.simulator.organization.life import Life; "
    code += "print(Life('small', 7).organization.fingerprint())"
    environment = {**os.environ, "PYTHONHASHSEED": "4711"}
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == small.organization.fingerprint()


def test_another_seed_is_another_organisation(small: Simulator) -> None:
    other = Life("small", 8).organization
    assert other.fingerprint() != small.organization.fingerprint()
    assert other != small.organization


def test_steps_do_not_matter() -> None:
    at_once, in_steps = Life("small", 7), Life("small", 7)
    at_once.advance_to(MOMENT + timedelta(days=9))
    for number in range(1, 10):
        in_steps.advance_to(MOMENT + timedelta(days=number))
    assert at_once.organization == in_steps.organization


def test_time_does_not_run_backwards(fresh: Simulator) -> None:
    with pytest.raises(ValueError, match="time moves forward"):
        fresh.advance(days=-1)


def test_an_unknown_size_is_refused() -> None:
    with pytest.raises(ValueError, match="size must be one of demo, small"):
        Simulator(size="enormous")


# -- the records are true: once more, from the graph of commits alone


def _sweep(records: list[DeploymentRecord]) -> dict[int, set[str]]:
    """By record: shas reachable from its commit and from no earlier one's."""
    seen: set[str] = set()
    first: dict[int, set[str]] = {}
    for record in records:
        new: set[str] = set()
        stack = [record.commit]
        while stack:
            commit = stack.pop()
            if commit.sha not in seen:
                seen.add(commit.sha)
                new.add(commit.sha)
                stack.extend(commit.parents)
        first[id(record)] = new
    return first


@pytest.mark.parametrize("size", ["small", "demo"])
def test_records_say_what_the_graph_says(size: str, small: Simulator, demo: Simulator) -> None:
    organization = {"small": small, "demo": demo}[size].organization
    prefixes = {service.name: service.prefix for plan in DEMO.repositories for service in plan.services}
    lanes: dict[tuple[str, str, str], list[DeploymentRecord]] = defaultdict(list)
    for record in organization.deployments:
        if record.is_production and record.status == "success" and record.environment != "production-eu":
            lanes[record.repository.name, record.service, record.environment].append(record)
    compared = 0
    for (_, service, _), records in lanes.items():
        records.sort(key=lambda each: each.finished_at or MOMENT)
        prefix = prefixes.get(service)

        def belongs(paths: list[str], prefix: str | None = prefix) -> bool:
            return prefix is None or any(path.startswith(f"{prefix}/") for path in paths)

        for record, new in zip(records, _sweep(records).values(), strict=True):
            landed = [
                each
                for each in record.repository.pull_requests
                if each.merge_commit is not None and each.merge_commit.sha in new and not each.is_carrier
            ]
            assert {each.number for each in landed if belongs(each.paths)} == {each.number for each in record.shipped}
            commits = [record.repository.commits[sha] for sha in new if sha in record.repository.commits]
            direct = {
                each.sha for each in commits if not each.pull_requests and len(each.parents) < 2 and belongs(each.paths)
            }
            assert direct == {each.sha for each in record.shipped_commits}
            compared += len(record.shipped)
    assert compared > 40


def test_rollbacks_and_failures_are_of_deployments_that_ran(demo: Simulator) -> None:
    count = 0
    for record in demo.organization.deployments:
        if record.is_rollback:
            assert record.previous is not None
            assert record.commit.landing < record.previous.commit.landing
            assert record.shipped == []
        for failure in record.failures:
            count += 1
            assert record.status == "success"
            assert record.is_production
            assert not record.is_baseline
            assert record.finished_at is not None
            if failure.resolved_at is not None:
                assert failure.resolved_at > record.finished_at
    assert count > 60


def test_parents_are_older_than_their_children(demo: Simulator) -> None:
    commits: list[Commit] = [
        each for repository in demo.organization.repositories for each in repository.commits.values()
    ]
    assert len({each.sha for each in commits}) == len(commits)
    for commit in commits:
        assert all(parent.order < commit.order for parent in commit.parents)
        assert all(parent.committed_at <= commit.committed_at for parent in commit.parents)


def test_pull_request_commits_form_a_line_from_the_base(demo: Simulator) -> None:
    for each in pull_requests(demo.organization):
        for before, after in zip(each.commits, each.commits[1:], strict=False):
            if not each.is_carrier and not each.carries:
                assert before.commit in after.commit.parents


# -- time moves on


def _shown(value: Any) -> tuple[Any, ...]:
    """Everything that an increment by ``updatedAt`` has to bring of a pull request or issue."""
    if isinstance(value, PullRequest):
        return (
            value.title,
            value.body,
            value.state,
            value.is_draft,
            value.base_branch,
            value.merged_at,
            tuple(each.commit.sha for each in value.commits),
            tuple(each.name for each in value.labels),
            tuple((each.id, each.state, len(each.comments)) for each in value.reviews if each.state != "PENDING"),
            tuple(each.id for each in value.comments),
            tuple(each.id for each in value.events),
            tuple(each.id for each in value.closing_issues),
        )
    if isinstance(value, Issue):
        return (
            value.state,
            value.title,
            tuple(each.name for each in value.labels),
            len(value.comments),
            value.assignee,
        )
    assert isinstance(value, LinearIssue)
    return (
        value.identifier,
        value.state.name,
        value.archived_at,
        value.is_trashed,
        value.assignee and value.assignee.id,
        len(value.history),
        len(value.attachments),
        len(value.comments),
        tuple(each.id for each in value.labels),
    )


@pytest.mark.parametrize("size", ["small", "demo"])
def test_whatever_changes_moves_its_updated_at(size: str) -> None:
    life = Life(size, 7)
    organization = life.organization

    def everything() -> list[Any]:
        github = [each for repository in organization.repositories for each in repository.issues]
        return [*pull_requests(organization), *github, *organization.workspace.issues]

    before = {each.id: (_shown(each), each.updated_at) for each in everything()}
    life.advance_to(MOMENT + timedelta(days=14))
    changed = 0
    for each in everything():
        if each.id in before and before[each.id][0] != _shown(each):
            changed += 1
            assert each.updated_at > MOMENT, each
            assert each.updated_at > before[each.id][1]
    assert changed > 5
    assert len(everything()) > len(before)


def test_the_days_after_show_every_kind_of_change(fresh: Simulator) -> None:
    web = fresh.organization.repositories[0]
    stood_open = [each for each in web.pull_requests if each.head_branch.startswith("showcase/")]
    running = [run for run in web.runs if run.last.status == "in_progress"]
    shas = [each.commit.sha for each in stood_open[0].commits]
    assert [each.state for each in stood_open] == ["OPEN", "OPEN", "OPEN"]
    assert len(stood_open[1].reviews[0].comments) == 2
    assert stood_open[2].reviews[-1].state == "PENDING"
    assert running
    fresh.advance(days=2)
    rewritten, merged, closed = stood_open
    assert [each.commit.sha for each in rewritten.commits] != shas
    assert any(each.kind == "HeadRefForcePushedEvent" for each in rewritten.events)
    assert rewritten.labels == []
    assert merged.state == "MERGED"
    assert len(merged.reviews[0].comments) == 1
    assert closed.state == "CLOSED"
    assert closed.is_draft
    assert closed.reviews[-1].state == "COMMENTED"
    assert closed.reviews[-1].submitted_at is not None
    assert all(run.last.status == "completed" for run in running)
    assert fresh.now == MOMENT + timedelta(days=2)
