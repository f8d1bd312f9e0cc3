"""The page in a real browser: it draws, answers, asks the network for nothing and complains about nothing."""

# ruff: noqa: DTZ001

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from playwright.sync_api import expect

from tests.report.browser import CHROMIUM, Opened
from tests.report.conftest import AS_OF, FORMULA, HOSTILE_TITLE, Organization, published_rows, quantile
from tests.report.test_formatting import DURATIONS
from tests.test_export import FORMULAS, HARMLESS
from veelocity_pipeline.faces.report import render_report
from veelocity_pipeline.published.formatting import duration, per_week, percent
from veelocity_pipeline.published.spreadsheet import guarded

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium on the PATH"),
]

Publish = Callable[[dict[str, list[dict[str, Any]]]], Path]


def test_it_opens_from_a_file_without_the_network_and_without_complaint(
    open_page: Callable[..., Opened], report: Path
) -> None:
    opened = open_page().go(report)
    assert opened.complaints == []
    assert [url for url in opened.requests if not url.startswith("data:")] == [report.as_uri()]
    assert opened.page.locator(".plot .main-svg").count() > 0
    # of fourteen charts only time to restore has nothing to draw: the fixture has no incidents
    assert opened.page.locator(".js-plotly-plot").count() == 13
    assert "No incident ended in this window." in opened.page.locator("#chart-time_to_restore").inner_text()


def test_cards_show_value_sample_score_and_trend(open_page: Callable[..., Opened], report: Path) -> None:
    opened = open_page().go(report)
    frequency = opened.card("deployment_frequency")
    assert "7.2 / week" in frequency
    assert "93 deployments on 66 days" in frequency
    assert "8 of 10" in frequency
    assert "Industry mean score 4.8" in frequency
    assert "High (2023)" in frequency
    assert "7 of 93 deployments" in opened.card("change_fail_rate")
    assert "than the 90 days before" in opened.card("recovery")


def test_scope_window_and_period_change_cards_and_charts(open_page: Callable[..., Opened], report: Path) -> None:
    opened = open_page().go(report)
    all_weeks = opened.points("deployment_frequency")
    opened.page.select_option("#scope", label="acme/web")
    opened.drawn()
    assert "45 deployments" in opened.card("deployment_frequency")
    web_weeks = opened.points("deployment_frequency")
    assert len(web_weeks) == len(all_weeks)
    assert sum(web_weeks) < sum(all_weeks)
    opened.choose("window", "365 days")
    assert len(opened.points("deployment_frequency")) == 53
    assert "History does not reach back" in opened.card("lead_time")
    opened.choose("period", "Quarter")
    assert len(opened.points("deployment_frequency")) == 5
    opened.choose("window", "All")
    assert "No window before this one." in opened.card("lead_time")
    assert "No score for all history" in opened.card("lead_time")
    assert opened.complaints == []


def test_the_period_that_is_not_over_is_hollow(open_page: Callable[..., Opened], report: Path) -> None:
    opened = open_page().go(report)
    sizes, colours = opened.page.evaluate(
        "() => { const last = document.querySelector('#chart-lead_time .plot').data.at(-1); "
        "return [last.marker.size, last.marker.color]; }"
    )
    assert sizes[-1] > sizes[-2]
    assert colours[-1] == "#ffffff"
    assert colours[-2] != "#ffffff"


def test_a_gap_is_a_gap(open_page: Callable[..., Opened], report: Path) -> None:
    opened = open_page().go(report)
    values = opened.points("pickup")
    assert None in values
    assert 0 not in values


def test_the_table_holds_the_numbers_behind(open_page: Callable[..., Opened], report: Path) -> None:
    opened = open_page().go(report)
    rows = opened.page.locator("#numbers tbody tr")
    assert rows.count() == len(opened.points("deployment_frequency"))
    assert "in progress" in rows.first.inner_text()
    opened.choose("numbers-tab", "Flow")
    assert "Issue cycle time, median" in opened.page.locator("#numbers thead").inner_text()


def test_hostile_titles_are_shown_as_text_and_bad_links_are_no_links(
    open_page: Callable[..., Opened], report: Path
) -> None:
    opened = open_page().go(report, "#scope=all&window=all&period=week")
    failures = opened.page.locator("#failures")
    assert HOSTILE_TITLE.split("\u2028")[0].strip() in failures.inner_text()
    assert failures.locator("img").count() == 0
    targets = failures.locator("a").evaluate_all("(links) => links.map((link) => [link.protocol, link.rel])")
    assert targets
    assert {tuple(target) for target in targets} == {("https:", "noopener noreferrer")}
    assert opened.complaints == []


