"""A page in Chromium, and what a reader does with it."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


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
        values: list[Any] = self.page.evaluate(
            "(id) => document.querySelector(`#chart-${id} .plot`).data.at(-1).y", chart
        )
        return values

    def click_point(self, chart: str, at: int) -> None:
        """Click where the chart shows its point number `at`, counted from the end if negative."""
        self.page.locator(f"#chart-{chart} .plot").scroll_into_view_if_needed()
        x, y = self.page.evaluate(
            """([id, at]) => {
                const plot = document.querySelector(`#chart-${id} .plot`);
                const trace = plot.data.at(-1), box = plot.getBoundingClientRect(), layout = plot._fullLayout;
                const number = at < 0 ? trace.x.length + at : at;
                return [box.left + layout._size.l + layout.xaxis.d2p(trace.x[number]),
                        box.top + layout._size.t + layout.yaxis.d2p(trace.y[number]) + 2];
            }""",
            [chart, at],
        )
        self.page.mouse.move(x, y)
        self.page.mouse.click(x, y)
        self.page.wait_for_selector("dialog[open]")

    def rows(self) -> list[list[str]]:
        """What the dialog lists as measured, cell by cell."""
        found: list[list[str]] = self.page.locator("#rows-body > .panel tbody tr").evaluate_all(
            "(rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText.trim()))"
        )
        return found

    def download(self, button: Any) -> list[dict[str, str]]:
        """The CSV file behind a button, as a spreadsheet reads it."""
        with self.page.expect_download() as waiting:
            button.click()
        text = Path(waiting.value.path()).read_bytes().decode("utf-8-sig")
        assert "\n" not in text.replace("\r\n", "")
        return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))

    def problems(self) -> list[str]:
        """What axe finds wrong with the page as it stands."""
        found = Axe().run(self.page).response["violations"]
        return [f"{each['id']}: {[node['target'] for node in each['nodes']]}" for each in found]

    def choose(self, group: str, label: str) -> None:
        self.page.locator(f"#{group} label", has_text=label).click()
        self.drawn()
