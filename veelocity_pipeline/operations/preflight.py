"""What a refresh can be told before it loads the pipeline, which takes ten times as long.

A wrong option is a matter of the settings alone; a wrong token, or a host that is not there, of one request.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import httpx

from veelocity_pipeline.config.connections import qualified
from veelocity_pipeline.config.settings import Settings, SettingsError
from veelocity_pipeline.operations.requested import day_since
from veelocity_pipeline.safety.files import WarehouseError
from veelocity_pipeline.sources import SOURCES, Outcome, SourceEntry, SourceError
from veelocity_pipeline.sources.kit.http.errors import TOKEN_REJECTED, AuthenticationError, UnreachableError
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.lock import writing
from veelocity_pipeline.warehouse.status import read_status, record_attempts

log = logging.getLogger("veelocity")

_MOST_SECONDS = 20.0
"""How long one API may take to answer before it is left to the whole refresh, which is more patient."""

_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_PAUSE = 0.2
"""Seconds between two attempts to reach a host: one that is wrong stays wrong."""
_MOST_PAUSES = 2


class NothingReadableError(Exception):
    """No source can be read at all; the message says in one line why.

    Attributes:
        is_rejected: credentials were rejected, rather than a host unreachable.
    """

    def __init__(self, errors: Iterable[SourceError]) -> None:
        texts = list(dict.fromkeys(str(error).rstrip(".") for error in errors))
        super().__init__("; ".join(texts))
        self.is_rejected = any(TOKEN_REJECTED in text for text in texts)


def require_options(
    settings: Settings, home: Home, *, full: bool, only: tuple[str, ...], repositories: tuple[str, ...], since: str
) -> None:
    """See that a refresh can be what it is asked to be. Makes no request.

    Raises:
        SettingsError: names the option, the cause and the cure.
    """
    for name in only:
        if name not in SOURCES:
            raise SettingsError(f"--only: there is no source {name!r}; there are {', '.join(SOURCES)}")
    settings.require_sources(only)
    day_since(since, full, settings.start_date)
    if repositories:
        settings.require_repositories(repositories, only, _known(home))


def _known(home: Home) -> list[str]:
    """Return the names of what was read before; none where that cannot be told."""
    try:
        return [row["repository"] for row in read_status(home)]
    except WarehouseError:
        return []


def require_readable(
    settings: Settings,
    home: Home,
    *,
    full: bool = False,
    only: tuple[str, ...] = (),
    known: Mapping[tuple[str, str], SourceError] | None = None,
) -> None:
    """See that at least one source can be read; ask one after the other until one can.

    What cannot be read is written to ``sync_status`` and ``status.json``, as a refresh would have done.

    Args:
        known: by source and connection, why it could not be read a moment ago; it is not asked again.

    Raises:
        NothingReadableError: every source rejects the credentials, or its host cannot be reached.
    """
    attempted_at = datetime.now(UTC)
    errors: dict[tuple[str, str], SourceError] = {}
    requests: dict[tuple[str, str], int] = {}
    # sources that read the same API with the same token are asked once
    answered = {(SOURCES[name].vendor, connection): error for (name, connection), error in (known or {}).items()}
    for entry in SOURCES.values():
        for view in entry.connected(settings):
            if (only and entry.name not in only) or not entry.is_configured(view):
                continue
            access, place = (entry.vendor, view.connection), (entry.name, view.connection)
            if access not in answered:
                refusal, requests[place] = _refusal(SOURCES[entry.vendor], view)
                if refusal is None:
                    return
                answered[access] = refusal
            errors[place] = answered[access]
    if not errors:
        return
    with writing(home, "veelocity refresh", log.info):
        record_attempts(
            home,
            [
                Outcome(
                    source=name,
                    table=table,
                    scope_id=qualified(connection, "*"),
                    scope_name=qualified(connection, "*"),
                    connection=connection or SOURCES[name].vendor,
                    attempted_at=attempted_at,
                    succeeded_at=None,
                    read_at=None,
                    rows=0,
                    watermark=None,
                    error=str(error),
                    is_full=full,
                    requests=requests.get((name, connection), 0) if number == 0 else 0,
                    points=0,
                ).to_row()
                for (name, connection), error in errors.items()
                for number, table in enumerate(SOURCES[name].tables)
            ],
        )
    raise NothingReadableError(errors.values())


def _refusal(entry: SourceEntry, settings: Settings) -> tuple[SourceError | None, int]:
    """Ask whether anything of a source can be read.

    Returns:
        why not, or None where something may be or that is not plain at once; and how many requests were made.
    """
    pauses = itertools.count(1)

    def pause(_seconds: float) -> None:
        if next(pauses) > _MOST_PAUSES:
            client.cancel()
        time.sleep(_PAUSE)

    try:
        client = entry.connector.client_of(settings, timeout=_TIMEOUT, sleep=pause)
    except AuthenticationError as error:
        return error, 0
    client.on_wait = lambda _wait: client.cancel()  # a limit is no refusal
    timer = threading.Timer(_MOST_SECONDS, client.cancel)
    timer.daemon = True
    timer.start()
    try:
        entry.connector(settings, client).reach()
    except (AuthenticationError, UnreachableError) as error:
        return error, client.requests
    except SourceError:
        pass
    finally:
        timer.cancel()
        client.close()
    return None, client.requests
