"""A small published file with the marts that the report reads: facts first, then metrics worked out from them.

Times have no zone, as in the marts, where all are UTC.
"""

# ruff: noqa: DTZ001

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from tests.report.browser import ARGUMENTS, CHROMIUM, Opened
from tests.report.tables import MEANS, TABLES
from veelocity_pipeline.faces.report import render_report
from veelocity_pipeline.transform.prepare import ship

AS_OF = datetime(2026, 3, 18, 10, 30)
FIRST_DAY = date(2025, 1, 6)
FORMULA = '=HYPERLINK("https://example.com", "a, b")'
HOSTILE_TITLE = "</script><img src=x onerror=alert(1)> & 'quotes' \u2028 end"

#: (repository, service, days between deployments, every n-th fails)
WEB, API, CHECKOUT = "github:acme/web", "github:acme/api", "github:acme/mono/checkout"
PARTS = (
    ("github:acme/web", WEB, 2, 9),
    ("github:acme/api", API, 3, 14),
    ("github:acme/mono", CHECKOUT, 5, 0),
)
SCOPES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("all", "all", (WEB, API, CHECKOUT)),
    ("repository", "github:acme/api", (API,)),
    ("repository", "github:acme/mono", (CHECKOUT,)),
    ("repository", "github:acme/web", (WEB,)),
    ("service", API, (API,)),
    ("service", CHECKOUT, (CHECKOUT,)),
    ("service", WEB, (WEB,)),
    ("team", "Platform", (API, CHECKOUT)),
)


