"""What changed upstream since it was read: a few cheap requests, and what they ask for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from veelocity_pipeline.config.connections import qualified, split_name, unqualified
from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.operations.decisions import Start, Wait, listed
from veelocity_pipeline.sources import SOURCES, Change, SourceEntry, SourceError
from veelocity_pipeline.sources.kit.http.errors import CancelledError
from veelocity_pipeline.sources.kit.http.usage import Wait as LimitWait

_log = logging.getLogger(__name__)

MOST_SECONDS = 30.0
"""How long one source may be asked; Dagster gives a sensor a minute."""

LEAST_SHARE = 0.1
"""Of an API's hourly budget, what is left to scheduled refreshes alone."""

REST = timedelta(hours=1)
"""How long nothing is asked when less than that is left: budgets are by the hour."""


@dataclass(frozen=True)
class Answer:
    """What one source said.

    Attributes:
        changes: None where it cannot be asked cheaply.
        share_left: of the API's budget, from 0 to 1; None if it does not say.
        error: why it could not be asked.
    """

    changes: Sequence[Change] | None = None
    share_left: float | None = None
    error: str = ""


def ask(entry: SourceEntry, settings: Settings, rows: Iterable[Mapping[str, Any]]) -> Answer:
    """Ask one source what changed since its last complete read; never longer than ``MOST_SECONDS``, and no wait.

    Args:
        settings: of one connection.
        rows: of ``status.json``.
    """
    read_at = {
        unqualified(settings.connection, row["source_key"]): datetime.fromisoformat(row["read_at"])
        for row in rows
        if row["source"] == entry.name and row["source_key"] and row["read_at"]
        if (row.get("connection") or entry.vendor) == (settings.connection or entry.vendor)
    }
    said: list[str] = []
    try:
        connector = entry.connector(settings)
    except SourceError as error:
        return Answer(error=str(error))
    client = connector.client

    def on_wait(wait: LimitWait) -> None:
        said.append(wait.reason)
        client.cancel()

    client.on_wait = on_wait
    timer = threading.Timer(MOST_SECONDS, client.cancel)
    timer.daemon = True
    timer.start()
    try:
        return Answer(connector.changed_since(read_at), client.share_left)
    except CancelledError:
        return Answer(error=said[0] if said else f"{entry.title} did not answer within {MOST_SECONDS:.0f} seconds")
    except SourceError as error:
        return Answer(error=str(error))
    except Exception as error:  # a mistake of ours is no reason to fail every few minutes: the schedules go on
        _log.exception("asking %s what changed failed", entry.title)
        return Answer(error=f"unexpected {type(error).__name__} while asking what changed; see the log")
    finally:
        timer.cancel()
        client.close()


@dataclass(frozen=True)
class Memory:
    """What one look leaves for the next.

    Attributes:
        asked: by source (and connection) and scope's id, the newest change for which a run was started already.
        resting_until: by source, when it may be asked again.
    """

    asked: Mapping[str, str] = field(default_factory=dict)
    resting_until: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """For the sensor's cursor."""
        return {"asked": dict(self.asked), "resting_until": dict(self.resting_until)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Memory:
        """From the sensor's cursor."""
        return cls(value.get("asked") or {}, value.get("resting_until") or {})

    def may_ask(self, source: str, now: datetime) -> bool:
        """Whether its budget is not known to be low."""
        until = self.resting_until.get(source)
        return until is None or datetime.fromisoformat(until) <= now


def upstream_changed(
    answers: Mapping[str, Answer],
    rows: Iterable[Mapping[str, Any]],
    memory: Memory,
    now: datetime,
    *,
    job: str,
) -> tuple[Start | Wait, Memory]:
    """Which repositories and teams are to be read now.

    For each state of one a run is started once: what that run cannot read is left to the schedule.

    Args:
        answers: by source, with the connection in front where it is not the vendor's own.
        rows: of ``status.json``, which know a scope's name where the provider was not asked for it.
        job: that reads increments.
    """
    names = {(row["source"], row["source_key"]): row["repository"] for row in rows}
    asked, resting = dict(memory.asked), dict(memory.resting_until)
    scopes: dict[str, tuple[str, ...]] = {}
    said: list[str] = []
    changed: list[str] = []
    for asked_of, answer in answers.items():
        connection, source = split_name(asked_of)
        title = SOURCES[source].title + (f" ({connection})" if connection else "")
        if answer.error:
            said.append(f"{title}: {answer.error.rstrip('.')}")
            continue
        if answer.share_left is not None and answer.share_left < LEAST_SHARE:
            resting[asked_of] = (now + REST).isoformat()
            said.append(
                f"{title}: only {answer.share_left:.0%} of the API's budget is left, which is kept for the schedules"
            )
            continue
        resting.pop(asked_of, None)
        mine: list[str] = []
        before = {key: asked.pop(key) for key in list(asked) if key.split(" ")[0] == asked_of}
        for change in answer.changes or ():
            key, newest = f"{asked_of} {change.scope.id}", change.newest.isoformat()
            asked[key] = newest
            named = change.scope.name and qualified(connection, change.scope.name)
            name = named or names.get((source, qualified(connection, change.scope.id)), "")
            if name and before.get(key) != newest:
                mine.append(name)
        if mine:
            changed += mine
            for entry in SOURCES.values():
                if source in (entry.name, entry.along_with):
                    scopes[entry.name] = (*scopes.get(entry.name, ()), *mine)
    told = Memory(asked, resting)
    if scopes:
        return Start(job, f"Changed upstream: {listed(changed)}", scopes), told
    return Wait("; ".join(said) or "nothing changed upstream since it was read"), told
