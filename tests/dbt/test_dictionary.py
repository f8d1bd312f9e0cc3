"""The data dictionary says what the contracts say, and dbt's page of all models opens from a disk."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from veelocity_pipeline.config.settings import CHECKOUT
from veelocity_pipeline.published.dictionary import main, page, unit

from .project import Project, dbt

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def manifest(project: Project) -> dict[str, Any]:
    return dict(project.manifest)


def test_the_page_is_what_the_contracts_give(manifest: dict[str, Any]) -> None:
    written = (CHECKOUT / "docs" / "reference" / "dictionary.md").read_text(encoding="utf-8")
    assert written == page(manifest), "run `make docs`; the page is made from the contracts, not by hand"


def test_every_published_table_and_column_is_there(manifest: dict[str, Any]) -> None:
    lines = page(manifest).splitlines()
    marts = [
        node for node in manifest["nodes"].values() if node["resource_type"] == "model" and node["fqn"][1] == "marts"
    ]
    assert sorted(line[4:] for line in lines if line.startswith("### ")) == sorted(node["name"] for node in marts)
    rows = [line for line in lines if line.startswith("| `")]
    assert len(rows) == sum(len(node["columns"]) for node in marts)
    assert all(row.count(" | ") == 3 and not row.endswith("|  |") for row in rows)
    assert any(row.startswith("| `change_fail_rate` | double | share, 0 to 1 | Failed production") for row in rows)


def test_every_number_that_is_no_count_has_a_unit(manifest: dict[str, Any]) -> None:
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model" and node["fqn"][1] == "marts":
            for column in node["columns"].values():
                if column["data_type"] == "double":
                    assert unit(column["name"], "double"), f"{node['name']}.{column['name']}"


def test_a_column_that_is_not_described_is_refused(manifest: dict[str, Any]) -> None:
    unique_id = "model.veelocity.dim_teams"
    model = manifest["nodes"][unique_id]
    team = {**model["columns"]["team"], "description": ""}
    other = {**manifest, "nodes": {unique_id: {**model, "columns": {"team": team}}}}
    with pytest.raises(ValueError, match=r"dim_teams\.team is not described"):
        page(other)


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium on the PATH")
def test_the_page_of_all_models_opens_from_a_disk(tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    dbt(tmp_path, "docs", "generate", "--static", "--empty-catalog")
    main(tmp_path / "target", tmp_path / "dictionary.md")
    assert (tmp_path / "dictionary.md").read_text() == (CHECKOUT / "docs" / "reference" / "dictionary.md").read_text()
    complaints: list[str] = []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        opened = browser.new_page()
        opened.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on("requestfailed", lambda request: complaints.append(request.url))
        opened.goto(f"{(tmp_path / 'target' / 'static_index.html').as_uri()}#!/model/model.veelocity.fct_reviews")
        playwright.expect(opened.locator("h1").first).to_contain_text("fct_reviews", timeout=30_000)
        playwright.expect(opened.locator("body")).to_contain_text("One row per submitted review of a pull request")
        opened.get_by_text("submitted_at", exact=True).first.click()
        playwright.expect(opened.locator("body")).to_contain_text("When it was submitted.")
        browser.close()
    assert complaints == []