def quantile(values: Iterable[float], share: float) -> float | None:
    """Interpolated as DuckDB's quantile_cont; None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    place = (len(ordered) - 1) * share
    low, high = math.floor(place), math.ceil(place)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


@dataclass
class Organization:
    """The records behind the fixture."""

    deployments: list[dict[str, Any]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    pull_requests: list[dict[str, Any]] = field(default_factory=list)

    def window(self, parts: tuple[str, ...], begins: datetime, ends: datetime) -> dict[str, Any]:
        """The five keys of a span, in plain Python."""
        deployed = [d for d in self.deployments if d["service"] in parts and begins < d["finished_at"] <= ends]
        lead = [
            c["lead_time_hours"] for c in self.changes if c["service"] in parts and begins < c["deployed_at"] <= ends
        ]
        recovered = [
            d["recovery_hours"]
            for d in self.deployments
            if d["service"] in parts and d["recovered_at"] and begins < d["recovered_at"] <= ends
        ]
        failed = sum(d["is_failed"] for d in deployed)
        rework = sum(d["is_rework"] for d in deployed)
        return {
            "deployment_count": len(deployed),
            "deployment_day_count": len({d["finished_at"].date() for d in deployed}),
            "failed_deployment_count": failed,
            "rework_deployment_count": rework,
            "change_fail_rate": failed / len(deployed) if deployed else None,
            "change_fail_rate_sample": len(deployed),
            "rework_rate": rework / len(deployed) if deployed else None,
            "rework_rate_sample": len(deployed),
            "lead": lead,
            "lead_time_hours_median": quantile(lead, 0.5),
            "lead_time_sample": len(lead),
            "recovered": recovered,
            "recovery_hours_median": quantile(recovered, 0.5),
            "recovery_sample": len(recovered),
        }


def organization() -> Organization:
    """Fourteen months of three services; every number follows from the day it happens on."""
    made = Organization()
    for repository, service, every, failing in PARTS:
        start = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, 14)
        total = (AS_OF - start).days // every
        for at in range(total + 1):
            finished = start + timedelta(days=at * every, minutes=(at * 37) % 200)
            if finished >= AS_OF:
                continue
            deployment_id = f"{service}/runs/{at}/attempts/1"
            is_failed = bool(failing) and at % failing == failing - 1
            recovery = 0.5 + (at * 13 % 17) * 0.75 if is_failed else None
            recovered_at = finished + timedelta(hours=recovery) if recovery is not None else None
            if recovered_at and recovered_at >= AS_OF:
                recovery = recovered_at = None
            made.deployments.append(
                {
                    "deployment_id": deployment_id, "repository_id": repository, "service": service,
                    "environment": "production", "is_production": True, "source": "workflow_run",
                    "rule": "deployments.workflow_patterns: deploy", "status": "success",
                    "sha": f"{at * 7919 % 16**7:07x}" + "0" * 33, "ref": "main",
                    "url": f"https://github.example/{repository[7:]}/actions/runs/{at}",
                    "started_at": finished - timedelta(minutes=9), "finished_at": finished,
                    "is_baseline": at == 0, "is_redeploy": False, "is_rollback": False, "is_failed": is_failed,
                    "is_rework": bool(failing) and at > 0 and at % failing == 0, "recovered_at": recovered_at,
                    "recovery_hours": recovery, "change_count": 2,
                }
            )  # fmt: skip
            for place in range(2):
                number = at * 2 + place + 1
                hours = 6.0 + (number * 29 % 61) + (20.0 if finished < datetime(2025, 9, 19) else 0.0)
                pull_request_id = f"{repository}#{number}"
                made.pull_requests.append(
                    {
                        "pull_request_id": pull_request_id, "repository_id": repository, "service": service,
                        "title": {0: HOSTILE_TITLE, 1: FORMULA}.get(number % 9, f"Change {number}"),
                        "url": f"https://github.example/{repository[7:]}/pull/{number}", "is_bot": False,
                        "is_draft": False, "created_at": finished - timedelta(hours=hours),
                        **({"state": "merged", "merged_at": finished} if number % 50 else {"state": "open"}),
                        "coding_hours": 1.0, "draft_hours": 0.0, "deploy_hours": 2.0,
                        **({"pickup_hours": 1.0, "review_hours": hours - 4} if number % 4 else {}),
                        **({} if number % 4 else {"unreviewed_hours": hours - 3}),
                    }
                )  # fmt: skip
                if at > 0:
                    made.changes.append(
                        {
                            "deployment_id": deployment_id, "repository_id": repository, "service": service,
                            "change_type": "pull_request", "pull_request_id": pull_request_id, "in_baseline": False,
                            "deployed_at": finished, "lead_time_hours": hours,
                        }
                    )  # fmt: skip
            if is_failed:
                made.failures.append(
                    {
                        "deployment_id": deployment_id, "evidence": "revert",
                        "evidence_id": f"{repository}#{at * 2 + 1}",
                        "evidence_url": "javascript:alert(1)" if at % 2 else f"https://github.example/x/pull/{at}",
                        "occurred_at": finished, "counts": True, "reason": "shipped within 720 h",
                        "fix_deployment_id": f"{service}/runs/{at + 1}/attempts/1",
                    }
                )  # fmt: skip
    return made


def measurements(made: Organization) -> list[dict[str, Any]]:
    """Every measured thing of the keys, once per scope that has it."""
    rows = []

    def add(metric: str, scope: tuple[str, str], entity_id: str, at: datetime | None, value: float | None) -> None:
        rows.append(
            {
                "metric": metric, "scope_type": scope[0], "scope": scope[1], "entity_id": entity_id, "measured_at": at,
                "measured_on": at.date() if at else None, "value": value,
                "excluded_because": None if value is not None else "not recovered yet",
            }
        )  # fmt: skip

    for scope_type, name, parts in SCOPES:
        scope = (scope_type, name)
        for deployment in made.deployments:
            if deployment["service"] not in parts:
                continue
            deployment_id, at = deployment["deployment_id"], deployment["finished_at"]
            add("deployment_frequency", scope, deployment_id, at, 1.0)
            add("change_fail_rate", scope, deployment_id, at, float(deployment["is_failed"]))
            add("rework_rate", scope, deployment_id, at, float(deployment["is_rework"]))
            if deployment["is_failed"]:
                add("recovery", scope, deployment_id, deployment["recovered_at"] or at, deployment["recovery_hours"])
        for change in made.changes:
            if change["service"] in parts:
                add("lead_time", scope, change["pull_request_id"], change["deployed_at"], change["lead_time_hours"])
        for pull_request in made.pull_requests:
            if pull_request["service"] in parts:
                created_at = pull_request["created_at"]
                add("pull_requests_opened", scope, pull_request["pull_request_id"], created_at, 1.0)
    return rows


def coverage(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """How many of the measurements have a value, by metric and scope."""
    found: dict[tuple[str, str, str], list[bool]] = {}
    for row in rows:
        found.setdefault((row["metric"], row["scope_type"], row["scope"]), []).append(row["value"] is not None)
    return [
        {
            "metric": metric, "scope_type": scope_type, "scope": scope, "eligible": len(measured),
            "measured": sum(measured), "excluded": len(measured) - sum(measured),
        }
        for (metric, scope_type, scope), measured in found.items()
    ]  # fmt: skip


def entities(made: Organization) -> list[dict[str, Any]]:
    """What the measurements are about."""
    return [
        {
            "entity_id": each["deployment_id"], "entity_type": "deployment", "repository_id": each["repository_id"],
            "title": each["ref"], "url": each["url"],
        }
        for each in made.deployments
    ] + [
        {
            "entity_id": each["pull_request_id"], "entity_type": "pull_request", "title": each["title"],
            "repository_id": each["repository_id"], "url": each["url"],
        }
        for each in made.pull_requests
    ]  # fmt: skip


def issues() -> list[dict[str, Any]]:
    """Three of Linear's: one done, one in progress, one put back."""
    begun = datetime(2026, 2, 2, 9)
    return [
        {
            "issue_id": f"linear:ENG-{number}", "key": f"ENG-{number}", "title": f"Issue {number}", "team": "ENG",
            "url": f"https://linear.example/ENG-{number}", "state_category": state, "is_archived": False,
            "started_at": begun, "completed_at": begun + timedelta(days=10) if state == "completed" else None,
        }
        for number, state in enumerate(("completed", "started", "unstarted"), start=1)
    ]  # fmt: skip