def test_the_theme_follows_the_system_and_can_be_switched(open_page: Callable[..., Opened], report: Path) -> None:
    opened = open_page(color_scheme="dark").go(report)
    ground = "() => getComputedStyle(document.body).backgroundColor"
    dark = opened.page.evaluate(ground)
    button = opened.page.get_by_role("button", name="Switch to light theme")
    button.focus()
    opened.page.keyboard.press("Enter")
    opened.drawn()
    assert opened.page.evaluate(ground) != dark
    assert opened.page.get_by_role("button", name="Switch to dark theme").is_visible()
    opened.page.reload()
    opened.drawn()
    assert opened.page.evaluate(ground) != dark


def test_everything_can_be_reached_with_the_keyboard(open_page: Callable[..., Opened], report: Path) -> None:
    opened = open_page().go(report)
    reached = []
    for _ in range(12):
        opened.page.keyboard.press("Tab")
        reached.append(
            opened.page.evaluate(
                "() => document.activeElement.id || document.activeElement.name || document.activeElement.className"
            )
        )
    assert reached[:2] == ["skip", "theme"]
    assert reached[-3:] == ["scope", "window", "period"]
    opened.page.locator("#window input:checked").focus()
    opened.page.keyboard.press("ArrowRight")
    opened.drawn()
    assert "last 180 days" in opened.page.locator("#overview-sub").inner_text()


def test_everything_has_a_name_for_a_screen_reader(open_page: Callable[..., Opened], report: Path) -> None:
    opened = open_page().go(report)
    for label in ("Show", "90 days", "Week"):
        assert opened.page.get_by_label(label, exact=True).count() == 1
    labels = opened.page.locator(".plot").evaluate_all("(plots) => plots.map((plot) => plot.ariaLabel)")
    assert len(labels) == 14
    assert labels[0].startswith("Deployment frequency by week, 14 weeks. Last complete week: ")
    ids = opened.page.evaluate("() => [...document.querySelectorAll('[id]')].map((each) => each.id)")
    assert len(ids) == len(set(ids))


def test_the_selection_is_kept_in_the_address(open_page: Callable[..., Opened], report: Path) -> None:
    opened = open_page().go(report, "#scope=team%3APlatform&window=180&period=month")
    assert opened.page.locator("#overview-sub").inner_text().startswith("Platform, last 180 days")
    opened.choose("period", "Quarter")
    assert "period=quarter" in opened.page.url
    opened.page.reload()
    opened.drawn()
    assert opened.page.locator("#scope option:checked").inner_text() == "Platform"


def test_numbers_read_the_same_here_and_in_the_terminal(open_page: Callable[..., Opened], report: Path) -> None:
    hours = [value for value, _ in DURATIONS]
    rates = [None, 0, 0.004, 0.0999, 0.1, 0.3333, 1]
    counts = [0, 1, 3, 7, 93, 1300, 130_000]
    opened = open_page().go(report)
    written = opened.page.evaluate(
        "([hours, rates, counts]) => [hours.map(veelocity.duration), rates.map(veelocity.percent), "
        "counts.map((count) => veelocity.perWeek(count, 90))]",
        [hours, rates, counts],
    )
    assert written == [
        [text for _, text in DURATIONS],
        [percent(value) for value in rates],
        [per_week(value, 90) for value in counts],
    ]


def test_a_name_in_a_command_does_nothing_in_a_terminal(open_page: Callable[..., Opened], report: Path) -> None:
    hostile = "a\x1b[201~\nrm -rf ~ \x9b \u202e\u2066 $(x) 'y'"
    shown = open_page().go(report).page.evaluate("(text) => veelocity.quoted(text)", hostile)
    assert shown.isprintable()
    assert shlex.split(shown) == [r"a\u001b[201~\u000arm -rf ~ \u009b \u202e\u2066 $(x) 'y'"]


def test_a_phone_shows_it_without_scrolling_sideways(open_page: Callable[..., Opened], report: Path) -> None:
    opened = open_page(viewport={"width": 390, "height": 800}).go(report)
    assert opened.page.evaluate("() => document.documentElement.scrollWidth") == 390
    assert opened.complaints == []


def test_printing_a_dark_page_draws_all_of_it_in_light(open_page: Callable[..., Opened], report: Path) -> None:
    opened = open_page(color_scheme="dark").go(report)
    opened.page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    assert opened.page.evaluate("() => document.documentElement.dataset.theme") == "light"
    assert opened.page.evaluate("() => document.documentElement.dataset.drawn") == "yes"
    opened.page.evaluate("() => window.dispatchEvent(new Event('afterprint'))")
    assert opened.page.evaluate("() => document.documentElement.dataset.theme") == "dark"


