"""The page in a real browser: it draws, answers, asks the network for nothing and complains about nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.report.conftest import HOSTILE_TITLE, published_rows
from veelocity_pipeline.report import formatting, render_report

playwright = pytest.importorskip("playwright.sync_api")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium on the PATH")

Publish = Callable[[dict[str, list[dict[str, Any]]]], Path]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render_report(published, tmp_path_factory.mktemp("browser") / "index.html")


class Opened:
    """A page with what it said and asked for."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def go(self, path: Path, fragment: str = "") -> Opened:
        self.page.goto(path.as_uri() + fragment)
        self.drawn()
        return self

    def drawn(self) -> None:
        self.page.wait_for_selector("html[data-drawn=yes]", state="attached", timeout=30_000)

    def card(self, key: str) -> str:
        return " ".join(self.page.locator(f"#card-{key}").inner_text().split())

    def points(self, chart: str) -> list[Any]:
        """The y values that the chart's own library holds: the last trace is what a reader points at."""
        return self.page.evaluate("(id) => document.querySelector(`#chart-${id} .plot`).data.at(-1).y", chart)

    def choose(self, group: str, label: str) -> None:
        self.page.locator(f"#{group} label", has_text=label).click()
        self.drawn()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Opened]]:
    contexts = []

    def opened(**options: Any) -> Opened:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        return Opened(context.new_page())

    yield opened
    for context in contexts:
        context.close()


def test_it_opens_from_a_file_without_the_network_and_without_complaint(
    open_page: Callable[..., Opened], report: Path
) -> None:
    opened = open_page().go(report)
    assert opened.complaints == []
    assert [url for url in opened.requests if not url.startswith("data:")] == [report.as_uri()]
    assert opened.page.locator(".plot .main-svg").count() > 0
    # of fourteen charts only time to restore has nothing to draw: the fixture has no incidents
    assert opened.page.locator(".js-plotly-plot").count() == 13
    assert "No data in this window." in opened.page.locator("#chart-time_to_restore").inner_text()


def test_cards_show_value_sample_score_and_trend(open_page: Callable[..., Opened], report: Path) -> None:
    opened = open_page().go(report)
    frequency = opened.card("deployment_frequency")
    assert "7.2 / week" in frequency
    assert "93 deployments on 66 days" in frequency
    assert "8 of 10" in frequency
    assert "Industry mean 4.8" in frequency
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
    assert "Scored for windows only" in opened.card("lead_time")
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
    assert "not over yet" in rows.first.inner_text()
    opened.choose("numbers-tab", "Flow")
    assert "Cycle time, median" in opened.page.locator("#numbers thead").inner_text()


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
    for _ in range(6):
        opened.page.keyboard.press("Tab")
        reached.append(
            opened.page.evaluate(
                "() => document.activeElement.id || document.activeElement.name || document.activeElement.className"
            )
        )
    assert reached[:5] == ["skip", "theme", "scope", "window", "period"]
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
    hours = [None, 0, 0.001, 0.0161, 0.5, 0.9951, 1, 3.34, 23.99, 24, 50.4, 239, 240, 1000, 40_000]
    rates = [None, 0, 0.004, 0.0999, 0.1, 0.3333, 1]
    counts = [0, 1, 3, 7, 93, 1300, 130_000]
    opened = open_page().go(report)
    written = opened.page.evaluate(
        "([hours, rates, counts]) => [hours.map(veelocity.duration), rates.map(veelocity.percent), "
        "counts.map((count) => veelocity.perWeek(count, 90))]",
        [hours, rates, counts],
    )
    assert written == [
        [formatting.duration(value) for value in hours],
        [formatting.percent(value) for value in rates],
        [formatting.per_week(value, 90) for value in counts],
    ]


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
    rows = published_rows(linear=False)
    published = publish(rows)
    opened = open_page().go(render_report(published, tmp_path / "partial.html"))
    assert "Linear is not connected." in opened.page.locator("#chart-cycle_time").inner_text()
    assert opened.complaints == []
    published.unlink()
    opened = open_page().go(render_report(publish({}), tmp_path / "empty.html"))
    assert not opened.page.locator("#cards").is_visible()
    assert opened.page.get_by_text("Nothing has been loaded yet.").is_visible()
    assert opened.complaints == []


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
