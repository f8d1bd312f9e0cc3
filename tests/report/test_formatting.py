"""How numbers, addresses and names are written."""

from __future__ import annotations

import pytest

from veelocity_pipeline.published.formatting import closest, decimal, duration, http_url, per_week, percent, plural

DURATIONS = [
    (None, "no data"),
    (0.0, "0 s"),
    (0.001, "4 s"),
    (40 / 3600, "40 s"),
    (59.6 / 3600, "1 min"),
    (89 / 3600, "1 min"),
    (90 / 3600, "2 min"),
    (0.75, "45 min"),
    (59.6 / 60, "1 h"),
    (1.0, "1 h"),
    # 2 h 51 min 29 s, 30 s, and those as a page has them
    (10289 / 3600, "2 h 51 min"),
    (10290 / 3600, "2 h 52 min"),
    (2.85833, "2 h 52 min"),
    # the median of 2 h 51 min 29 s and 30 s
    (10289.5 / 3600, "2 h 52 min"),
    (2.85819, "2 h 52 min"),
    (3 + 1 / 3, "3 h 20 min"),
    (12.0, "12 h"),
    (23 + 59.4 / 60, "23 h 59 min"),
    (23 + 59.7 / 60, "1 d"),
    (24.0, "1 d"),
    (50.4, "2.1 d"),
    (9.96 * 24, "10 d"),
    (14.4 * 24, "14 d"),
    (1500 * 24, "1,500 d"),
]
"""Hours and how they are written, in the terminal and on the page."""


@pytest.mark.parametrize(("hours", "text"), DURATIONS)
def test_a_duration_reads_as_people_say_it(hours: float | None, text: str) -> None:
    assert duration(hours) == text


def test_a_duration_reads_the_same_after_the_rounding_of_the_page() -> None:
    for half_seconds in range(0, 2 * 86_400, 7):
        hours = half_seconds / 7200
        assert duration(round(hours, 5)) == duration(hours), hours
    for seconds in range(0, 3 * 86_400, 30):
        assert duration(round(seconds / 3600, 4)) == duration(seconds / 3600), seconds


@pytest.mark.parametrize(
    ("rate", "text"),
    [(None, "no data"), (0.0, "0 %"), (0.025, "2.5 %"), (0.0999, "10 %"), (0.3333, "33 %"), (1.0, "100 %")],
)
def test_a_share_is_a_percentage(rate: float | None, text: str) -> None:
    assert percent(rate) == text


@pytest.mark.parametrize(
    ("count", "days", "text"),
    [
        (None, 90, "no data"),
        (0, 90, "0 / week"),
        (90, 90, "7 / week"),
        (93, 90, "7.2 / week"),
        (6, 90, "2 / month"),
        (1, 180, "0.2 / month"),
        (1300, 90, "101 / week"),
        (4, 0, "no data"),
    ],
)
def test_a_count_is_a_rate_that_can_be_pictured(count: int | None, days: int, text: str) -> None:
    assert per_week(count, days) == text


def test_one_decimal_below_ten() -> None:
    assert [decimal(value) for value in (0.04, 0.05, 3.0, 9.94, 9.95, 12.4, 12345.6)] == [
        "0", "0.1", "3", "9.9", "10", "12", "12,346",
    ]  # fmt: skip


def test_one_is_not_many() -> None:
    assert [plural(1, noun) for noun in ("recoveries", "changes")] == ["1 recovery", "1 change"]
    assert plural(1200, "recoveries") == "1,200 recoveries"


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "ftp://x/y", "//host/path", "http:", "https://", "", None, "http://[x"],
)
def test_only_a_web_address_becomes_a_link(url: str | None) -> None:
    assert http_url(url) is None


def test_web_addresses_are_kept() -> None:
    assert http_url(" HTTPS://github.example/a?b=c#d ") == "HTTPS://github.example/a?b=c#d"


def test_close_names_are_found() -> None:
    names = ["acme/web", "acme/website", "acme/api", "beta/shop"]
    assert closest("web", names)[0] == "acme/web"
    assert closest("other/shop", names)[0] == "beta/shop"
    assert closest("ACME/wbe", names)[0] == "acme/web"
    assert closest("zzzz", names) == []
