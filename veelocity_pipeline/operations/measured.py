"""What is loaded of a source, counted after each load."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from veelocity_pipeline.sources import Outcome, SourceEntry
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.status import count_rows, read_status
from veelocity_pipeline.warehouse.store import connect


@dataclass(frozen=True)
class Measured:
    """What the materializations tell beside the outcomes.

    Attributes:
        rows: in each raw table.
        present: of these, such as are not gone upstream.
        before: the same after the load before; what is not in it had none.
        failed: by table, what an earlier run could not read and this one did not try, and why.
        seconds: the step took.
    """

    rows: Mapping[str, int]
    present: Mapping[str, int]
    before: Mapping[str, int] = field(default_factory=dict)
    failed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    seconds: float = 0.0


def measure(entry: SourceEntry, home: Home, outcomes: Sequence[Outcome], seconds: float) -> Measured:
    """Look at what is loaded now."""
    rows, present = {}, {}
    with connect(home) as connection:
        for name, table in entry.tables.items():
            gone = "deleted_at is not null" if "deleted_at" in table.columns else "false"
            counts = f"select count(*), count(*) filter (where not ({gone})) from {entry.dataset}.{name}"
            [(rows[name], present[name])] = connection.execute(counts).fetchall()
    tried = {(outcome.table, outcome.scope_name) for outcome in outcomes}
    failed: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for row in read_status(home) if outcomes else []:
        if row["source"] == entry.name and row["error"] and (row["table_name"], row["repository"]) not in tried:
            failed[row["table_name"]][row["repository"]] = row["error"]
    return Measured(rows, present, count_rows(home, entry.name, present), failed, seconds)
