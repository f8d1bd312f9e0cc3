"""How the time axis is cut: arithmetic, checked by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from veelocity_pipeline.sources.github_actions.windows import (
    CAP,
    GOAL,
    SECOND,
    TooDenseError,
    Window,
    earlier,
    narrower,
    whole_second,
)

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_search_term_of_a_window_includes_both_ends() -> None:
    window = Window(START, START + timedelta(hours=1))
    assert window.created == "2026-01-01T00:00:00Z..2026-01-01T01:00:00Z"


def test_an_open_window_has_a_term_that_does_not_move() -> None:
    assert Window(START).created == ">=2026-01-01T00:00:00Z"


def test_a_full_window_is_cut_by_the_rate_of_its_newest_page() -> None:
    # 100 runs in the last 1,000 seconds: 800 in about 8,000.
    end = START + timedelta(days=30)
    sample = [end - timedelta(seconds=10 * number) for number in range(100)]
    cut = narrower(Window(START, end), sample)
    assert cut.end == end
    assert cut.start == end - timedelta(seconds=991 * GOAL // 100 - 1)


def test_a_full_window_is_at_least_halved() -> None:
    end = START + timedelta(seconds=99)
    assert narrower(Window(START, end), [START]) == Window(end - timedelta(seconds=49), end)


def test_a_second_cannot_be_cut() -> None:
    with pytest.raises(TooDenseError, match="2026-01-01T00:00:00Z"):
        narrower(Window(START, START), [START])


def test_two_seconds_become_one() -> None:
    assert narrower(Window(START, START + SECOND), [START]) == Window(START + SECOND, START + SECOND)


def test_the_window_before_ends_a_second_earlier_and_aims_at_the_goal() -> None:
    window = Window(START, START + timedelta(seconds=999))
    before = earlier(window, 400, 10 * CAP, START - timedelta(days=100))
    assert before == Window(START - timedelta(seconds=2000), START - SECOND)


def test_what_fits_into_one_search_is_asked_at_once() -> None:
    floor = START - timedelta(days=1000)
    assert earlier(Window(START, START), 900, GOAL, floor) == Window(floor, START - SECOND)


def test_a_quiet_stretch_is_crossed_by_growing_windows() -> None:
    window = Window(START, START + timedelta(seconds=9))
    before = earlier(window, 0, 10 * CAP, START - timedelta(days=1000))
    assert before == Window(START - timedelta(seconds=80), START - SECOND)


def test_there_is_nothing_before_the_floor() -> None:
    assert earlier(Window(START, START + SECOND), 5, 10 * CAP, START) is None
    assert earlier(Window(START, START), 5, 10 * CAP, START - SECOND) == Window(START - SECOND, START - SECOND)


def test_an_open_window_cannot_be_cut() -> None:
    with pytest.raises(ValueError, match="open"):
        narrower(Window(START), [])


def test_whole_seconds_are_in_utc() -> None:
    moment = datetime.fromisoformat("2026-01-01T01:00:00.900+01:00")
    assert whole_second(moment) == START