def period_starts(period: str) -> list[date]:
    """Every period from the first day to the one that holds AS_OF."""
    found = []
    at = FIRST_DAY if period in {"day", "week"} else FIRST_DAY.replace(day=1)
    while at <= AS_OF.date():
        found.append(at)
        at = next_period(period, at)
    return found


def next_period(period: str, start: date) -> date:
    if period in {"day", "week"}:
        return start + timedelta(days=1 if period == "day" else 7)
    months = start.month - 1 + (1 if period == "month" else 3)
    return date(start.year + months // 12, months % 12 + 1, 1)


def metric_rows(made: Organization) -> list[dict[str, Any]]:
    rows = []
    for period in ("day", "week", "month", "quarter"):
        for start in period_starts(period):
            begins = datetime(start.year, start.month, start.day)
            last = next_period(period, start)
            ends = min(datetime(last.year, last.month, last.day), AS_OF)
            for scope_type, scope, parts in SCOPES:
                keys = made.window(parts, begins, ends)
                rows.append(
                    {
                        "period": period, "period_start": start, "scope_type": scope_type, "scope": scope,
                        **{name: keys[name] for name in keys if name not in {"lead", "recovered"}},
                        "redeploy_count": 0,
                        "lead_time_hours_p75": quantile(keys["lead"], 0.75),
                        "lead_time_hours_p90": quantile(keys["lead"], 0.9),
                        "recovery_hours_p75": quantile(keys["recovered"], 0.75),
                        "recovery_hours_p90": quantile(keys["recovered"], 0.9),
                        "time_to_restore_sample": 0, "metric_version": 1,
                        "is_complete": datetime(last.year, last.month, last.day) <= AS_OF,
                    }
                )  # fmt: skip
    return rows


def flow_rows(linear: bool) -> list[dict[str, Any]]:
    rows = []
    for period, scale in (("day", 1), ("week", 1), ("month", 4), ("quarter", 13)):
        for at, start in enumerate(period_starts(period)):
            last = next_period(period, start)
            for shift, (scope_type, scope, parts) in enumerate(SCOPES):
                row: dict[str, Any] = {
                    "period": period, "period_start": start, "scope_type": scope_type, "scope": scope,
                    "pull_requests_merged": (7 + at * 5 % 6) * len(parts) * scale,
                    "issues_completed": (4 + at * 3 % 5) * len(parts) * scale if linear else 0,
                    "metric_version": 1,
                    "is_complete": datetime(last.year, last.month, last.day) <= AS_OF,
                }  # fmt: skip
                for place, name in enumerate(
                    ("time_to_first_review", "pickup", "review", "merge_time", "cycle_time", "started_to_completed")
                ):
                    unknown = (place > 3 and not linear) or (name == "pickup" and at % 7 == 3)
                    median = (2.0 + place * 3) ** 1.3 + (at * 11 + shift * 3) % 7 * (0.6 + place)
                    row[f"{name}_hours_median"] = None if unknown else median
                    row[f"{name}_hours_p75"] = None if unknown else median * 2.2
                    row[f"{name}_hours_p90"] = None if unknown else median * 4.1
                    row[f"{name}_sample"] = 0 if unknown else (7 + at * 5 % 6) * scale
                rows.append(row)
    return rows


def scorecard_rows(made: Organization) -> list[dict[str, Any]]:
    rows = []
    for days in (30, 90, 180, 365):
        for scope_type, scope, parts in SCOPES:
            keys = made.window(parts, AS_OF - timedelta(days=days), AS_OF)
            lead_score = 6.0 if keys["lead_time_sample"] >= 5 else None
            recovery_score = 8.0 if keys["recovery_sample"] >= 5 else None
            rate_scores = [
                10 - keys[name] * 10 if keys["deployment_count"] >= 5 else None
                for name in ("change_fail_rate", "rework_rate")
            ]
            rows.append(
                {
                    "window_days": days, "scope_type": scope_type, "scope": scope, "as_of": AS_OF,
                    **{name: keys[name] for name in keys if name not in {"lead", "recovered"}},
                    "commit_lead_time_sample": 0, "is_lead_time_of_commits": False,
                    **{f"{key}_industry_mean_2025": mean for key, mean in MEANS.items()},
                    "deployment_frequency_score": 8.0 if len(parts) == 3 else 6.0,
                    "lead_time_score": lead_score, "recovery_score": recovery_score,
                    "change_fail_rate_score": rate_scores[0], "rework_rate_score": rate_scores[1],
                    "lead_time_level_2023": "high" if lead_score else None,
                    "deployment_frequency_level_2023": "high",
                    "throughput_score": 7.0, "stability_score": 9.1, "overall_score": 7.7,
                }
            )  # fmt: skip
    return rows


def window_rows(made: Organization) -> list[dict[str, Any]]:
    """Each window of each scope beside the one before it, and all history."""
    rows = []
    began = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, 14)
    for days in (30, 90, 180, 365, None):
        for scope_type, scope, parts in SCOPES:
            after = AS_OF - timedelta(days=days) if days else datetime(2000, 1, 1)
            now = made.window(parts, after, AS_OF)
            has_previous = bool(days) and began <= AS_OF - timedelta(days=2 * (days or 0))
            before = made.window(parts, after - timedelta(days=days), after) if days and has_previous else {}
            for metric, (value, sample, part) in {
                "deployment_frequency": ("deployment_count", "deployment_count", "deployment_day_count"),
                "lead_time": ("lead_time_hours_median", "lead_time_sample", ""),
                "change_fail_rate": ("change_fail_rate", "change_fail_rate_sample", "failed_deployment_count"),
                "recovery": ("recovery_hours_median", "recovery_sample", ""),
                "rework_rate": ("rework_rate", "rework_rate_sample", "rework_deployment_count"),
            }.items():
                rows.append(
                    {
                        "window_days": days, "scope_type": scope_type, "scope": scope, "metric": metric,
                        "value": now[value], "sample": now[sample], "part": now.get(part),
                        "excluded": sum(
                            d["is_failed"] and d["recovered_at"] is None and after < d["finished_at"] <= AS_OF
                            for d in made.deployments if d["service"] in parts
                        ) if metric == "recovery" else 0,
                        "days": days or (AS_OF - began).total_seconds() / 86400, "has_previous": has_previous,
                        "previous_value": before.get(value), "previous_sample": before.get(sample),
                        "is_clear_change": metric == "recovery" and days == 90,
                    }
                )  # fmt: skip
    return rows


