"""The floor: what reading the same answers costs if nothing is done but parsing them and writing their nodes down.

``python -m bench.floor FILE TARGET`` reads bodies (one JSON text a line) from FILE, parses each with orjson and writes
the nodes of each page to a Parquet file in TARGET, nested as they are, with all fields; prints seconds of CPU as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq


def main(source: Path, target: Path) -> None:
    """Parse, write, and print what it cost."""
    bodies = source.read_bytes().splitlines()
    pq.write_table(pa.table({"warm": [1]}), target / "warm.parquet")
    begun = time.process_time()
    parsed = [orjson.loads(body) for body in bodies]
    parsing = time.process_time() - begun
    nodes = 0
    for number, body in enumerate(parsed):
        for name, page in enumerate(_pages(body)):
            nodes += len(page)
            table = pa.Table.from_pylist(page)
            pq.write_table(table, target / f"{number}-{name}.parquet")
    cpu = time.process_time() - begun
    size = sum(map(len, bodies))
    sys.stdout.write(json.dumps({"cpu": cpu, "parsing": parsing, "nodes": nodes, "bytes": size}) + "\n")


def _pages(value: Any) -> list[list[dict[str, Any]]]:
    """The outermost lists of nodes in an answer."""
    if isinstance(value, list):
        return [[node for node in value if isinstance(node, dict)]] if value else []
    if isinstance(value, dict):
        return [page for each in value.values() for page in _pages(each)]
    return []


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
