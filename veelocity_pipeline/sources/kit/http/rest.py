"""Asking by REST: one resource, or the pages of a list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

import httpx

from veelocity_pipeline.sources.kit.http.answers import MOST_ATTEMPTS, host_of
from veelocity_pipeline.sources.kit.http.errors import BadAnswerError
from veelocity_pipeline.sources.kit.http.paging import Pages
from veelocity_pipeline.sources.kit.http.provider import Json
from veelocity_pipeline.sources.kit.http.sender import Sender

MOST_LISTED = 1_000
"""Pages of a list of REST, of a hundred items each mostly."""


@dataclass(frozen=True)
class Response:
    """An answer to a GET.

    Attributes:
        json: the body; None where nothing changed (``is_unchanged``) or there is none.
        headers: as httpx gives them (names without regard to case).
        date: the server's time of the answer; our own if it did not say.
        etag: what to pass as ``etag`` to ask the same again; empty if the server gave none.
        is_unchanged: the server answered 304 to the ``etag``.
        next: the following page's URL, empty at the end.
    """

    json: Json
    headers: Mapping[str, str]
    date: datetime
    etag: str = ""
    is_unchanged: bool = False
    next: str = ""


class Rest(Sender):
    """What a client can ask by REST."""

    base_url: str

    def get(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        etag: str = "",
        about: str = "",
        attempts: int = MOST_ATTEMPTS,
    ) -> Response:
        """GET one REST resource.

        Args:
            path: beginning with a slash, or a whole URL of the same API (a ``next`` link).
            params: query parameters; None values are left out.
            etag: of an earlier ``Response``: what has not changed is not sent again, and is free of charge.
            about: what is read, for messages; a repository's name.
            attempts: how often it is asked for where the server stumbles.

        Raises:
            SourceError: of the kind that fits, after waits and retries.
        """
        query = {key: value for key, value in (params or {}).items() if value is not None}
        url = self._url(path)
        if query:
            url = f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
        response, body, used = self._send("GET", url, None, about or path, etag, attempts)
        tag = response.headers.get("etag", "")
        return Response(
            json=body,
            headers=response.headers,
            date=date_of(response),
            etag=f"{used.credential.key} {tag}" if tag else etag if response.status_code == 304 else "",
            is_unchanged=response.status_code == 304,
            next=self._next(response),
        )

    def pages(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        items_key: str = "",
        *,
        etags: MutableMapping[str, str] | None = None,
        about: str = "",
    ) -> Iterator[list[Json]]:
        """The items of each page of a list, following ``rel="next"`` for as long as there is more than came.

        Args:
            items_key: where the items are if the body is an object (``workflow_runs``); empty: it is a list.
            etags: by ``path``; the first page is asked with what is in there, and what it answered is
                put there. If it did not change there is no page at all.

        Raises:
            BadAnswerError: a page is not of this form, or brings only what is there already.
            SourceError: as ``get``.
        """
        answer = self.get(path, params, etag=(etags or {}).get(path, ""), about=about)
        if etags is not None and answer.etag:
            etags[path] = answer.etag
        if answer.is_unchanged:
            return
        number = 1
        followed: set[str] = set()
        listed = Pages(self.provider.title, about or path, most=MOST_LISTED, most_barren=1)
        while True:
            items = answer.json.get(items_key) if items_key and isinstance(answer.json, dict) else answer.json
            if not isinstance(items, list):
                raise BadAnswerError(
                    f"{self.provider.title} answered {path} without the list that belongs there; "
                    f"is {host_of(self.base_url)} the API?"
                )
            yield items
            if not items:
                return
            listed.note(items)
            number += 1
            total = answer.json.get("total_count") if items_key else None
            if isinstance(total, int) and listed.brought >= total:
                return
            if answer.next:
                if answer.next in followed:
                    raise listed.endless("the same one follows again")
                followed.add(answer.next)
                answer = self.get(answer.next, about=about or path)
            elif isinstance(total, int):
                # A proxy dropped the Link header.
                answer = self.get(path, {**(params or {}), "page": number}, about=about)
            else:
                return

    def _url(self, path: str) -> str:
        if path.startswith("/"):
            return f"{self.base_url}{path}"
        return path

    def _next(self, response: httpx.Response) -> str:
        """The next page's URL, at our own host: a proxy may pass on the links of the host behind it."""
        link = response.links.get("next", {}).get("url", "")
        if not link:
            return ""
        asked = str(response.url)
        try:
            there = urljoin(asked, link)
            is_same = urlsplit(there)[:2] == urlsplit(asked)[:2]
        except ValueError:
            raise BadAnswerError(f"{host_of(asked)} names a next page whose address is none.") from None
        if is_same:
            return there
        # The host behind names its own address, or the repository by its number: what counts is which page it is.
        return urlunsplit(urlsplit(asked)._replace(query=urlsplit(there).query))

    def create_token(self, path: str, *, about: str) -> Response:
        """POST without a body: how an App gets a token. Nothing else that is sent is not a read.

        Raises:
            SourceError: as ``get``.
        """
        response, body, _ = self._send("POST", self._url(path), None, about)
        return Response(json=body, headers=response.headers, date=date_of(response))


def date_of(response: httpx.Response) -> datetime:
    """Return the server's time of an answer; our own if it did not say."""
    try:
        date: datetime = parsedate_to_datetime(response.headers.get("date", ""))
        date = date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
        date.timestamp()
    except (ValueError, OverflowError, TypeError):
        return datetime.now(UTC)
    return date
