"""What a load of a source becomes in Dagster's history: materializations and checks of its raw tables."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from veelocity_pipeline.defs import checks
from veelocity_pipeline.operations.measured import Measured
from veelocity_pipeline.sources import SOURCES, Outcome, SourceEntry

RAW_KEYS = [dg.AssetKey([entry.name, table]) for entry in SOURCES.values() for table in entry.tables]
SYNC_STATUS = dg.AssetKey(["operations", "sync_status"])
CONFIGURED = dg.AssetKey(["config", "repositories"])


def first_table(entry: SourceEntry) -> dg.AssetKey:
    """The raw table that stands for the whole source."""
    return dg.AssetKey([entry.name, next(iter(entry.tables))])


def results(entry: SourceEntry, outcomes: Sequence[Outcome], measured: Measured) -> Iterator[dg.MaterializeResult[Any]]:
    """One materialization and its checks per raw table, whatever became of it."""
    by_table: defaultdict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_table[outcome.table].append(outcome)
    spent = {
        "requests_of_source": dg.MetadataValue.int(sum(outcome.requests for outcome in outcomes)),
        "points_of_source": dg.MetadataValue.int(sum(outcome.points for outcome in outcomes)),
        "seconds_of_source": dg.MetadataValue.float(round(measured.seconds, 1)),
        "seconds_waited_of_source": dg.MetadataValue.float(
            round(sum((outcome.waited for outcome in outcomes), 0.0), 1)
        ),
        "bytes_received_of_source": dg.MetadataValue.int(sum(outcome.received for outcome in outcomes)),
    }
    shares = [outcome.budget_share for outcome in outcomes if outcome.budget_share is not None]
    for table in entry.tables:
        key = dg.AssetKey([entry.name, table])
        mine = by_table[table]
        failed = {outcome.scope_name: outcome.error for outcome in mine if outcome.error}
        metadata: dict[str, dg.MetadataValue] = {
            "dagster/row_count": dg.MetadataValue.int(measured.rows[table]),
            "rows_loaded": dg.MetadataValue.int(sum(outcome.rows for outcome in mine)),
            **spent,
        }
        left = [outcome.budget_left for outcome in mine if outcome.budget_left is not None]
        if left:
            metadata["budget_left"] = dg.MetadataValue.int(min(left))
        watermarks = [outcome.watermark for outcome in mine if outcome.watermark]
        if watermarks:
            metadata["newest_change"] = dg.MetadataValue.timestamp(max(watermarks))
        read = [outcome.read_at for outcome in mine if outcome.read_at]
        if watermarks and read:
            age = (max(read) - max(watermarks)).total_seconds() / 3600
            metadata["newest_change_age_hours"] = dg.MetadataValue.float(round(age, 2))
        made = [
            checks.read_completely(key, len(mine) - len(failed), {**measured.failed.get(table, {}), **failed}),
            checks.rows_kept(key, measured.before.get(table), measured.present[table]),
        ]
        if key == first_table(entry):
            made.append(checks.budget_left(key, min(shares, default=None)))
            skipped = [outcome for outcome in outcomes if outcome.skipped]
            counts = {f"{each.scope_name} {each.table.replace('_', ' ')}": each.skipped for each in skipped}
            made.append(checks.nothing_skipped(key, counts, (each.skipped_example or "" for each in skipped)))
        yield dg.MaterializeResult(asset_key=key, metadata=metadata, check_results=made)
