"""Work in progress and the stages of the lead time of the fixture, worked out in plain Python."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

from tests.report.conftest import AS_OF, SCOPES, Organization, next_period, period_starts, quantile

AGES = (
    ("open_under_1_day", 0, 24), ("open_1_to_3_days", 24, 72), ("open_3_to_7_days", 72, 168),
    ("open_1_to_4_weeks", 168, 672), ("open_over_4_weeks", 672, 1e9),
)  # fmt: skip

STAGES = ("coding", "draft", "pickup", "review", "unreviewed", "deploy")


def open_hours(made: Organization, parts: Sequence[str], ends: datetime) -> list[float]:
    """How old the pull requests are that are open at a moment."""
    return [
        (ends - each["created_at"]).total_seconds() / 3600
        for each in made.pull_requests
        if each["service"] in parts and each["created_at"] < ends and not (each.get("merged_at") or AS_OF) < ends
    ]


def work_rows(made: Organization) -> list[dict[str, Any]]:
    """What was in progress when each period ended; of two issues of February one is still in progress."""
    rows = []
    for period in ("day", "week", "month", "quarter"):
        for start in period_starts(period):
            last = datetime.combine(next_period(period, start), time())
            ends = min(last, AS_OF)
            for scope_type, scope, parts in SCOPES:
                hours = open_hours(made, parts, ends)
                begun = datetime(2026, 2, 2, 9)  # noqa: DTZ001
                issues = (begun < ends) + (begun < ends <= begun + timedelta(days=10))
                rows.append(
                    {
                        "period": period, "period_start": start, "scope_type": scope_type, "scope": scope,
                        "pull_requests_open": len(hours), "open_hours_median": quantile(hours, 0.5),
                        "issues_in_progress": issues if scope_type in {"all", "team"} else None,
                        **{name: sum(low <= each < high for each in hours) for name, low, high in AGES},
                        "is_complete": last <= AS_OF,
                    }
                )  # fmt: skip
    return rows


def stages(made: Organization, parts: Sequence[str], days: int | None) -> dict[str, list[float]]:
    """By stage the hours of the pull requests that were shipped in a window."""
    begins = AS_OF - timedelta(days=days or 9999)
    of = {each["pull_request_id"]: each for each in made.pull_requests}
    shipped = [
        of[each["pull_request_id"]]
        for each in made.changes
        if each["service"] in parts and begins < each["deployed_at"] <= AS_OF
    ]
    found = {stage: [each.get(f"{stage}_hours") for each in shipped] for stage in STAGES}
    return {stage: [each for each in hours if each is not None] for stage, hours in found.items()}


def stage_rows(made: Organization) -> list[dict[str, Any]]:
    rows = []
    for days in (30, 90, 180, 365, None):
        for scope_type, scope, parts in SCOPES:
            found = stages(made, parts, days)
            total = sum(map(sum, found.values()))
            rows += [
                {
                    "window_days": days, "scope_type": scope_type, "scope": scope, "stage": stage,
                    "stage_hours": sum(hours), "hours_share": sum(hours) / total, "sample": len(hours),
                    "stage_hours_median": quantile(hours, 0.5), "stage_hours_p75": quantile(hours, 0.75),
                    "stage_hours_p90": quantile(hours, 0.9), "pull_request_count": len(found["coding"]),
                }
                for stage, hours in found.items()
            ]  # fmt: skip
    return rows
