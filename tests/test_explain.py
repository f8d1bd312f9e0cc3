"""From a number to its rows: whatever the marts say, the rows say too."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import duckdb
import pytest

from tests.conftest import veelocity
from veelocity_pipeline.published.explain import explain, metric_of
from veelocity_pipeline.published.metrics import Metric, read_metrics
from veelocity_pipeline.published.open import read_published
from veelocity_pipeline.published.series import ReportError
from veelocity_pipeline.safety.files import WarehouseError
from veelocity_pipeline.warehouse.home import Home

METRICS = (
    *("deployment_frequency", "lead_time", "change_fail_rate", "recovery", "rework_rate", "time_to_restore"),
    *("commit_lead_time", "redeployments", "time_to_first_review", "pickup", "review", "merge_time", "cycle_time"),
    *("started_to_completed", "pull_requests_opened", "pull_requests_merged", "pull_requests_merged_by_bots"),
    "issues_completed",
)
"""Those that a period table tells."""


@pytest.fixture(scope="module")
def metrics(refreshed: Home) -> Mapping[str, Metric]:
    with read_published(refreshed.published) as connection:
        return read_metrics(connection)


def test_a_metric_is_known_by_its_columns_too(metrics: Mapping[str, Metric]) -> None:
    assert metric_of("change_fail_rate", metrics).id == "change_fail_rate"
    assert metric_of("lead_time_hours_p75", metrics).id == "lead_time"
    assert metric_of("Deployment-Count", metrics).id == "deployment_frequency"
    assert metric_of("deployment_day_count", metrics).id == "deployment_frequency"
    assert metric_of("failed_deployment_count", metrics).id == "change_fail_rate"
    assert metric_of("change_count", metrics).id == "deployed_changes"
    assert metric_of("review_sample", metrics).id == "review"
    with pytest.raises(ReportError, match="did you mean lead_time"):
        metric_of("lead_times", metrics)


def test_every_metric_that_is_measured_is_listed_and_every_listed_one_has_its_columns(
    refreshed: Home, metrics: Mapping[str, Metric]
) -> None:
    with duckdb.connect(refreshed.published, read_only=True) as connection:
        measured = {
            name for (name,) in connection.execute("select distinct metric from marts.metric_measurements").fetchall()
        }
        columns = set(connection.execute("select table_name, column_name from duckdb_columns()").fetchall())
    assert measured == {metric.id for metric in metrics.values() if metric.is_measured}
    assert [metric.id for metric in metrics.values() if not metric.is_measured] == [
        "pull_requests_open",
        "issues_in_progress",
    ]
    assert {metric.id for metric in metrics.values() if metric.is_by_period} == set(METRICS)
    for metric in metrics.values():
        told = filter(None, (metric.value_column, metric.sample_column, metric.part_column))
        assert {(metric.table, column) for column in told} <= columns, metric.id


def test_windows_are_those_of_the_scorecard(refreshed: Home, metrics: Mapping[str, Metric]) -> None:
    """Two marts tell a window's numbers: of each key, the same."""
    with duckdb.connect(refreshed.published, read_only=True) as connection:
        for metric in metrics.values():
            if metric.is_key:
                [(compared, different)] = connection.execute(
                    f"""select count(*), count(*) filter (
                            abs(coalesce(windows.value, -1) - coalesce(cards.{metric.value_column}, -1)) > 1e-9
                            or windows.sample <> cards.{metric.sample_column or metric.value_column}
                        )
                        from marts.metric_windows as windows
                        inner join marts.dora_scorecard as cards using (window_days, scope_type, scope)
                        where windows.metric = '{metric.id}'"""
                ).fetchall()
                assert compared > 20
                assert not different, metric.id


@pytest.mark.parametrize("metric", METRICS)
def test_the_rows_give_the_number(metric: str, refreshed: Home, metrics: Mapping[str, Metric]) -> None:
    """Of some periods and scopes, quiet ones among them: the same number as in the marts."""
    table, column = metrics[metric].table, metrics[metric].value_column
    with duckdb.connect(refreshed.published, read_only=True) as connection:
        cells = connection.execute(
            f"select period, period_start, scope_type, scope, {column} from marts.{table} order by all"
        ).fetchall()
    told = [cell for cell in cells if cell[4]]
    assert told, "the simulated organisation has none of it"
    for period, start, scope_type, scope, number in random.Random(metric).sample(told, 6) + cells[:2]:
        found = explain(refreshed.published, metric, period=period, day=start, scope_type=scope_type, scope=scope)
        assert (found.number or None) == (pytest.approx(number) if number else None), (period, start, scope)
        assert all(row.url for row in found.measured)


