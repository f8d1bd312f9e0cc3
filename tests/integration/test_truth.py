"""The published marts are the organisation's own records: every row, and every number worked out from them again.

The expected side is :mod:`tests.integration.truth`; the other side is read from the marts by plain SQL. Ids are
compared as sets, rows by id, so that a failure names what differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pytest

from tests.integration.truth import Measurement, Truth, hours, quantile
from veelocity_pipeline.published.open import read_published
from veelocity_pipeline.simulator import Simulator
from veelocity_pipeline.simulator.organization.code_host import Issue
from veelocity_pipeline.simulator.organization.tracker import LinearIssue
from veelocity_pipeline.warehouse.home import Home

Row = tuple[Any, ...]

DORA_DURATIONS = ("lead_time", "commit_lead_time", "recovery", "time_to_restore")
DEV_COUNTS = ("pull_requests_opened", "pull_requests_merged", "pull_requests_merged_by_bots", "issues_completed")
DEV_DURATIONS = ("time_to_first_review", "pickup", "review", "merge_time", "cycle_time", "started_to_completed")


@pytest.fixture(scope="module")
def truth() -> Truth:
    """The records of the organisation that ``refreshed`` has read."""
    simulator = Simulator(size="medium")
    return Truth(simulator.organization, simulator.configuration())


@pytest.fixture(scope="module")
def marts(refreshed: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with read_published(refreshed.published) as connection:
        yield connection


def by_id(marts: duckdb.DuckDBPyConnection, sql: str, key: int = 1) -> dict[Any, Row]:
    """Rows by their first column, or by their first few."""
    rows = marts.execute(sql).fetchall()
    found = {row[0] if key == 1 else row[:key]: row[key:] for row in rows}
    assert len(found) == len(rows), "the key is not one"
    return found


def moment(value: datetime | None) -> datetime | None:
    """A time as the marts have it."""
    return value.astimezone(UTC).replace(tzinfo=None) if value else None


def is_same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return one == pytest.approx(other, rel=1e-9, abs=1e-9)
    return bool(one == other)


def assert_same(published: Mapping[Any, Row], recorded: Mapping[Any, Row], columns: str) -> None:
    """The same ids, and for each the same values; if not, the first that differ, in words."""
    assert recorded, "the organisation has none of these: nothing is proven"
    names = [name.strip() for name in columns.split(",")]
    problems = [f"{key} is in the records alone" for key in recorded.keys() - published.keys()]
    problems += [f"{key} is in the marts alone" for key in published.keys() - recorded.keys()]
    for key in published.keys() & recorded.keys():
        for name, found, expected in zip(names, published[key], recorded[key], strict=True):
            if not is_same(found, expected):
                problems.append(f"{key}: {name} is {found}, recorded is {expected}")
    assert not problems, f"{len(problems)} differences:\n" + "\n".join(sorted(problems)[:20])


# -- rows


def test_the_organisation_has_what_is_to_be_compared(truth: Truth) -> None:
    records = truth.records.values()
    assert {record.kind for record in records} == {"workflow_run", "deployment", "release"}
    assert {record.status for record in records} == {"success", "failure", "cancelled", "in_progress"}
    assert any(record.is_redeploy for record in truth.successes)
    assert {kind for _, kind, _ in truth.failures} == {"rollback", "revert", "hotfix", "incident"}
    assert any(each.is_carrier for each in truth.pull_requests.values())
    assert any(each.carries and not each.is_carrier for each in truth.pull_requests.values())
    assert any(each.is_draft for each in truth.pull_requests.values())
    assert any(truth.is_by_bot(each) for each in truth.pull_requests.values())
    assert any(truth.seen(each.author) is None for each in truth.pull_requests.values())
    assert {None, *(service for services in truth.services.values() for service, _ in services)} == {
        change.service for change in truth.changes
    }


def test_pull_requests(truth: Truth, marts: duckdb.DuckDBPyConnection) -> None:
    recorded = {}
    for name, each in truth.pull_requests.items():
        author = truth.seen(each.author)
        comments = len(each.comments) + sum(len(review.comments) for review in each.reviews if review.submitted_at)
        recorded[name] = (
            each.id,
            truth.repository_id(each.repository),
            each.number,
            each.title,
            author and author.login,
            truth.is_by_bot(each),
            each.state.lower(),
            each.is_draft,
            each.base_branch,
            each.head_branch,
            each.base_branch == each.repository.default_branch,
            each.merge_commit and each.merge_commit.sha,
            len(each.commits),
            sum(review.submitted_at is not None for review in each.reviews),
            comments,
            each.reverts is not None,
            each.is_hotfix,
            each.is_carrier,
        )
    columns = """source_key, repository_id, number, title, author, is_bot, state, is_draft, base_branch, head_branch,
        targets_default_branch, merge_commit_sha, commit_count, review_count, comment_count, is_revert, is_hotfix,
        carries_pull_requests"""
    assert_same(by_id(marts, f"select pull_request_id, {columns} from marts.fct_pull_requests"), recorded, columns)


def test_when_pull_requests_got_how_far(truth: Truth, marts: duckdb.DuckDBPyConnection) -> None:
    recorded = {}
    for name, each in truth.pull_requests.items():
        at, record = truth.milestones(each), truth.deployment_of(name)
        deployed_at = record.finished_at if record else None
        known_at = None if record is None or truth.is_baseline(record) else deployed_at
        recorded[name] = (
            *map(moment, (each.created_at, at.first_commit_at, at.ready_at, at.first_review_at, at.first_response_at)),
            *map(moment, (at.first_approval_at, each.merged_at, each.closed_at, deployed_at)),
            record and truth.deployment_id(record),
            record and truth.is_baseline(record),
            hours(at.first_commit_at, each.created_at),
            hours(each.created_at, at.ready_at),
            hours(each.created_at, at.first_review_at),
            hours(at.ready_at, at.first_response_at),
            hours(at.first_response_at, each.merged_at),
            hours(at.ready_at, each.merged_at) if at.first_response_at is None else None,
            hours(each.created_at, each.merged_at),
            hours(each.merged_at, known_at),
            hours(at.first_commit_at, known_at),
        )
    columns = """created_at, first_commit_at, ready_at, first_review_at, first_response_at, first_approval_at,
        merged_at, closed_at, deployed_at, deployment_id, deployed_in_baseline, coding_hours,
        draft_hours, time_to_first_review_hours, pickup_hours, review_hours, unreviewed_hours, merge_time_hours,
        deploy_hours, lead_time_hours"""
    assert_same(by_id(marts, f"select pull_request_id, {columns} from marts.fct_pull_requests"), recorded, columns)


def test_reviews(truth: Truth, marts: duckdb.DuckDBPyConnection) -> None:
    recorded = {}
    for name, pull_request in truth.pull_requests.items():
        for review in pull_request.reviews:
            if review.submitted_at:
                reviewer = truth.seen(review.author)
                recorded[f"github:{review.id}"] = (
                    name,
                    reviewer and reviewer.login,
                    truth.is_bot(reviewer),
                    reviewer is truth.seen(pull_request.author),
                    review.state.lower(),
                    moment(review.submitted_at),
                )
    columns = "pull_request_id, reviewer, is_bot, is_author, state, submitted_at"
    assert_same(by_id(marts, f"select review_id, {columns} from marts.fct_reviews"), recorded, columns)


def test_deployments(truth: Truth, marts: duckdb.DuckDBPyConnection) -> None:
    recorded = {}
    for name, each in truth.records.items():
        recovered_at = truth.failed.get(name)
        before = each.previous if each.status == "success" else None
        recorded[name] = (
            truth.repository_id(each.repository),
            truth.service_id(each),
            each.environment,
            each.is_production,
            each.kind,
            each.status,
            each.commit.sha,
            moment(each.started_at),
            moment(each.finished_at),
            before and truth.deployment_id(before),
            truth.is_baseline(each),
            each.is_redeploy,
            each.is_rollback,
            name in truth.failed,
            name in truth.rework,
            moment(recovered_at),
            hours(each.finished_at, recovered_at),
            sum(change.record is each for change in truth.changes),
        )
    columns = """repository_id, service, environment, is_production, source, status, sha, started_at, finished_at,
        previous_deployment_id, is_baseline, is_redeploy, is_rollback, is_failed, is_rework, recovered_at,
        recovery_hours, change_count"""
    # what ran before a failed attempt is told too, but nobody wrote it down
    selected = columns.replace("previous_deployment_id", "case when status = 'success' then previous_deployment_id end")
    assert_same(by_id(marts, f"select deployment_id, {selected} from marts.fct_deployments"), recorded, columns)


def test_deployed_changes(truth: Truth, marts: duckdb.DuckDBPyConnection) -> None:
    recorded = {
        (each.id, each.service): (
            truth.deployment_id(each.record),
            each.repository,
            "pull_request" if each.pull_request else "commit",
            each.commit.sha,
            truth.is_baseline(each.record),
            moment(each.first_commit_at),
            moment(each.merged_at),
            moment(each.deployed_at),
            None if truth.is_baseline(each.record) else each.lead_time,
        )
        for each in truth.changes
        if each.record
    }
    columns = """deployment_id, repository_id, change_type, commit_sha, in_baseline, first_commit_at, merged_at,
        deployed_at, lead_time_hours"""
    found = by_id(marts, f"select change_id, service, {columns} from marts.fct_deployed_changes", key=2)
    assert_same(found, recorded, columns)


def test_failures(truth: Truth, marts: duckdb.DuckDBPyConnection) -> None:
    recorded = {key: (moment(evidence.resolved_at),) for key, evidence in truth.failures.items()}
    sql = "select deployment_id, evidence, evidence_id, resolved_at from marts.fct_deployment_failures where counts"
    assert_same(by_id(marts, sql, key=3), recorded, "resolved_at")


def test_incidents(truth: Truth, marts: duckdb.DuckDBPyConnection) -> None:
    recorded = {}
    for name, each in truth.incidents.items():
        failed = each.failed and truth.stands_for(each.failed)
        recorded[name] = (
            each.service,
            each.cause and truth.pull_request_id(each.cause),
            each.fix and truth.pull_request_id(each.fix),
            truth.deployment_id(failed) if failed and not truth.is_baseline(failed) else None,
            moment(each.issue.created_at),
            moment(truth.restored_at(each)),
            hours(each.issue.created_at, truth.restored_at(each)),
        )
    columns = """service, cause_pull_request_id, fix_pull_request_id, deployment_id, created_at, resolved_at,
        time_to_restore_hours"""
    assert_same(by_id(marts, f"select incident_id, {columns} from marts.fct_incidents"), recorded, columns)


@pytest.mark.parametrize("size", ["small", "medium", "demo"])
def test_incidents_tell_what_their_people_knew(size: str) -> None:
    """What the definitions find out about an incident is what was written down when it happened."""
    simulator = Simulator(size=size)
    truth = Truth(simulator.organization, simulator.configuration())
    told = {
        name: (each.failed and truth.deployment_id(truth.stands_for(each.failed)), each.cause and each.cause.id)
        for name, each in truth.incidents.items()
    }
    known = {
        name: (record.failed and truth.deployment_id(truth.stands_for(record.failed)), record.cause and record.cause.id)
        for record in simulator.organization.incidents
        if (name := truth.issue_id(record.issue)) in truth.incidents
    }
    assert known.keys() == told.keys()
    assert [(name, told[name], known[name]) for name in told if told[name] != known[name]] == []


def test_issues(truth: Truth, marts: duckdb.DuckDBPyConnection) -> None:
    recorded = {}
    for name, each in truth.issues.items():
        linear = each if isinstance(each, LinearIssue) else None
        last, completed_at = truth.last_merged(name), truth.completed_at(each)
        started_at = linear.started_at if linear else None
        recorded[name] = (
            each.id,
            each.title,
            linear.team.key if linear else None,
            each.state.lower() if isinstance(each, Issue) else each.state.name,
            truth.category(each),
            name in truth.incidents,
            linear is not None and linear.archived_at is not None,
            moment(each.created_at),
            moment(started_at),
            moment(completed_at),
            len(truth.links.get(name, ())),
            last and truth.pull_request_id(last),
            hours(each.created_at, last.merged_at) if last else None,
            hours(started_at, completed_at),
        )
    columns = """source_key, title, team, state, state_category, is_incident, is_archived, created_at, started_at,
        completed_at, linked_pull_request_count, linked_pull_request_id, cycle_time_hours, started_to_completed_hours"""
    assert_same(by_id(marts, f"select issue_id, {columns} from marts.fct_issues"), recorded, columns)


def test_links(truth: Truth, marts: duckdb.DuckDBPyConnection) -> None:
    recorded = {(pull_request, issue): (True,) for issue, linked in truth.links.items() for pull_request in linked}
    sql = "select distinct pull_request_id, issue_id, true from marts.bridge_pull_requests_issues where is_counted"
    assert_same(by_id(marts, sql, key=2), recorded, "is_counted")


# -- numbers


def durations(names: tuple[str, ...]) -> str:
    parts = ("hours_median", "hours_p75", "hours_p90", "sample")
    return ", ".join(f"{name}_{part}" for name in names for part in parts)


def statistics(measured: list[Measurement]) -> Row:
    values = [each.value for each in measured]
    return (*(quantile(values, share) for share in (0.5, 0.75, 0.9)), len(values))


def rate(measured: list[Measurement]) -> tuple[int, float | None]:
    count = int(sum(each.value for each in measured))
    return count, count / len(measured) if measured else None


DORA = f"""deployment_count, deployment_day_count, redeploy_count, failed_deployment_count, change_fail_rate,
    rework_deployment_count, rework_rate, {durations(DORA_DURATIONS)}"""
DEV = f"{', '.join(DEV_COUNTS)}, {durations(DEV_DURATIONS)}"


def dora(measured: Mapping[str, list[Measurement]]) -> Row:
    return (
        len(measured["deployment_frequency"]),
        len({each.at.date() for each in measured["deployment_frequency"]}),
        len(measured["redeployments"]),
        *rate(measured["change_fail_rate"]),
        *rate(measured["rework_rate"]),
        *(value for metric in DORA_DURATIONS for value in statistics(measured[metric])),
    )


def dev(measured: Mapping[str, list[Measurement]]) -> Row:
    counts = [len(measured[metric]) for metric in DEV_COUNTS]
    return (*counts, *(value for metric in DEV_DURATIONS for value in statistics(measured[metric])))


DORA_METRICS = ("deployment_frequency", "redeployments", "change_fail_rate", "rework_rate", *DORA_DURATIONS)


def start_of(period: str, day: date) -> date:
    if period == "week":
        return day - timedelta(days=day.weekday())
    if period == "month":
        return day.replace(day=1)
    if period == "quarter":
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    return day


def periods(truth: Truth, period: str) -> list[date]:
    """From the first activity to the period of the present moment, quiet ones too."""
    began = [
        *(each.created_at for each in truth.pull_requests.values()),
        *(each.created_at for each in truth.issues.values()),
        *(each.started_at for each in truth.records.values()),
    ]
    days = [min(began).date() + timedelta(days=number) for number in range(1000)]
    return sorted({start_of(period, day) for day in days if day <= truth.organization.now.date()})


def recorded_by_period(truth: Truth, period: str, metrics: tuple[str, ...]) -> dict[Row, dict[str, list[Measurement]]]:
    found: dict[Row, dict[str, list[Measurement]]] = {
        (*scope, start): {metric: [] for metric in metrics}
        for scope in truth.scopes
        for start in periods(truth, period)
    }
    for scope in truth.scopes:
        for metric in metrics:
            for each in truth.measured(metric, scope):
                found[*scope, start_of(period, each.at.date())][metric].append(each)
    return found


@pytest.mark.parametrize("period", ["day", "week", "month", "quarter"])
def test_dora_metrics(truth: Truth, marts: duckdb.DuckDBPyConnection, period: str) -> None:
    recorded = {key: dora(measured) for key, measured in recorded_by_period(truth, period, DORA_METRICS).items()}
    sql = f"select scope_type, scope, period_start, {DORA} from marts.dora_metrics where period = '{period}'"
    assert_same(by_id(marts, sql, key=3), recorded, DORA)


@pytest.mark.parametrize("period", ["day", "week", "month", "quarter"])
def test_dev_metrics(truth: Truth, marts: duckdb.DuckDBPyConnection, period: str) -> None:
    metrics = (*DEV_COUNTS, *DEV_DURATIONS)
    recorded = {key: dev(measured) for key, measured in recorded_by_period(truth, period, metrics).items()}
    sql = f"select scope_type, scope, period_start, {DEV} from marts.dev_metrics where period = '{period}'"
    assert_same(by_id(marts, sql, key=3), recorded, DEV)


def duration_score(value: float | None, sample: int) -> float | None:
    """Under an hour, a day, a week, a month, six months, longer."""
    if value is None or sample < 5:
        return None
    return next((10.0 - 2 * place for place, limit in enumerate((1, 24, 168, 720, 4368)) if value < limit), 0.0)


def lower_median(counts: list[int]) -> int:
    return sorted(counts)[(len(counts) - 1) // 2] if counts else 0


def frequency_score(deployed: list[date], today: date, days: int) -> float | None:
    """Of one service, by its typical weekday, week and month; None with fewer than five weekdays."""
    known = min((today - min(deployed)).days, days)
    counts = [sum(each == today - timedelta(days=ago) for each in deployed) for ago in range(1, known + 1)]
    weekdays = [count for ago, count in enumerate(counts, 1) if (today - timedelta(days=ago)).weekday() < 5]
    if len(weekdays) < 5:
        return None

    def blocks(length: int) -> list[int]:
        whole = [counts[start : start + length] for start in range(0, known, length)]
        return [sum(block) for number, block in enumerate(whole) if len(block) == length or number == 0]

    if lower_median(weekdays) >= 1:
        return 10.0 if lower_median(weekdays) >= 2 else 8.0
    if lower_median(blocks(7)) >= 1:
        return 6.0
    if lower_median(blocks(30)) >= 1:
        return 4.0
    return 2.0 if sum(counts) or days < 182 else 0.0


def frequency_of_scope(truth: Truth, scope: tuple[str, str], days: int) -> float | None:
    """Of a scope with several services the median of those deployed within 182 days."""
    today = truth.organization.now.date()
    belongs = {
        service
        for repository, services in truth.services.items()
        for service, _ in services
        if scope in (("all", "all"), ("repository", repository), ("service", service))
        or (scope[0] == "team" and scope[1] in truth.teams_of_service(service))
    }
    deployed = {
        service: [each.at.date() for each in truth.measured("deployment_frequency", ("service", service))]
        for service in belongs
    }
    if not any(deployed.values()):
        return None
    if len(belongs) == 1:
        return frequency_score(deployed[belongs.pop()], today, days)
    recent = [each for each in deployed.values() if each and (today - max(each)).days <= 182]
    scores = [score for each in recent if (score := frequency_score(each, today, days)) is not None]
    if not recent:
        return 0.0
    return quantile(scores, 0.5)


def rate_score(share: float | None, sample: int) -> float | None:
    return None if share is None or sample < 5 else 10 - share * 10


def mean(scores: list[float | None], at_least: int) -> float | None:
    known = [score for score in scores if score is not None]
    return sum(known) / len(known) if len(known) >= at_least else None


def test_the_scorecard(truth: Truth, marts: duckdb.DuckDBPyConnection) -> None:
    now = truth.organization.now
    recorded = {}
    for days in (30, 90, 180, 365):
        for scope in truth.scopes:
            measured = {
                metric: [each for each in truth.measured(metric, scope) if now - timedelta(days=days) < each.at <= now]
                for metric in DORA_METRICS
            }
            lead_time = measured["lead_time"] or measured["commit_lead_time"]
            median, *_, sample = statistics(lead_time)
            recovery, *_, recoveries = statistics(measured["recovery"])
            throughput = [
                duration_score(median, sample),
                frequency_of_scope(truth, scope, days),
                duration_score(recovery, recoveries),
            ]
            stability = [
                rate_score(rate(measured[metric])[1], len(measured[metric]))
                for metric in ("change_fail_rate", "rework_rate")
            ]
            recorded[(days, *scope)] = (
                moment(now),
                *dora(measured)[:2],
                *dora(measured)[3:],
                *throughput,
                *stability,
                mean(throughput, 2),
                mean(stability, 1),
                mean([*throughput, *stability], 3),
            )
    columns = f"""as_of, {DORA.replace("redeploy_count, ", "")}, lead_time_score, deployment_frequency_score,
        recovery_score, change_fail_rate_score, rework_rate_score, throughput_score, stability_score, overall_score"""
    found = by_id(marts, f"select window_days, scope_type, scope, {columns} from marts.dora_scorecard", key=3)
    assert_same(found, recorded, columns)


def test_what_is_measured_and_left_out_is_all_there_is(truth: Truth, marts: duckdb.DuckDBPyConnection) -> None:
    """Each coverage has as many measured as the records have, and the rest by name among the exclusions."""
    metrics = (*DORA_METRICS, *DEV_COUNTS, *DEV_DURATIONS)
    recorded = {
        (metric, *scope): (count,)
        for metric in metrics
        for scope in truth.scopes
        if (count := len(truth.measured(metric, scope)))
    }
    names = ", ".join(f"'{metric}'" for metric in metrics)
    sql = f"""select metric, scope_type, scope, measured from marts.metric_coverage
        where measured > 0 and metric in ({names})"""
    assert_same(by_id(marts, sql, key=3), recorded, "measured")
    [(wrong,)] = marts.execute(
        "select count(*) from marts.metric_coverage where measured + excluded <> eligible"
    ).fetchall()
    assert wrong == 0
    excluded = by_id(
        marts, "select metric, excluded from marts.metric_coverage where scope_type = 'all' and excluded > 0"
    )
    named = by_id(marts, "select metric, count(*) from marts.metric_exclusions group by metric")
    assert_same(named, excluded, "count")


def test_dimensions(truth: Truth, marts: duckdb.DuckDBPyConnection) -> None:
    recorded = {
        truth.repository_id(each): (each.id, each.full_name, each.default_branch, each.archived_at is not None)
        for each in truth.organization.repositories
    }
    columns = "source_key, name, default_branch, is_archived"
    assert_same(by_id(marts, f"select repository_id, {columns} from marts.dim_repositories"), recorded, columns)
    teams = {team["name"]: (len({*team["members"]}),) for team in truth.settings["teams"]}
    assert_same(by_id(marts, "select team, member_count from marts.dim_teams"), teams, "member_count")
