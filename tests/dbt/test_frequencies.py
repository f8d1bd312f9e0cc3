"""What holds of the frequency score, whatever the days on which a service was deployed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .harness import build, build_unit_test
from .project import Project, UnitTest

_TODAY = date(2026, 3, 31)
_MODEL = "int_deployment_frequencies"


@pytest.fixture(scope="module")
def typed(project: Project) -> Iterator[duckdb.DuckDBPyConnection]:
    """Every model without a row: it tells the types of all columns."""
    with build(project, {}) as connection:
        yield connection


def _scores(project: Project, typed: duckdb.DuckDBPyConnection, days_ago: list[int]) -> dict[int, float | None]:
    """The score of a service by window, deployed so many days ago."""
    given: dict[str, list[dict[str, Any]]] = {
        "int_now": [{"timezone": "UTC"}],
        "int_services": [{"service": "s", "repository_id": "r"}],
        "int_as_of": [],
        "int_team_services": [],
        "int_scopes": [{"scope_type": "service", "scope": "s", "as_of": f"{_TODAY} 12:00"}],
        "int_deployments": [
            {"service": "s", "is_counted": True, "finished_at": f"{_TODAY - timedelta(days=days)} 09:00"}
            for days in days_ago
        ],
    }
    rows = dict(zip(map(project.relation, given), given.values(), strict=True))
    test = UnitTest("", _MODEL, rows, [{"scope": "s", "window_days": 30}])
    with build_unit_test(project, test, typed) as connection:
        query = f"select window_days, score from ({project.node(_MODEL).code}) where scope_type = 'service'"
        return dict(connection.execute(query).fetchall())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 400), min_size=2, max_size=120), st.data())
def test_a_score_never_rises_when_a_deployment_is_removed(
    project: Project, typed: duckdb.DuckDBPyConnection, days_ago: list[int], data: st.DataObject
) -> None:
    """But for the first, from which on the days count."""
    ordered = sorted(days_ago)
    removed = data.draw(st.integers(0, len(ordered) - 2))
    before = _scores(project, typed, ordered)
    after = _scores(project, typed, ordered[:removed] + ordered[removed + 1 :])
    for window, score in before.items():
        assert (score is None) == (after[window] is None)
        later = after[window]
        assert score is None or later is None or later <= score


@pytest.mark.parametrize("ends_on", range(7))
def test_the_day_of_the_week_does_not_matter(project: Project, typed: duckdb.DuckDBPyConnection, ends_on: int) -> None:
    """One deployment every weekday, and nothing since up to six days: 8 in every window."""
    days = [days for days in range(1 + ends_on, 400) if (_TODAY - timedelta(days=days)).weekday() < 5]
    assert set(_scores(project, typed, days).values()) == {8.0}
