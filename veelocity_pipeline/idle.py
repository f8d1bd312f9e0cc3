"""Whether a refresh would find anything to do: found out without the job, whose definitions take longer to load.

Whatever is not plainly quiet is left to the job, which then does everything anew.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from veelocity_pipeline.operations.cadence import earliest, late
from veelocity_pipeline.operations.measured import Measured, measure
from veelocity_pipeline.rules import config_tables
from veelocity_pipeline.settings import Settings
from veelocity_pipeline.sources import SOURCES, Outcome, RefreshRequest, SourceEntry, SourceError, look
from veelocity_pipeline.transform.fingerprint import is_up_to_date
from veelocity_pipeline.warehouse import DEMO, Home, WarehouseError, connect, holds, read_status, record_attempts


@dataclass(frozen=True)
class Quiet:
    """A source that has nothing new.

    Attributes:
        said: while it was asked, for people.
        begun: when, in seconds of the epoch.
    """

    entry: SourceEntry
    outcomes: Sequence[Outcome]
    said: Sequence[str]
    begun: float
    measured: Measured


def nothing_new(settings: Settings, home: Home, run: str) -> list[Quiet] | None:
    """Ask the sources all that an incremental refresh would ask. The caller holds the right to write.

    Args:
        run: its id.

    Returns:
        what they answered, which is written to ``operations.sync_status``; None where the whole job is to run, since
        there is something to load or to build, or something that only the job can say.
    """
    try:
        with connect(home):  # opened once, which takes as long as all that is asked of it
            if not _is_settled(settings, home):
                return None
            answers = []
            for entry in SOURCES.values():
                answer = _ask(entry, settings, home, run)
                if answer is None:
                    return None
                answers.append(answer)
            record_attempts(home, [outcome.to_row() for answer in answers for outcome in answer.outcomes])
            # a day may have begun meanwhile
            return answers if is_up_to_date(home, settings) else None
    except (WarehouseError, SourceError):
        return None


def _is_settled(settings: Settings, home: Home) -> bool:
    """Whether nothing but news would make a refresh do, or say, anything else than the one before."""
    if home.is_demo != (DEMO in os.environ):
        return False
    rows = read_status(home)
    if any(row["error"] for row in rows):
        return False
    configured = [entry.name for entry in SOURCES.values() if entry.is_configured(settings)]
    since = earliest(settings.incremental_cron, settings.stale_after, datetime.now(UTC))
    if late(rows, configured, since):
        return False
    return holds(home, "config", config_tables(settings)) and is_up_to_date(home, settings)


def _ask(entry: SourceEntry, settings: Settings, home: Home, run: str) -> Quiet | None:
    said: list[str] = []
    if entry.is_configured(settings):
        said.append(f"{entry.title}: incremental refresh")
    else:
        said.append(f"{entry.title}: {entry.missing}")
    begun, since = time.time(), time.monotonic()
    outcomes = look(entry, settings, home, RefreshRequest(run=run), said.append)
    if outcomes is None:
        return None
    return Quiet(entry, outcomes, said, begun, measure(entry, home, outcomes, time.monotonic() - since))
