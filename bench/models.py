"""The floor of a build: the models' own SELECTs, run by DuckDB in the order that dbt has, and nothing else.

``python -m bench.models WAREHOUSE MANIFEST`` makes every table and view of a built warehouse anew, but those of Python
models, whose rows it takes as they are; prints seconds of CPU by model as JSON. MANIFEST is the build's, with its SQL.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb

from veelocity_pipeline.warehouse.duckdb_file import quoted


def models(manifest: Path) -> Iterator[dict[str, Any]]:
    """The models in SQL, each after those that it is made from."""
    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"]
    order = TopologicalSorter({name: node.get("depends_on", {}).get("nodes", []) for name, node in nodes.items()})
    for name in order.static_order():
        node = nodes.get(name, {})
        is_sql = node.get("resource_type") == "model" and node["language"] == "sql"
        if is_sql and node["config"]["materialized"] != "ephemeral":
            yield node


def main(warehouse: Path, manifest: Path) -> None:
    """Make them, and print what each took."""
    seconds = {}
    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false; set TimeZone = 'UTC'")
        # under the name that the SQL has it by, wherever it lies
        connection.execute(f"attach {quoted(warehouse)} as warehouse; use warehouse")
        for model in models(manifest):
            begun = time.process_time()
            kind = "view" if model["config"]["materialized"] == "view" else "table"
            connection.execute(
                f"create or replace {kind} {model['schema']}.{model['alias']} as ({model['compiled_code']})"
            )
            seconds[model["name"]] = round(time.process_time() - begun, 3)
    sys.stdout.write(json.dumps(seconds) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
