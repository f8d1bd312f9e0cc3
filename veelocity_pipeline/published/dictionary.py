"""The data dictionary: every published table and column on one page, from the contracts of the models.

``make docs`` writes it, and mends dbt's own page of all models.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb

from veelocity_pipeline.warehouse.publish import PUBLIC_SCHEMA

FOLDERS = {"dora": "Metrics", "flow": "Flow", "core": "Facts and dimensions"}
"""Headings of the folders under ``models/marts``, in the page's order."""

UNITS = (
    (r".*_hours(_(median|p75|p90))?", "hours"),
    (r"window_days|days", "days"),
    (r".*_seconds", "seconds"),
    (r"bytes_.*", "bytes"),
    (r".*_rate|.*_share|confidence", "share, 0 to 1"),
    (r".*_score|.*_industry_mean_2025", "points, 0 to 10"),
    (r"value|previous_value", "hours; number, 0 to 1"),
    (r"estimate", "points of the team"),
    (r"additions|deletions", "lines"),
)
"""What a number counts, by its name (names are a part of the interface); other integers are plain numbers."""


def unit(column: str, data_type: str) -> str:
    """What a column's values are in; empty where they have no unit."""
    if data_type == "timestamp":
        return "UTC"
    return next((said for pattern, said in UNITS if re.fullmatch(pattern, column)), "")


def page(manifest: Mapping[str, Any]) -> str:
    """The whole page, in Markdown.

    Args:
        manifest: dbt's ``manifest.json``.

    Raises:
        ValueError: a column has no description.
    """
    return "\n".join(_lines(manifest)) + "\n"


def _lines(manifest: Mapping[str, Any]) -> Iterator[str]:
    models = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] == PUBLIC_SCHEMA
    ]
    yield "# Data dictionary"
    yield ""
    yield "Every published table and column. `make docs` writes this page from the contracts beside the models"
    yield "(`dbt_project/models/marts`): change it there. Queries to start from: [queries.md](queries.md)."
    yield ""
    yield "Times are UTC, days those of the time zone in the settings. NULL says that nothing is known, or there is"
    yield "nothing to measure. A number without a unit is a plain number."
    for model in models:
        if model["name"] == "dim_metrics":
            yield from _metrics(model)
    for folder, heading in FOLDERS.items():
        yield from ("", f"## {heading}")
        for model in sorted((node for node in models if node["fqn"][2] == folder), key=lambda node: str(node["name"])):
            yield from _table(model)


def _metrics(model: Mapping[str, Any]) -> Iterator[str]:
    """The metrics that there are; the model that lists them reads nothing."""
    yield from ("", "## The metrics", "", "As `dim_metrics` lists them; below, their columns have the rules.", "")
    yield from ("| metric | title | in | better | number | meaning |", "| --- | --- | --- | --- | --- | --- |")
    with duckdb.connect() as connection:
        rows = connection.sql(model["compiled_code"]).order('"order"')
        for row in rows.project('id, title, unit, direction, "table", value_column, definition').fetchall():
            name, title, unit_, direction, table, column, definition = row
            yield f"| {name} | {title} | {unit_} | {direction} | `{table}.{column}` | {definition} |"


def _table(model: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", f"### {model['name']}", "", _flat(model["description"]), "")
    yield from ("| column | type | unit | meaning |", "| --- | --- | --- | --- |")
    for column in model["columns"].values():
        name, data_type = column["name"], str(column["data_type"]).lower()
        if not column["description"]:
            raise ValueError(f"{model['name']}.{name} is not described")
        meaning = _flat(column["description"]).replace("|", "\\|")
        yield f"| `{name}` | {data_type} | {unit(name, data_type)} | {meaning} |"


def _flat(text: str) -> str:
    return " ".join(text.split())


def mended(site: str) -> str:
    """dbt's page of all models without the errors that a browser shows when it opens it from a disk.

    A template stands where addresses of pictures are taken before it is filled in, and the page's own picture was
    never put in (both of dbt-docs in dbt 1.11).
    """
    return site.replace('<use xlink:href="{{', '<use ng-attr-xlink:href="{{').replace(
        "${require('./assets/favicons/favicon.ico')}", "data:,"
    )


def main(folder: Path, dictionary: Path) -> None:
    """Write the dictionary, and dbt's page anew, from what ``dbt docs generate --static`` left in a folder."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    dictionary.write_text(page(manifest), encoding="utf-8")
    site = folder / "static_index.html"
    site.write_text(mended(site.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
