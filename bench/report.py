"""What the report of a very large organisation costs to make, and to open in Chromium, from its file."""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import sync_playwright

from veelocity_pipeline.faces.report import render_report

from . import published

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Cost:
    """Seconds of CPU.

    Attributes:
        made: of this process and DuckDB in it, for the file.
        megabytes: size of the file.
        opened: of the page, until its last chart is drawn; None where there is no Chromium.
    """

    made: float
    megabytes: float
    opened: float | None = None


def measured() -> Cost:
    """Make it and open it."""
    with tempfile.TemporaryDirectory(prefix="veelocity-bench-") as folder:
        marts, target = Path(folder) / "veelocity.duckdb", Path(folder) / "index.html"
        published.write(marts)
        begun = time.process_time()
        render_report(marts, target)
        made, megabytes = time.process_time() - begun, target.stat().st_size / 1e6
        browser = next(filter(None, map(shutil.which, BROWSERS)), None)
        return Cost(made, megabytes, _opened(target, browser) if browser else None)


def _opened(page: Path, executable: str) -> float:
    """Seconds of CPU of the page's main thread, where nearly all of its work is done."""
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        inspector = tab.context.new_cdp_session(tab)
        inspector.send("Performance.enable", {"timeDomain": "threadTicks"})
        tab.goto(page.as_uri())
        tab.wait_for_selector("html[data-drawn=yes]", state="attached", timeout=120_000)
        metrics = inspector.send("Performance.getMetrics")["metrics"]
        browser.close()
    return next(float(each["value"]) for each in metrics if each["name"] == "TaskDuration")
