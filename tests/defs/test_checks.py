"""Checks of what no test in SQL sees: when they fail, and that first loads and quiet days do not make them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from tests.defs.test_automation import status_row
from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.defs import checks
from veelocity_pipeline.sources import SOURCES
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.status import count_rows

KEY = dg.AssetKey(["github", "issues"])
NOW = datetime(2026, 3, 4, 12, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "now", "passed"),
    [(None, 0, True), (19, 0, True), (100, 50, True), (100, 49, False), (100, 0, False), (0, 0, True), (50, 900, True)],
)
def test_half_of_the_rows_must_not_go_between_two_loads(before: int | None, now: int, passed: bool) -> None:
    check = checks.rows_kept(KEY, before, now)
    assert check.passed is passed
    if not passed:
        assert check.severity == dg.AssetCheckSeverity.ERROR
        assert check.description == f"100 rows became {now} since the last load"


def test_rows_are_counted_from_load_to_load(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    assert count_rows(home, "github", {"issues": 3, "tags": 0}) == {}
    assert count_rows(home, "linear", {"issues": 9}) == {}
    assert count_rows(home, "github", {"issues": 4}) == {"issues": 3, "tags": 0}
    assert count_rows(home, "github", {"issues": 4}) == {"issues": 4}


@pytest.mark.parametrize(("share", "passed"), [(None, True), (1.0, True), (0.1, True), (0.0999, False), (0.0, False)])
def test_a_tenth_of_the_budget_must_be_left(share: float | None, passed: bool) -> None:
    check = checks.budget_left(KEY, share)
    assert (check.passed, check.severity) == (passed, dg.AssetCheckSeverity.WARN)


def test_what_is_late_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORIES", "acme/web")

    def made(hours: float, **values: Any) -> dg.AssetCheckResult:
        at = (NOW - timedelta(hours=hours)).isoformat()
        return checks.read_on_time(KEY, [status_row("acme/web", succeeded_at=at, **values)], load_settings(), NOW)

    assert made(3).passed  # three turns are missed at the fourth
    assert made(3.5).description == "not read since 2026-03-04 09:00 UTC: acme/web"
    assert made(3.5).severity == dg.AssetCheckSeverity.WARN
    assert made(99, source="linear").passed  # is not configured
    monkeypatch.setenv("VEELOCITY_INCREMENTAL_CRON", "0 9 * * 1-5")
    assert made(99).passed


# ------------------------------------------------------------------------------------ the published numbers


def published(tmp_path: Path, rows: str) -> Path:
    """Pull requests of one repository as of 2026-01-01, each ``(author, merged days ago, shipped after hours)``."""
    path = tmp_path / "veelocity.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(path) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.dora_scorecard as select timestamp '2026-01-01' as as_of")
        connection.execute(
            f"""create table marts.fct_pull_requests as
                select
                    'github:acme/web' as repository_id,
                    author,
                    false as is_bot,
                    timestamp '2026-01-01' - to_days(days) as created_at,
                    created_at as merged_at,
                    'merged' as state,
                    true as targets_default_branch,
                    false as deployed_in_baseline,
                    hours::double as deploy_hours,
                    if(hours is null, null, 'd') as deployment_id
                from ({rows}) as t (author, days, hours)"""
        )
    return path


def judged(tmp_path: Path, rows: str) -> dict[str, str | None]:
    return {c.check_name or "": c.description for c in checks.published_checks(KEY, published(tmp_path, rows))}


def test_authors_must_be_known(tmp_path: Path) -> None:
    def said(known: int, unknown: int) -> str | None:
        rows = f"select 'ada', 1, 1 from range({known}) union all select null, 1, 1 from range({unknown})"
        return judged(tmp_path, rows)["authors_known"]

    assert said(80, 20) is None
    assert said(78, 22) == "22% of 100 pull requests of the last 90 days have no known author"
    assert said(0, 49) is None  # too few to tell
    assert said(0, 0) is None


def test_a_share_of_shipped_changes_that_collapses_is_told(tmp_path: Path) -> None:
    """A pull request a day for a year: shipped after some hours, until it was so and so many days ago."""

    def said(until: int, hours: int = 24) -> str | None:
        rows = f"select 'ada', i, if(i >= {until}, {hours}, null) from range(365) as r (i)"
        return judged(tmp_path, rows)["changes_shipped"]

    assert said(0) is None
    assert said(7) is None  # what is young need not be out yet
    assert said(20) is None  # half of the last weeks'
    told = said(30)
    assert told is not None
    assert told.startswith("far fewer merged pull requests are shipped: github:acme/web ")
    # a repository that ships every quarter shipped nothing of the last months, as always
    assert said(80, hours=24 * 90) is None
    assert judged(tmp_path, "select 'ada', i, null from range(365) as r (i)")["changes_shipped"] is None  # never did
    assert judged(tmp_path, "select 'ada', i, null from range(9) as r (i)")["changes_shipped"] is None


def test_the_demo_is_judged_well(refreshed: Home) -> None:
    assert [check.passed for check in checks.published_checks(KEY, refreshed.published)] == [True, True]


# ----------------------------------------------------------------------------------------------- freshness


def test_what_people_look_at_says_how_old_it_may_get(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.freshness(load_settings()) == {}  # nothing runs, a demo may grow old
    monkeypatch.setenv("GITHUB_TOKEN", "t")
    monkeypatch.setenv("GITHUB_REPOSITORIES", "acme/web")
    policies = checks.freshness(load_settings())
    assert policies.keys() == {*(entry.dataset for entry in SOURCES.values()), "marts", "custom", "published"}
    hours = {name: timedelta(hours=n) for name, n in {"warn": 2, "fail": 4, "day": 25}.items()}
    raw, marts = (
        dg.FreshnessPolicy.time_window(fail_window=hours["fail"] + day, warn_window=hours["warn"] + day)
        for day in (timedelta(0), hours["day"])
    )
    assert (policies["raw_github"], policies["marts"], policies["published"]) == (raw, marts, marts)

    monkeypatch.setenv("VEELOCITY_INCREMENTAL_CRON", "0 6 * * 1-5")  # over a weekend nothing is due
    monkeypatch.setenv("VEELOCITY_STALE_AFTER", "1")
    assert checks.freshness(load_settings())["raw_linear"] == dg.FreshnessPolicy.time_window(
        fail_window=timedelta(days=6), warn_window=timedelta(days=3)
    )


def test_policies_reach_the_assets(defs: dg.Definitions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "t")
    monkeypatch.setenv("GITHUB_REPOSITORIES", "acme/web")
    assets = [each for each in defs.assets or () if isinstance(each, dg.AssetsDefinition)]
    with_them = checks.with_freshness(assets, load_settings())
    groups = {spec.group_name: spec.freshness_policy is not None for each in with_them for spec in each.specs}
    assert {group for group, has_policy in groups.items() if has_policy} == {
        "raw_github", "raw_github_actions", "raw_linear", "marts", "published",
    }  # fmt: skip
    before = {check for each in assets for check in each.check_keys}
    assert {check for each in with_them for check in each.check_keys} == before


def test_what_was_skipped_is_a_warning_with_an_example() -> None:
    passed = checks.nothing_skipped(KEY, {}, [])
    assert passed.passed
    failed = checks.nothing_skipped(KEY, {"acme/web issues": 2}, ["I_9: it is not to be had"])
    assert (failed.passed, failed.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "2 of acme/web issues; e.g. I_9" in (failed.description or "")