def test_partial_and_empty_data_draw_without_complaint(
    open_page: Callable[..., Opened], publish: Publish, tmp_path: Path
) -> None:
    rows = published_rows(linear=False, error="the token may not read it")
    published = publish(rows)
    opened = open_page().go(render_report(published, tmp_path / "partial.html"))
    assert "Linear is not connected." in opened.page.locator("#chart-cycle_time").inner_text()
    assert "1 of 5 failed in the last attempt." in opened.page.locator("#freshness-sub").inner_text()
    assert "the token may not read it" in opened.page.locator("#freshness tbody").inner_text()
    assert opened.complaints == []
    published.unlink()
    opened = open_page().go(render_report(publish({}), tmp_path / "empty.html"))
    assert not opened.page.locator("#cards").is_visible()
    assert opened.page.get_by_text("Nothing has been loaded yet.").is_visible()
    assert opened.complaints == []
    assert opened.problems() == []


def test_without_deployments_the_cards_say_what_to_configure(
    open_page: Callable[..., Opened], publish: Publish, tmp_path: Path
) -> None:
    rows = published_rows()
    rows["metric_measurements"] = rows["fct_deployments"] = []
    for row in rows["dora_metrics"] + rows["dora_scorecard"]:
        for name in row:
            if name.endswith(("_count", "_sample")):
                row[name] = 0
            elif name.endswith(("_median", "_p75", "_p90", "_rate", "_score")):
                row[name] = None
    opened = open_page().go(render_report(publish(rows), tmp_path / "index.html"))
    assert "DEPLOYMENT_PATTERNS" in opened.card("deployment_frequency")
    assert "no data" in opened.card("lead_time")
    assert "no production deployments" in opened.card("lead_time")
    assert opened.page.locator("#chart-merge_time .js-plotly-plot, #chart-merge_time.js-plotly-plot").count() == 1


# ---- from a number to its rows ----


def test_a_click_on_a_point_shows_its_rows_with_links(
    open_page: Callable[..., Opened], report: Path, published: Path
) -> None:
    opened = open_page().go(report, "#scope=repository%3Aacme%2Fweb&window=90&period=week")
    opened.click_point("lead_time", -2)
    assert opened.page.locator("#rows-title").inner_text() == "Lead time for changes"
    assert opened.page.locator("#rows-sub").inner_text() == "acme/web, week of 9 Mar 2026"
    with duckdb.connect(str(published), read_only=True) as connection:
        expected = connection.execute(
            """
            select '#' || split_part(entity_id, '#', 2) as name, value, url
            from marts.metric_measurements inner join marts.metric_entities using (entity_id)
            where metric = 'lead_time' and scope = 'github:acme/web' and scope_type = 'repository'
                and measured_on between '2026-03-09' and '2026-03-15'
            order by value desc
            """
        ).fetchall()
    rows = opened.rows()
    assert len(rows) == len(expected) == 6
    assert [row[3] for row in rows] == [duration(value) for _, value, _ in expected]
    links = opened.page.locator("#rows-body tbody a").evaluate_all("(links) => links.map((link) => link.href)")
    assert sorted(links) == sorted(url for *_, url in expected)
    assert "veelocity explain lead_time --week 2026-03-09 --repository acme/web" in opened.page.inner_text("#rows-body")
    assert opened.complaints == []


def test_the_keyboard_goes_from_point_to_point_to_rows_and_back(
    open_page: Callable[..., Opened], report: Path, truth: Organization
) -> None:
    opened = open_page().go(report)
    plot = opened.page.get_by_role("slider", name="Change fail rate by week")
    plot.focus()
    opened.page.keyboard.press("ArrowLeft")
    assert plot.get_attribute("aria-valuetext").startswith("Week of 9 Mar 2026, ")
    expect(plot.locator(".hoverlayer")).to_contain_text("Week of 9 Mar 2026")
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_selector("dialog[open]")
    week = [d for d in truth.deployments if datetime(2026, 3, 9) <= d["finished_at"] < datetime(2026, 3, 16)]
    failed = [d for d in week if d["is_failed"]]
    assert f"{len(failed)} of {len(week)} deployments failed." in opened.page.inner_text("#rows-body")
    rows = opened.rows()
    assert [row[3] for row in rows] == ["yes"] * len(failed) + ["no"] * (len(week) - len(failed))
    assert all("revert" in row[4] for row in rows[: len(failed)])
    opened.page.keyboard.press("Escape")
    assert not opened.page.locator("#rows").is_visible()
    assert plot.evaluate("(plot) => plot === document.activeElement")


