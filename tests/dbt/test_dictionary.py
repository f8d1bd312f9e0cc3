"""The data dictionary says what the contracts say."""

from __future__ import annotations

from typing import Any

import pytest

from veelocity_pipeline.dictionary import page, unit
from veelocity_pipeline.settings import CHECKOUT

from .harness import Project


@pytest.fixture(scope="module")
def manifest(project: Project) -> dict[str, Any]:
    return project.manifest.writable_manifest().to_dict(omit_none=False)  # type: ignore[no-any-return]


def test_the_page_is_what_the_contracts_give(manifest: dict[str, Any]) -> None:
    written = (CHECKOUT / "docs" / "dictionary.md").read_text(encoding="utf-8")
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