def sync_rows(linear: bool, error: str | None) -> list[dict[str, Any]]:
    rows = []
    for source, names in (
        ("github", ("acme/web", "acme/api", "acme/mono")),
        ("github_actions", ("acme/web", "acme/api")),
    ):
        rows += [
            {
                "source": source, "table_name": "pull_requests" if source == "github" else "workflow_runs",
                "repository": name, "attempted_at": AS_OF, "succeeded_at": AS_OF, "read_at": AS_OF, "rows": 100,
                "error": error if name == "acme/api" and source == "github" else None,
            }
            for name in names
        ]  # fmt: skip
    if linear:
        rows.append(
            {
                "source": "linear", "table_name": "issues", "repository": "ENG", "attempted_at": AS_OF,
                "succeeded_at": AS_OF, "read_at": AS_OF - timedelta(days=3), "rows": 50,
            }
        )  # fmt: skip
    return rows


def write(path: Path, rows: dict[str, list[dict[str, Any]]]) -> Path:
    """A published file whose marts hold `rows`; what a row does not name is NULL, what no mart has is left out."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts")
        for table, columns in TABLES.items():
            connection.execute(f"create table marts.{table} ({columns})")
            names = [column.split()[0].strip('"') for column in columns.split(", ")]
            values = rows.get(table, [])
            if values:
                records = pa.table({name: [row.get(name) for row in values] for name in names})
                connection.register("records", records)
                connection.execute(f"insert into marts.{table} select * from records")
                connection.unregister("records")
    return path


def published_rows(linear: bool = True, error: str | None = None) -> dict[str, list[dict[str, Any]]]:
    """The rows of every mart, the caller's own to change."""
    marts = {**_delivery(), "dev_metrics": flow_rows(linear), "sync_status": sync_rows(linear, error)}
    return {mart: [dict(row) for row in rows] for mart, rows in marts.items()}