def test_rows_of_long_ago_are_named_by_the_command_that_lists_them(
    open_page: Callable[..., Opened], report: Path
) -> None:
    opened = open_page().go(report, "#scope=team%3APlatform&window=all&period=month")
    opened.click_point("lead_time", 1)
    text = opened.page.inner_text("#rows-body")
    assert "These rows are not in this file. It holds those since 17 Mar 2025." in text
    assert "veelocity explain lead_time --month 2025-02-01 --team Platform" in text
    assert opened.rows() == []
    opened.page.get_by_role("button", name="Close").click()
    opened.click_point("lead_time", 2)  # March 2025 is there in part
    assert "Some of these rows are not in this file." in opened.page.inner_text("#rows-body")
    assert opened.rows()


def test_a_card_shows_the_rows_of_its_window_and_what_was_left_out(
    open_page: Callable[..., Opened], publish: Publish, tmp_path: Path
) -> None:
    rows = published_rows()
    latest = max((row for row in rows["metric_measurements"] if row["metric"] == "recovery" and row["scope"] == "all"),
                 key=lambda row: row["measured_at"])  # fmt: skip
    for row in rows["metric_measurements"]:
        if row["metric"] == "recovery" and row["entity_id"] == latest["entity_id"]:
            row.update(value=None, excluded_because="not recovered yet")
    recoveries = [
        row for row in rows["metric_measurements"] if row["metric"] == "recovery" and row["value"] is not None
    ]
    for row in rows["metric_windows"]:
        if row["metric"] == "recovery":
            begins = AS_OF - timedelta(days=row["window_days"] or 9999)
            values = [
                each["value"]
                for each in recoveries
                if all(each[name] == row[name] for name in ("scope_type", "scope")) and each["measured_at"] > begins
            ]
            row.update(excluded=row["sample"] - len(values), sample=len(values), value=quantile(values, 0.5))
    opened = open_page().go(render_report(publish(rows), tmp_path / "index.html"))
    sample, median = next(
        (row["sample"], row["value"])
        for row in rows["metric_windows"]
        if row["metric"] == "recovery" and row["scope"] == "all" and row["window_days"] == 90
    )
    card = opened.card("recovery")
    assert f"Coverage {percent(sample / (sample + 1))}, 1 excluded" in card
    assert f"recovered within {duration(median)}." in card
    opened.page.get_by_role("button", name="Show the rows of recovery time").click()
    opened.page.wait_for_selector("dialog[open]")
    assert len(opened.rows()) == sample
    opened.page.get_by_text("Excluded: 1 recovery").click()
    assert "not recovered yet" in opened.page.locator("#rows details tbody").inner_text()


# ---- tables ----


def test_sample_cells_are_the_marts_own(open_page: Callable[..., Opened], report: Path, published: Path) -> None:
    opened = open_page().go(report, "#scope=all&window=all&period=week")
    columns = {
        "Changes": ("dora", "delivery", "lead_time_sample"),
        "Deployments": ("dora", "delivery", "deployment_count"),
        "Recoveries": ("dora", "reliability", "recovery_sample"),
        "Issues": ("dev", "flow", "cycle_time_sample"),
        "Pull requests merged": ("dev", "flow", "pull_requests_merged"),
    }
    with duckdb.connect(str(published), read_only=True) as connection:
        for scope, period in (("all", "day"), ("acme/api", "week"), ("Platform", "month")):
            opened.page.select_option("#scope", label="All repositories" if scope == "all" else scope)
            opened.choose("period", period.capitalize())
            for name, (mart, tab, column) in columns.items():
                opened.choose("numbers-tab", tab.capitalize())
                if (more := opened.page.locator("#numbers button", has_text="Show all")).count():
                    more.click()
                cells = opened.page.evaluate(
                    """(name) => {
                        const table = document.querySelector('#numbers table');
                        const at = [...table.tHead.rows[0].cells].findIndex((cell) => cell.innerText === name);
                        return [...table.tBodies[0].rows].map((row) => row.cells[at].innerText);
                    }""",
                    name,
                )
                expected = connection.execute(
                    f"select {column} from marts.{mart}_metrics "
                    "where period = ? and scope = ? and scope_type <> 'service' order by period_start desc",
                    [period, f"github:{scope}" if "/" in scope else scope],
                ).fetchall()
                assert cells == [f"{value:,}" for (value,) in expected], (scope, period, name)


