"""What a reader makes of the page: signs that do not mislead, stages, a comparison that can be sorted and filtered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.report.browser import CHROMIUM, Opened
from tests.report.conftest import WEB, Organization, published_rows
from tests.report.work import stages
from veelocity_pipeline.faces.report import render_report
from veelocity_pipeline.published.formatting import duration, percent

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium on the PATH"),
]

Publish = Callable[[dict[str, list[dict[str, Any]]]], Path]


def test_a_trend_is_colored_only_where_the_change_is_clear(open_page: Callable[..., Opened], report: Path) -> None:
    opened = open_page().go(report)
    assert opened.page.locator("#card-recovery .trend b").get_attribute("class") in {"better", "worse"}
    for key in ("deployment_frequency", "lead_time", "change_fail_rate", "rework_rate"):
        trend = opened.page.locator(f"#card-{key} .trend")
        assert trend.inner_text().startswith("No clear change from the 90 days before (")
        assert trend.locator(".better, .worse").count() == 0


def test_no_deployments_and_too_few_to_score_are_told_apart(
    open_page: Callable[..., Opened], publish: Publish, tmp_path: Path
) -> None:
    rows = published_rows()
    for row in rows["metric_windows"]:
        if row["metric"] in {"change_fail_rate", "rework_rate"} and row["window_days"] == 90:
            few = row["metric"] == "rework_rate"
            row.update(sample=3 if few else 0, part=1 if few else 0, value=1 / 3 if few else None)
    for row in rows["dora_scorecard"]:
        row.update(change_fail_rate_score=None, rework_rate_score=None)
    opened = open_page().go(render_report(publish(rows), tmp_path / "index.html"))
    assert "No deployments to score" in opened.card("change_fail_rate")
    assert "Too few deployments to score" in opened.card("rework_rate")


def test_a_key_that_fails_stands_out_beside_a_good_overall_score(
    open_page: Callable[..., Opened], publish: Publish, tmp_path: Path, report: Path
) -> None:
    assert "Lowest" not in open_page().go(report).page.locator("#totals").inner_text()
    rows = published_rows()
    for row in rows["dora_scorecard"]:
        row.update(recovery_score=2.0, overall_score=8.1)
    opened = open_page().go(render_report(publish(rows), tmp_path / "index.html"))
    assert "Lowest: recovery time" in opened.page.locator("#totals").inner_text()
    assert opened.page.locator(".card.low").evaluate_all("(cards) => cards.map((card) => card.id)") == ["card-recovery"]


def test_the_stages_of_the_lead_time_are_a_bar_and_a_table(
    open_page: Callable[..., Opened], report: Path, truth: Organization
) -> None:
    opened = open_page().go(report, "#scope=repository%3Aacme%2Fweb&window=90&period=week")
    expected = stages(truth, (WEB,), 90)
    total = sum(map(sum, expected.values()))
    titles = {
        "coding": "Coding time", "draft": "Draft time", "pickup": "Pickup time", "review": "Review time",
        "unreviewed": "Merge without a response", "deploy": "Deploy time",
    }  # fmt: skip
    named = [f"{titles[stage]}: {percent(sum(hours) / total)}" for stage, hours in expected.items() if sum(hours)]
    bar = opened.page.locator("#stages .stage")
    assert bar.evaluate_all("(parts) => parts.map((part) => part.title)") == named
    rows = opened.page.locator("#stages tbody tr").evaluate_all(
        "(rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText.trim()))"
    )
    assert [row[0] for row in rows] == list(titles.values())
    review = sorted(expected["review"], reverse=True)
    assert rows[3][5] == str(len(review))
    opened.page.get_by_role("button", name="Review time: ").click()
    opened.page.wait_for_selector("dialog[open]")
    assert [row[3] for row in opened.rows()] == [duration(hours) for hours in review]
    assert (
        opened.page.locator("#rows-body .summary").inner_text()
        == f"Median {rows[3][2]} of {len(review)} pull requests."
    )
    assert opened.complaints == []


def test_the_comparison_has_teams_first_and_can_be_sorted_and_filtered(
    open_page: Callable[..., Opened], report: Path
) -> None:
    opened = open_page().go(report)
    table = opened.page.locator("#scopes")

    def cells(at: int) -> list[str]:
        found: list[str] = table.locator("tbody tr").evaluate_all(
            "(rows, at) => rows.map((row) => row.cells[at].innerText.trim())", at
        )
        return found

    assert cells(1) == ["organization", "team", "repository", "repository", "repository", "service"]
    deployments = table.get_by_role("button", name="Deployments")
    deployments.click()
    rates = [float(text.split()[0]) for text in cells(2)]
    assert rates == sorted(rates)
    assert table.locator("th", has_text="Deployments").get_attribute("aria-sort") == "ascending"
    deployments.click()
    assert [float(text.split()[0]) for text in cells(2)] == rates[::-1]
    table.get_by_role("button", name="Recovery time").click()
    assert "no data" in cells(5)[-1]
    table.get_by_role("searchbox").fill("ACME/w")
    assert cells(0) == ["acme/web"]


def test_navigation_stays_in_view_and_leads_to_each_section(open_page: Callable[..., Opened], report: Path) -> None:
    for width in (1280, 390):
        opened = open_page(viewport={"width": width, "height": 800}).go(report)
        opened.page.evaluate("() => scrollTo(0, 2000)")
        nav = opened.page.get_by_role("navigation")
        for link in nav.get_by_role("link").all():
            target = link.get_attribute("href")
            link.click()
            heading, bar = opened.page.locator(target or "").bounding_box(), nav.bounding_box()
            assert heading is not None
            assert bar is not None
            assert bar["y"] == 0
            assert heading["y"] >= bar["height"] or target == "#overview-title"
        assert opened.complaints == []


def test_on_a_phone_a_table_says_that_there_are_more_columns(open_page: Callable[..., Opened], report: Path) -> None:
    opened = open_page(viewport={"width": 390, "height": 800}).go(report)
    cut = opened.page.evaluate(
        """() => [...document.querySelectorAll('.panel > .table-scroll')].map((scroll) => [
            scroll.scrollWidth > scroll.clientWidth + 1,
            !scroll.parentElement.querySelector('.cue').hidden,
        ])"""
    )
    assert [hidden for hidden, _ in cut] == [told for _, told in cut]
    assert any(hidden for hidden, _ in cut)
    scroll = opened.page.locator("#scopes .table-scroll")
    scroll.evaluate("(box) => box.scrollTo(9999, 0)")
    opened.page.wait_for_function("() => document.querySelector('#scopes .cue').hidden")
    wide = open_page().go(report)
    assert not wide.page.locator("#scopes .cue").is_visible()