def listed_metrics() -> list[dict[str, Any]]:
    """The metrics as the project lists them: what they are called does not matter here, that all are there does."""
    code = ship().manifest["nodes"]["model.veelocity.dim_metrics"]["compiled_code"]
    with duckdb.connect() as connection:
        rows: list[dict[str, Any]] = connection.sql(code).arrow().read_all().to_pylist()
        return rows


@functools.cache
def _delivery() -> dict[str, list[dict[str, Any]]]:
    from tests.report.work import stage_rows, work_rows

    made = organization()
    measured = measurements(made)
    return {
        "fct_deployments": made.deployments,
        "metric_measurements": measured,
        "metric_coverage": coverage(measured),
        "metric_entities": entities(made),
        "fct_issues": issues(),
        "dim_teams": [{"team": "Platform", "linear_teams": "ENG, OPS"}],
        "fct_deployment_failures": made.failures,
        "fct_pull_requests": made.pull_requests,
        "dora_metrics": metric_rows(made),
        "dora_scorecard": scorecard_rows(made),
        "metric_windows": window_rows(made),
        "work_in_progress": work_rows(made),
        "lead_time_stages": stage_rows(made),
        "dim_metrics": listed_metrics(),
    }


@pytest.fixture(scope="session")
def truth() -> Organization:
    return organization()


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole organisation; Linear is three days behind."""
    return write(tmp_path_factory.mktemp("published") / "veelocity.duckdb", published_rows())


@pytest.fixture
def publish(tmp_path: Path) -> Callable[[dict[str, list[dict[str, Any]]]], Path]:
    """Write another published file from rows by mart."""
    return lambda rows: write(tmp_path / "veelocity.duckdb", rows)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render_report(published, tmp_path_factory.mktemp("browser") / "index.html")


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Opened]]:
    contexts = []

    def opened(**options: Any) -> Opened:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        return Opened(context.new_page())

    yield opened
    for context in contexts:
        context.close()