def test_a_failed_deployment_names_its_evidence(refreshed: Home) -> None:
    found = explain(refreshed.published, "change_fail_rate")
    failed = [row for row in found.measured if row.value]
    assert failed
    assert all(row.evidence and all(each.url for each in row.evidence) for row in failed)
    assert not any(row.evidence for row in found.measured if not row.value)
    reworks = [row for row in explain(refreshed.published, "rework_rate").measured if row.value]
    assert reworks
    assert all(row.evidence for row in reworks)


def test_a_window_of_the_scorecard_is_explained(refreshed: Home) -> None:
    with duckdb.connect(refreshed.published, read_only=True) as connection:
        [(rate, count, lead)] = connection.execute(
            """select change_fail_rate, deployment_count, lead_time_hours_median from marts.dora_scorecard
               where window_days = 90 and scope_type = 'all'"""
        ).fetchall()
    assert explain(refreshed.published, "change_fail_rate", days=90).number == pytest.approx(rate)
    assert explain(refreshed.published, "deployment_count", days=90).number == count
    assert explain(refreshed.published, "lead_time", days=90).number == pytest.approx(lead)
    with pytest.raises(WarehouseError, match="there are 30, 90, 180, 365"):
        explain(refreshed.published, "lead_time", days=91)


def test_what_was_left_out_is_all_there(refreshed: Home) -> None:
    with duckdb.connect(refreshed.published, read_only=True) as connection:
        coverage = connection.execute(
            "select metric, measured, excluded from marts.metric_coverage where scope_type = 'all'"
        ).fetchall()
    for metric, measured, excluded in coverage:
        found = explain(refreshed.published, metric)
        assert (len(found.measured), len(found.excluded)) == (measured, excluded), metric
        assert all(row.excluded_because for row in found.excluded)


def test_the_command_prints_rows_with_links(refreshed: Home, tmp_path: Path) -> None:
    home = {"VEELOCITY_HOME": str(refreshed.path)}
    with duckdb.connect(refreshed.published, read_only=True) as connection:
        [(week, repository, rate)] = connection.execute(
            """select period_start, scope, change_fail_rate from marts.dora_metrics
               where period = 'week' and scope_type = 'repository' and change_fail_rate > 0 order by 1 limit 1"""
        ).fetchall()
    name = repository.partition(":")[2]
    result = veelocity("explain", "change_fail_rate", "--week", str(week), "--repository", name.upper(), **home)
    assert result.returncode == 0, result.stderr
    assert f"change_fail_rate of {name}, the week from {week}" in result.stdout
    assert "http" in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines())
    as_json = veelocity("explain", "change_fail_rate", "--week", str(week), "--repository", name, "--json", **home)
    content = json.loads(as_json.stdout)
    assert content["number"] == pytest.approx(rate)
    assert [row["value"] for row in content["measured"]] == sorted(
        (row["value"] for row in content["measured"]), reverse=True
    )


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("lead_tme",), 1, r"there is no metric 'lead_tme'; did you mean lead_time"),
        (("lead_time", "--week", "monday"), 2, r"--week monday: not a day; write it as 2026-03-02"),
        (("lead_time", "--week", "2026-03-02", "--day", "2026-03-02"), 2, r"only one of --day, --week"),
        (("lead_time", "--repository", "acme/nope"), 1, r"--repository acme/nope: it is not among the published ones"),
    ],
)
def test_what_cannot_be_explained_is_said(arguments: tuple[str, ...], status: int, says: str, refreshed: Home) -> None:
    result = veelocity("explain", *arguments, VEELOCITY_HOME=str(refreshed.path))
    assert result.returncode == status
    assert re.search(says, result.stderr)
    assert "Traceback" not in result.stderr


def test_nothing_published_is_said(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="nothing is published yet"):
        explain(tmp_path / "veelocity.duckdb", "lead_time", period="week", day=date(2026, 3, 2))
