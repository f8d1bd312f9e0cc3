"""The five keys in the terminal."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.report.conftest import published_rows
from veelocity_pipeline.published.scorecard import Scorecard, render, scorecard
from veelocity_pipeline.safety.files import WarehouseError

Publish = Callable[[dict[str, list[dict[str, Any]]]], Path]


def printed(card: Scorecard, width: int = 80) -> str:
    written = io.StringIO()
    Console(file=written, width=width, color_system=None).print(render(card))
    return written.getvalue()


def test_it_shows_the_marts_own_numbers(published: Path) -> None:
    card = scorecard(published)
    assert (card.scope, card.days) == ("All repositories", 90)
    frequency, lead_time, fail_rate, recovery, rework = card.rows
    # 90 days back from 18 March: 45 + 30 + 18 deployments, two changes each; 5 + 2 of them failed
    assert (frequency.value, frequency.sample) == (93, 93)
    assert lead_time.sample == 186
    assert fail_rate.value == pytest.approx(7 / 93)
    assert recovery.sample == 7
    assert rework.industry_mean == 7.8
    assert rework.level is None
    text = printed(card)
    assert "7.2/week" in text
    assert "7.5 %" in text
    assert "18 Mar 2026" in text


def test_a_repository_is_found_in_any_case_and_with_its_provider(published: Path) -> None:
    for name in ("acme/mono", "ACME/Mono", "github:acme/mono"):
        assert scorecard(published, 30, name).rows[0].value == 6
    assert "acme/mono" in printed(scorecard(published, 30, "acme/mono"))


def test_no_recovery_is_no_data_and_not_zero(published: Path) -> None:
    recovery = scorecard(published, 90, "acme/mono").rows[3]
    assert (recovery.value, recovery.sample, recovery.score) == (None, 0, None)
    assert "no data" in printed(scorecard(published, 90, "acme/mono"))


def test_an_unknown_repository_is_told_the_close_ones(published: Path) -> None:
    with pytest.raises(WarehouseError, match=r"acme/wbe.*did you mean acme/web") as raised:
        scorecard(published, 90, "acme/wbe")
    assert "\n" not in str(raised.value)


def test_an_unknown_window_is_told_the_known_ones(published: Path) -> None:
    with pytest.raises(WarehouseError, match="30, 90, 180 and 365 days"):
        scorecard(published, 7)


def test_commits_are_named_where_they_are_what_is_scored(publish: Publish) -> None:
    rows = published_rows()
    for row in rows["dora_scorecard"]:
        row |= {
            "is_lead_time_of_commits": True, "commit_lead_time_hours_median": 4.5, "commit_lead_time_sample": 12,
            "lead_time_hours_median": None, "lead_time_sample": 0,
        }  # fmt: skip
    card = scorecard(publish(rows))
    assert (card.rows[1].value, card.rows[1].sample, card.rows[1].sample_noun) == (4.5, 12, "commits")
    assert "4 h 30 min" in printed(card)


def test_nothing_published_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="veelocity refresh"):
        scorecard(tmp_path / "veelocity.duckdb")


def test_an_empty_file_is_one_sentence(publish: Publish) -> None:
    with pytest.raises(WarehouseError, match="no scorecard yet"):
        scorecard(publish({}))


def test_it_fits_eighty_columns_whatever_the_numbers(publish: Publish) -> None:
    rows = published_rows()
    for row in rows["dora_scorecard"]:
        row |= {
            "deployment_count": 12345, "lead_time_hours_median": 23.98, "lead_time_sample": 12345,
            "change_fail_rate": 0.123, "change_fail_rate_sample": 12345, "rework_rate_sample": 12345,
            "deployment_frequency_score": 9.5, "lead_time_level_2023": "medium", "recovery_sample": 3,
            "recovery_score": None,
        }  # fmt: skip
    text = printed(scorecard(publish(rows)), width=80)
    assert "…" not in text
    assert "12,345 changes" in text
    assert "23 h 59 min" in text
    assert "too few" in text
    assert "medium" in text
