"""Problems that somebody should know of, told once: what is wrong, since when, and where to look.

What is wrong and what is to be said of it are pure functions; only :func:`send` touches the network.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from veelocity_pipeline.config.connections import is_whole, split_name
from veelocity_pipeline.operations.decisions import Run, listed
from veelocity_pipeline.safety.foreign import sentence
from veelocity_pipeline.sources import SOURCES
from veelocity_pipeline.sources.kit.http.reading import Deadline, TooSlowError

REMINDED_AFTER = timedelta(days=1)
"""A problem that lasts is told again."""

AGAIN_AFTER = timedelta(hours=6)
"""How soon a problem that comes and goes is reported again, at the earliest."""

MOST_SHOWN = 10
"""How many problems one message names; the UI shows all."""

LONGEST = 2_900
"""Characters of a block; Slack takes 3,000 (https://docs.slack.dev/reference/block-kit/blocks/section-block)."""

TIMEOUT = httpx.Timeout(10.0)

MOST_SECONDS = 20.0
"""From the connection to the answer's status; Dagster gives a sensor a minute."""


@dataclass(frozen=True)
class Problem:
    """Something that is wrong.

    Attributes:
        key: the same for as long as it is the same problem.
        what: one sentence without a full stop.
        link: where to look, below the UI's address.
    """

    key: str
    what: str
    since: datetime
    link: str = ""

    def __post_init__(self) -> None:
        """It says what others said: APIs, databases, exceptions."""
        object.__setattr__(self, "key", sentence(self.key, 500))
        object.__setattr__(self, "what", sentence(self.what))


# ------------------------------------------------------------------------------------------ what is wrong


def failed_jobs(runs: Sequence[Run], does_all_of: Mapping[str, Sequence[str]], why: Mapping[str, str]) -> list[Problem]:
    """Jobs whose last run failed.

    Args:
        runs: ended ones, newest first.
        does_all_of: by job, the jobs whose failure is over when it succeeds; itself among them.
        why: by run, what failed.
    """
    over: set[str] = set()
    failed: dict[str, list[Run]] = {}
    for run in runs:
        if run.succeeded:
            over.update(does_all_of.get(run.job, (run.job,)))
        elif run.failed and run.job not in over:
            failed.setdefault(run.job, []).append(run)
    problems = []
    for job, mine in failed.items():
        last, first = mine[0], mine[-1]
        times = "" if len(mine) == 1 else f" ({len(mine)} times)"
        since = first.started_at or first.ended_at
        if since is not None:
            cause = why.get(last.id, "").rstrip(".")
            what = f"{job} failed{times}{f': {cause}' if cause else ''}"
            problems.append(Problem(f"job {job}", what, since, f"/runs/{last.id}"))
    return problems


def unread(rows: Iterable[Mapping[str, Any]], runs: Sequence[Run]) -> list[Problem]:
    """Repositories and teams whose last read failed, and sources that cannot be read at all.

    Args:
        rows: of ``status.json``.
        runs: that read, going on or ended, newest first; the one in which the read failed is linked.
    """
    failing: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["error"]:
            name = row["repository"]
            if is_whole(name):
                connection, _ = split_name(name)
                name = SOURCES[row["source"]].title + (f" ({connection})" if connection else "")
            failing[name].append(row)
    problems = []
    for name, mine in sorted(failing.items()):
        errors = dict.fromkeys(row["error"].rstrip(".") for row in mine)
        attempted = max(datetime.fromisoformat(row["attempted_at"]) for row in mine)
        succeeded = [datetime.fromisoformat(row["succeeded_at"]) for row in mine if row["succeeded_at"]]
        run = next((run for run in runs if run.started_at and run.started_at <= attempted), None)
        problems.append(
            Problem(
                f"read {name}",
                f"{name} cannot be read: {'; '.join(errors)}",
                min(succeeded) if succeeded else attempted,
                f"/runs/{run.id}" if run else "",
            )
        )
    return problems


def stale(
    rows: Iterable[Mapping[str, Any]],
    published_at: datetime | None,
    *,
    sources: Iterable[str],
    read_since: datetime,
    published_since: datetime,
) -> list[Problem]:
    """Sources that were not read, and marts that were not published, for longer than their schedule allows.

    A source of which a part is read is not stale: what of it fails is a problem by itself.

    Args:
        rows: of ``status.json``.
        published_at: None where nothing is.
        sources: those that are configured.
        read_since: by then each should have been read again.
        published_since: by then something should have been published; every new day is.
    """
    problems = []
    last: dict[str, datetime] = {}
    for row in rows:
        if row["succeeded_at"]:
            moment = datetime.fromisoformat(row["succeeded_at"])
            last[row["source"]] = max(moment, last.get(row["source"], moment))
    for source in sources:
        if source in last and last[source] < read_since:
            what = f"{SOURCES[source].title} has not been read: the schedule should have done so several times"
            problems.append(Problem(f"stale {source}", what, last[source], "/automation"))
    if published_at is not None and published_at < published_since:
        problems.append(
            Problem("stale marts", "the published marts are old: no new ones were built", published_at, "/automation")
        )
    return problems


# --------------------------------------------------------------------------------------- what is told of it


@dataclass(frozen=True)
class Told:
    """What is known of a problem that was told.

    Attributes:
        is_over: so that it is told at most every few hours that it is back.
    """

    what: str
    since: datetime
    told_at: datetime
    is_over: bool = False

    def to_json(self) -> dict[str, Any]:
        """For the sensor's cursor."""
        return {
            "what": self.what,
            "since": self.since.isoformat(),
            "told_at": self.told_at.isoformat(),
            "is_over": self.is_over,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Told:
        """From the sensor's cursor."""
        since, told_at = (datetime.fromisoformat(value[name]) for name in ("since", "told_at"))
        return cls(value["what"], since, told_at, value["is_over"])


@dataclass(frozen=True)
class News:
    """What is to be said now.

    Attributes:
        begun: problems that were not told yet.
        lasting: such as are told again.
        over: such as are gone.
        open: how many are left.
    """

    begun: Sequence[Problem]
    lasting: Sequence[Problem]
    over: Sequence[Told]
    open: int

    def __bool__(self) -> bool:
        return bool(self.begun or self.lasting or self.over)


def news(problems: Sequence[Problem], told: Mapping[str, Told], now: datetime) -> tuple[News, dict[str, Told]]:
    """What is to be said of the present problems, and what is known once it is said.

    Each is told once, again every day, and once when it is over. One that comes back within hours is told again only
    when those have passed; its end then too.
    """
    begun, lasting, over = [], [], []
    after: dict[str, Told] = {}
    present = {problem.key: problem for problem in problems}
    for key, problem in present.items():
        known = told.get(key)
        entry = Told(problem.what, problem.since, now)
        if known is None:
            begun.append(problem)
        elif known.is_over:
            if now - known.told_at < AGAIN_AFTER:
                after[key] = known
                continue
            begun.append(problem)
        elif now - known.told_at >= REMINDED_AFTER:
            lasting.append(problem)
        else:
            entry = Told(problem.what, known.since, known.told_at)
        after[key] = entry
    for key, known in told.items():
        if key not in present:
            if not known.is_over:
                over.append(known)
                after[key] = Told(known.what, known.since, known.told_at, is_over=True)
            elif now - known.told_at < AGAIN_AFTER:
                after[key] = known
    if lasting:
        # one reminder for all that lasts, so that they do not trickle
        more = [problem for key, problem in present.items() if problem not in (*begun, *lasting) and key in after]
        for problem in more:
            if not after[problem.key].is_over:
                lasting.append(problem)
                after[problem.key] = Told(problem.what, after[problem.key].since, now)
    return News(begun, lasting, over, len(present)), after


def message(said: News, ui: str) -> dict[str, Any]:
    """The news as Slack's incoming webhooks take it; whatever reads ``text`` alone has all of it, too.

    Args:
        ui: address of the UI.
    """
    lines: list[str] = []
    for title, problems in (("", said.begun), ("still: ", said.lasting)):
        for problem in problems[:MOST_SHOWN]:
            where = f" {ui}{problem.link}" if problem.link else f" {ui}"
            lines.append(f"{title}{_cut(problem.what)} (since {_minute(problem.since)}){where}")
        if len(problems) > MOST_SHOWN:
            lines.append(f"{title}{listed([problem.what for problem in problems[MOST_SHOWN:]])}"[:LONGEST])
    lines += [f"over: {_cut(told.what)} (since {_minute(told.since)})" for told in said.over[:MOST_SHOWN]]
    if len(said.over) > MOST_SHOWN:
        lines.append(f"over: {len(said.over) - MOST_SHOWN:,} more")
    head = "Veelocity: all clear" if not said.open else f"Veelocity: {said.open:,} problem{'s'[: said.open != 1]}"
    points = [_escaped(f"• {line}") for line in lines]
    return {
        "text": "\n".join([head, *points]),
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": section[:LONGEST]}}
            for section in (f"*{head}*", *points)
        ],
    }


def _cut(text: str) -> str:
    return sentence(text, 600)


def _escaped(text: str) -> str:
    # https://docs.slack.dev/messaging/formatting-message-text#escaping
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


# ---------------------------------------------------------------------------------------------- sending


class _Unheard(logging.Filter):
    """httpx logs every address that it asks, and this one is a secret."""

    def filter(self, record: logging.LogRecord) -> bool:
        return False


def send(url: SecretStr, content: Mapping[str, Any], transport: httpx.BaseTransport | None = None) -> str:
    """Post a message.

    Returns:
        why it did not arrive, without the address, which is a secret; empty if it did.
    """
    address, host = url.get_secret_value(), "the address"
    logger, unheard = logging.getLogger("httpx"), _Unheard()
    logger.addFilter(unheard)
    try:
        host = urlsplit(address).hostname or host
        deadline = Deadline()
        deadline.begin(MOST_SECONDS)
        with (
            httpx.Client(timeout=TIMEOUT, follow_redirects=False, transport=transport) as client,
            client.stream("POST", address, json=content, extensions={"trace": deadline.trace}) as response,
        ):
            status = response.status_code  # what else it says is not read, however much that is
    except httpx.TimeoutException:
        return f"{host} did not answer within {TIMEOUT.read:.0f} seconds"
    except TooSlowError:
        return f"{host} did not answer within {MOST_SECONDS:.0f} seconds"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
        return f"{host} cannot be reached ({type(error).__name__})"
    finally:
        logger.removeFilter(unheard)
    return "" if 200 <= status < 300 else f"{host} answered with status {status}"
