"""What to start by itself, and why not now: pure functions of what the settings and the run history say."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from veelocity_pipeline.config.connections import EXCLUDED
from veelocity_pipeline.config.rules import config_tables
from veelocity_pipeline.config.settings import Settings

FIRST_PAUSE = timedelta(minutes=5)
"""After one failed try; each further one in a row doubles it."""

LONGEST_PAUSE = timedelta(hours=6)

SHOWN = 5
"""How many names a sentence lists."""


@dataclass(frozen=True)
class Run:
    """A run of one of the jobs, as its history tells it.

    Attributes:
        ended_at: None while it is queued or going on.
        failed: it ended by a failure; one that was cancelled did not.
    """

    id: str
    job: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    failed: bool = False
    succeeded: bool = False

    @property
    def shown(self) -> str:
        """For a sentence: the job, and the part of the id that the UI shows."""
        return f"{self.job} (run {self.id[:8]})"


@dataclass(frozen=True)
class Start:
    """A run is to be started.

    Attributes:
        reason: one sentence, kept with the run.
        scopes: by source, the repositories or teams to read; sources that are not in it are left out. Empty: all.
    """

    job: str
    reason: str
    scopes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Wait:
    """Nothing is to be started; why, in one sentence."""

    reason: str


def under_way(runs: Iterable[Run]) -> Wait | None:
    """That a run of these is queued or going on."""
    run = next((run for run in runs if run.ended_at is None), None)
    return Wait(f"{run.shown} is queued or going on") if run else None


def resting(tries: Sequence[Run], now: datetime) -> Wait | None:
    """That it is too early for another try.

    Args:
        tries: earlier runs that were started for the same reason, newest first.
    """
    failed = 0
    for run in tries:
        if run.succeeded:
            break
        failed += 1
    if not failed or tries[0].ended_at is None:
        return None
    pause = min(FIRST_PAUSE * 2 ** min(failed - 1, 20), LONGEST_PAUSE)
    until = tries[0].ended_at + pause
    if now >= until:
        return None
    what = "the last try" if failed == 1 else f"each of the last {failed} tries"
    return Wait(f"{what} ended without success ({tries[0].shown}); the next is not before {until:%Y-%m-%d %H:%M} UTC")


def first_start(
    *, is_published: bool, job: str, runs: Sequence[Run], tries: Sequence[Run], now: datetime
) -> Start | Wait:
    """Whether the first load is to be started.

    Args:
        job: the one that loads everything.
        runs: the newest of all jobs.
        tries: those that were started for this reason, newest first; that they succeeded says little, since nothing is
            published where nothing could be read.
    """
    if is_published:
        return Wait("the marts are published: the first load is done")
    unsuccessful = [Run(run.id, run.job, run.started_at, run.ended_at) for run in tries]
    return (
        under_way(runs)
        or resting(unsuccessful, now)
        or Start(job, "Nothing is published yet: everything is read first")
    )


# ---------------------------------------------------------------------------------------------- settings


@dataclass(frozen=True)
class Configuration:
    """What of the settings the marts depend on.

    Attributes:
        repositories: as the settings name them.
        rules: a digest of everything else that reaches SQL.
    """

    repositories: tuple[str, ...]
    rules: str

    @classmethod
    def of(cls, settings: Settings) -> Configuration:
        """As the settings are."""
        digest = hashlib.sha256()
        for name, table in config_tables(settings).items():
            if name != "repositories":
                digest.update(f"{name} {table.to_pylist()!r}\n".encode())
        return cls(settings.repository_entries, digest.hexdigest())

    def to_json(self) -> dict[str, Any]:
        """For the run history."""
        return {"repositories": list(self.repositories), "rules": self.rules}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Configuration:
        """From the run history."""
        return cls(tuple(value["repositories"]), value["rules"])


def settings_changed(
    built: Configuration | None, present: Configuration, *, increment: str, rebuild: str, sources: Sequence[str]
) -> Start | Wait:
    """What a change of the settings asks for.

    A repository that is added is read alone, its whole history, since it has no mark yet; that run writes all rules,
    too. So is one that ``!owner/name`` leaves out no more. Other rules, and a repository that is taken or left out (its
    rows stay, ``is_removed``), need no request.

    Args:
        built: what the last run wrote; None where the history does not know.
        increment, rebuild: jobs.
        sources: that read repositories.
    """
    if built is None:
        return Wait("no run has written down the settings yet; the next refresh does")
    before = {name.casefold() for name in built.repositories}
    after = {name.casefold() for name in present.repositories}
    came = [name for name in present.repositories if name.casefold() not in before]
    went = [name for name in built.repositories if name.casefold() not in after]
    added, left_out = _apart(came)
    removed, taken_back = _apart(went)
    # it comes back only where its owner's entry stands as before
    taken_back = [name for name in taken_back if f"{name.casefold().partition('/')[0]}/*" in before & after]
    added, removed = _each_once([*added, *taken_back]), _each_once([*removed, *left_out])
    said = []
    if added:
        said.append(f"added: {listed(added)}")
    if removed:
        said.append(f"removed: {listed(removed)}")
    if built.rules != present.rules:
        said.append("rules are others")
    if not said:
        return Wait("the settings are those that the marts were built from")
    reason = f"The settings changed ({'; '.join(said)})"
    if added:
        return Start(increment, reason, dict.fromkeys(sources, tuple(added)))
    return Start(rebuild, reason)


def _each_once(names: Sequence[str]) -> list[str]:
    return list({name.casefold(): name for name in names}.values())


def _apart(entries: Sequence[str]) -> tuple[list[str], list[str]]:
    """Entries that bring repositories; and the names of those that are left out."""
    bring = [entry for entry in entries if not entry.startswith(EXCLUDED)]
    return bring, [entry.removeprefix(EXCLUDED) for entry in entries if entry.startswith(EXCLUDED)]


def listed(names: Sequence[str]) -> str:
    """Some names for a sentence, and how many more there are."""
    shown = ", ".join(names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN:,} more"
