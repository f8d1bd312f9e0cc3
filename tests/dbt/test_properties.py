"""Neither the order of raw rows, nor a row that was loaded twice, nor another repository changes a mart."""

from __future__ import annotations

from collections import Counter
from typing import Any

import duckdb
import pytest

from .harness import (
    FOLDERS,
    OF_REPOSITORIES,
    Scenario,
    build,
    failed_tests,
    given,
    may_have_siblings,
    mixed,
    with_siblings,
)
from .project import DATABASE, Project


def _marts(project: Project, connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    return {
        node.name: sorted(map(repr, connection.execute(f"select * from {node.relation}").fetchall()))
        for node in project.nodes
        if node.contract
    }


def _broken(connection: duckdb.DuckDBPyConnection) -> dict[str, list[Any]]:
    """What may not be, and is."""
    found = {
        name: connection.execute(query.replace("marts.", f"{DATABASE}.marts.")).fetchall()
        for name, query in _INVARIANTS.items()
    }
    return {name: rows for name, rows in found.items() if rows}


@pytest.mark.parametrize("scenario", FOLDERS, indirect=True, ids=lambda path: path.name)
def test_order_and_twins_change_nothing(project: Project, scenario: Scenario) -> None:
    expected = _marts(project, scenario.connection)
    assert _broken(scenario.connection) == {}
    with build(project, mixed(given(scenario.folder / "given"))) as other:
        found = _marts(project, other)
    assert [name for name in expected if expected[name] != found[name]] == []


@pytest.mark.parametrize(
    "scenario",
    [path for path in FOLDERS if may_have_siblings(given(path / "given"))],
    indirect=True,
    ids=lambda path: path.name,
)
def test_a_repository_that_is_just_like_it_changes_nothing(project: Project, scenario: Scenario) -> None:
    with build(project, with_siblings(given(scenario.folder / "given"))) as other:
        lost = {}
        for name, where in OF_REPOSITORIES.items():
            own, found = (
                Counter(each.execute(f"select * from marts.{name} where {where}").fetchall())
                for each in (scenario.connection, other)
            )
            lost[name] = own - found
        assert not any(lost.values())
        assert not failed_tests(project, other)


_INVARIANTS = {
    "measured + excluded = eligible": """
        select * from marts.metric_coverage where measured + excluded <> eligible""",
    "every exclusion is named": """
        select metric, sum(excluded) from marts.metric_coverage
        where scope_type = 'all' and excluded > 0 group by metric
        except select metric, count(*) from marts.metric_exclusions group by metric""",
    "a rate is within 0 and 1": """
        select period_start, scope, change_fail_rate, rework_rate from marts.dora_metrics
        where change_fail_rate not between 0 and 1 or rework_rate not between 0 and 1""",
    "a shipped change has one deployment of a service": """
        select change_id, service from marts.fct_deployed_changes group by all having count(*) > 1""",
    "the parts of lead time add up": """
        select pull_request_id, coding_hours, merge_time_hours, deploy_hours, lead_time_hours
        from marts.fct_pull_requests
        where abs(coding_hours + merge_time_hours + deploy_hours - lead_time_hours) > 1e-6""",
    "counts of the repositories are the total's": """
        select period, period_start, deployment_count, redeploy_count, failed_deployment_count,
            rework_deployment_count
        from marts.dora_metrics where scope_type = 'all'
        except
        select period, period_start, sum(deployment_count), sum(redeploy_count), sum(failed_deployment_count),
            sum(rework_deployment_count)
        from marts.dora_metrics where scope_type = 'repository' group by all""",
    "samples of the repositories are the total's": """
        select period, period_start, lead_time_sample, recovery_sample, commit_lead_time_sample
        from marts.dora_metrics where scope_type = 'all'
        except
        select period, period_start, sum(lead_time_sample), sum(recovery_sample), sum(commit_lead_time_sample)
        from marts.dora_metrics where scope_type = 'repository' group by all""",
    "pull requests of the repositories are the total's": """
        select period, period_start, pull_requests_opened, pull_requests_merged, pull_requests_merged_by_bots
        from marts.dev_metrics where scope_type = 'all'
        except
        select period, period_start, sum(pull_requests_opened), sum(pull_requests_merged),
            sum(pull_requests_merged_by_bots)
        from marts.dev_metrics where scope_type = 'repository' group by all""",
    "the days of a month are the month": """
        select date_trunc('month', period_start)::date as month, scope_type, scope, sum(deployment_count),
            sum(failed_deployment_count), sum(lead_time_sample)
        from marts.dora_metrics where period = 'day' group by all
        except
        select period_start, scope_type, scope, deployment_count, failed_deployment_count, lead_time_sample
        from marts.dora_metrics where period = 'month'""",
    "nobody reviews himself": """
        select pull_requests.pull_request_id
        from marts.fct_pull_requests as pull_requests
        where first_review_at is not null and not exists (
            from marts.fct_reviews as reviews
            where reviews.pull_request_id = pull_requests.pull_request_id
              and not is_author and not is_bot and submitted_at = first_review_at)""",
    "a median is not above the 75th percentile, nor that above the 90th": """
        select * from marts.dora_metrics
        where lead_time_hours_median > lead_time_hours_p75 or lead_time_hours_p75 > lead_time_hours_p90
           or recovery_hours_median > recovery_hours_p75 or recovery_hours_p75 > recovery_hours_p90""",
    "no sample, no duration": """
        select * from marts.dora_metrics
        where (lead_time_sample = 0) <> (lead_time_hours_median is null)
           or (recovery_sample = 0) <> (recovery_hours_median is null)""",
}
"""Queries that find what may not be."""