def test_every_table_can_be_downloaded_whole_and_is_safe_in_a_spreadsheet(
    open_page: Callable[..., Opened], report: Path, published: Path
) -> None:
    opened = open_page().go(report, "#scope=all&window=365&period=day")
    buttons = opened.page.get_by_role("button", name="Download").all()
    assert [len(opened.download(button)) for button in buttons[:1]] == [len(opened.page.locator("#scope option").all())]
    files = {button.get_attribute("aria-label"): opened.download(button) for button in buttons}
    assert set(files) == {
        f"Download {table} as CSV"
        for table in (
            "keys by team, repository and service", "stages of the lead time",
            "open pull requests", "failed deployments", "metrics by day",
            "state of each source", "freshness by repository and team", "coverage of the metrics",
        )
    }  # fmt: skip
    days = files["Download metrics by day as CSV"]
    assert len(days) == 366  # the page shows sixty of them
    with duckdb.connect(str(published), read_only=True) as connection:
        expected = connection.execute(
            "select period_start::varchar, lead_time_hours_median, lead_time_sample from marts.dora_metrics "
            "where period = 'day' and scope = 'all' and period_start >= '2025-03-18' order by 1 desc"
        ).fetchall()
    found = [
        (row["Day"], row["Lead time for changes, median (hours)"], row["Lead time for changes, changes"])
        for row in days
    ]
    assert [(day, float(hours) if hours else None, int(sample)) for day, hours, sample in found] == [
        (day, None if hours is None else pytest.approx(hours, abs=1e-4), sample) for day, hours, sample in expected
    ]
    titles = {row["Title"] for row in files["Download open pull requests as CSV"]}
    assert titles
    opened.page.get_by_role("button", name="Show the rows of lead time").click()
    rows = opened.download(opened.page.get_by_role("button", name="Download rows of Lead time"))
    titles = {row["Title"] for row in rows}
    assert {"'" + FORMULA, HOSTILE_TITLE} <= titles
    assert not [title for title in titles if title.startswith("=")]
    assert opened.complaints == []


def test_the_guard_against_formulas_is_the_exports(open_page: Callable[..., Opened], report: Path) -> None:
    texts = [*FORMULAS, *HARMLESS]
    guards = """(texts) => {
        const guards = JSON.parse(document.getElementById("data").textContent).guards;
        const guarded = (text, [pattern, by]) => text.replace(new RegExp(pattern, "g"), by);
        return texts.map((text) => guards.reduce(guarded, text));
    }"""
    with duckdb.connect() as connection:
        expected = [connection.execute(f"select {guarded('$t')}", {"t": text}).fetchall()[0][0] for text in texts]
    assert open_page().go(report).page.evaluate(guards, texts) == expected


def test_coverage_open_work_and_scopes_are_listed(
    open_page: Callable[..., Opened], report: Path, truth: Organization
) -> None:
    opened = open_page().go(report)
    still_open = [each for each in truth.pull_requests if each["state"] == "open"]
    assert opened.page.locator("#open tbody tr").count() == min(10, len(still_open))
    assert opened.page.locator("#ages b").evaluate_all("(cells) => cells.map((cell) => +cell.innerText)") == [
        sum(low <= (AS_OF - each["created_at"]).total_seconds() / 3600 < high for each in still_open)
        for low, high in ((0, 24), (24, 72), (72, 168), (168, 672), (672, 1e9))
    ]
    coverage = opened.page.locator("#coverage tbody tr", has_text="Lead time for changes").inner_text().split("\t")
    assert coverage[1:4] == [f"{len(truth.changes):,}", f"{len(truth.changes):,}", "100 %"]
    opened.page.locator("#scopes").get_by_role("button", name="acme/api").click()
    opened.drawn()
    assert opened.page.locator("#scope option:checked").inner_text() == "acme/api"
    assert opened.page.locator("#open tbody tr").count() == sum(
        each["repository_id"] == "github:acme/api" for each in still_open
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(open_page: Callable[..., Opened], report: Path, theme: str) -> None:
    opened = open_page(color_scheme=theme).go(report)
    assert opened.problems() == []
    opened.page.get_by_role("button", name="Show the rows of change fail rate").click()
    opened.page.wait_for_selector("dialog[open]")
    assert opened.problems() == []


def test_a_browser_that_cannot_unpack_is_told_so(open_page: Callable[..., Opened], report: Path) -> None:
    opened = open_page()
    opened.page.add_init_script("delete window.DecompressionStream")
    opened.page.goto(report.as_uri())
    assert opened.page.get_by_text("too old to unpack the report").is_visible()
    assert opened.complaints == []
