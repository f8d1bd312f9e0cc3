"""Whether a refresh would find anything to do: found out without the job, whose definitions take longer to load.

Whatever is not plainly quiet is left to the job, which then does everything anew.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from veelocity_pipeline.config.cron import earliest, late
from veelocity_pipeline.config.rules import config_tables
from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.loading.look import look
from veelocity_pipeline.operations.measured import Measured, measure
from veelocity_pipeline.safety.files import WarehouseError
from veelocity_pipeline.sources import SOURCES, Outcome, RefreshRequest, SourceEntry, SourceError
from veelocity_pipeline.sources.kit.http.errors import AuthenticationError, UnreachableError
from veelocity_pipeline.transform.fingerprint import is_up_to_date
from veelocity_pipeline.warehouse.home import DEMO, Home
from veelocity_pipeline.warehouse.status import read_status, record_attempts
from veelocity_pipeline.warehouse.store import connect, holds


@dataclass(frozen=True)
class Quiet:
    """A source that has nothing new.

    Attributes:
        said: while it was asked, for people.
    """

    entry: SourceEntry
    outcomes: Sequence[Outcome]
    said: Sequence[str]
    measured: Measured


@dataclass
class Asked:
    """What is known of the sources when not all of them have nothing new.

    Attributes:
        has_answer: one of them could be read.
        refusals: by source and connection, why nothing of it can be.
    """

    has_answer: bool = False
    refusals: dict[tuple[str, str], SourceError] = field(default_factory=dict)


def nothing_new(settings: Settings, home: Home, run: str, asked: Asked | None = None) -> list[Quiet] | None:
    """Ask the sources all that an incremental refresh would ask. The caller holds the right to write.

    Args:
        run: its id.
        asked: is told what became of it.

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
                answer = _ask(entry, settings, home, run, asked or Asked())
                if answer is None:
                    return None
                answers.append(answer)
            record_attempts(home, [outcome.to_row() for answer in answers for outcome in answer.outcomes])
            # a day may have begun meanwhile
            return answers if is_up_to_date(home, settings) else None
    except (WarehouseError, SourceError):
        return None


def has_failures(home: Home) -> bool:
    """Return whether something could not be read when it was last tried, or nobody knows."""
    try:
        return any(row["error"] for row in read_status(home))
    except WarehouseError:
        return True


def _is_settled(settings: Settings, home: Home) -> bool:
    """Whether nothing but news would make a refresh do, or say, anything else than the one before."""
    if home.is_demo != (DEMO in os.environ):
        return False
    if has_failures(home):
        return False
    rows = read_status(home)
    configured = [entry.name for entry in SOURCES.values() if entry.is_read(settings)]
    since = earliest(settings.incremental_cron, settings.stale_after, datetime.now(UTC))
    if late(rows, configured, since):
        return False
    return holds(home, "config", config_tables(settings)) and is_up_to_date(home, settings)


def _ask(entry: SourceEntry, settings: Settings, home: Home, run: str, asked: Asked) -> Quiet | None:
    said: list[str] = []
    if entry.is_read(settings):
        said.append(f"{entry.title}: incremental refresh")
    else:
        said.append(f"{entry.title}: {entry.missing}")
    since = time.monotonic()
    outcomes: list[Outcome] = []
    for view in entry.connected(settings):
        failures: list[SourceError] = []
        found = look(entry, view, home, RefreshRequest(run=run), said.append, failures.append)
        refusals = [error for error in failures if isinstance(error, AuthenticationError | UnreachableError)]
        if refusals:
            asked.refusals[entry.name, view.connection] = refusals[0]
        elif entry.is_configured(view):
            asked.has_answer = True
        if found is None:
            return None
        outcomes += found
    return Quiet(entry, outcomes, said, measure(entry, home, outcomes, time.monotonic() - since))
