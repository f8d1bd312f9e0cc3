"""Asking by GraphQL: a failed page is asked for again, smaller; a failed field costs that field or its object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from veelocity_pipeline.sources.kit.http.answers import MOST_ATTEMPTS, host_of, is_transient
from veelocity_pipeline.sources.kit.http.errors import BadAnswerError, OverloadedError, TooLargeError
from veelocity_pipeline.sources.kit.http.lost import Lost, lost_of
from veelocity_pipeline.sources.kit.http.paging import PageSize
from veelocity_pipeline.sources.kit.http.provider import error_code
from veelocity_pipeline.sources.kit.http.sender import Sender

REFUSALS = frozenset({"NOT_FOUND", "FORBIDDEN", "INSUFFICIENT_SCOPES"})
"""Codes that say that there is no such thing, or that the token may not know."""

MOST_FIELD_ATTEMPTS = 3
"""How often a query is sent in which single fields fail for a reason that may pass."""


class GraphQL(Sender):
    """What a client can ask by GraphQL."""

    graphql_url: str

    def graphql(self, document: str, variables: Mapping[str, Any] | None = None, *, about: str = "") -> dict[str, Any]:
        """The ``data`` of a GraphQL answer that has no errors; a part of an answer is never one.

        Raises:
            NotFoundError, PermissionDeniedError: the errors say so.
            OverloadedError: the server could not finish, however often it was asked.
            BadAnswerError: any other error.
            SourceError: as ``get``.
        """
        data, errors, _ = self._graphql(document, variables, about, frozenset(), MOST_ATTEMPTS)
        assert not errors
        return data

    def graphql_tolerant(
        self,
        document: str,
        variables: Mapping[str, Any] | None = None,
        *,
        tolerate: frozenset[str] = REFUSALS,
        about: str = "",
        attempts: int = MOST_ATTEMPTS,
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """As ``graphql``, but errors whose type is one of ``tolerate`` are returned beside the data.

        For documents that ask for many things by alias, of which some may not be there.
        """
        data, errors, _ = self._graphql(document, variables, about, tolerate, attempts)
        return data, errors

    def graphql_partial(
        self,
        document: str,
        variables: Mapping[str, Any] | None = None,
        *,
        about: str = "",
        attempts: int = MOST_ATTEMPTS,
    ) -> tuple[dict[str, Any], list[Lost]]:
        """As ``graphql``, but what failed of single items of lists is null, and told beside the data.

        Raises:
            OverloadedError: the whole query failed.
            SourceError: as ``graphql``.
        """
        data, _, lost = self._graphql(document, variables, about, frozenset(), attempts, True)
        return data, lost

    def graphql_page(
        self,
        document: str,
        variables: Mapping[str, Any],
        size: PageSize,
        *,
        argument: str = "first",
        most: int | None = None,
        about: str = "",
    ) -> tuple[dict[str, Any], list[Lost]]:
        """As ``graphql_partial``, with its size as variable ``argument``: smaller where the server cannot manage.

        Args:
            most: no more than this; points are counted by what is asked for, not by what there is.
        """

        def ask(first: int, is_least: bool) -> tuple[dict[str, Any], list[Lost]]:
            # At any size but the least, asking for less is better than asking again.
            attempts = MOST_ATTEMPTS if is_least else 1
            page = {**variables, argument: first if most is None else max(1, min(first, most))}
            return self.graphql_partial(document, page, about=about, attempts=attempts)

        return size.ask(ask, lambda: self._back_off(1))

    def _graphql(
        self,
        document: str,
        variables: Mapping[str, Any] | None,
        about: str,
        tolerate: frozenset[str],
        attempts: int,
        is_partial: bool = False,
    ) -> tuple[dict[str, Any], list[dict[str, Any]], list[Lost]]:
        payload = orjson.dumps({"query": document, "variables": dict(variables or {})})
        subject = about or "the GraphQL query"
        avoid: set[str] = set()
        attempt = 0
        while True:
            attempt += 1
            _, body, account = self._send(
                "POST", self.graphql_url, payload, subject, attempts=attempts, document=document, avoid=avoid
            )
            if not isinstance(body, dict):
                raise BadAnswerError(f"{host_of(self.graphql_url)} did not answer as a GraphQL API does.")
            errors = [e for e in body.get("errors") or () if isinstance(e, dict) and not self.provider.is_harmless(e)]
            data = body.get("data")
            if _is_refused(data, errors):
                if self._others(account, avoid):
                    avoid.add(account.credential.key)
                    attempt -= 1
                    continue
            elif not errors:
                self._note_reach(account, avoid)
            lost = lost_of(data, errors) if is_partial and isinstance(data, dict) else []
            fatal = [
                error
                for error in errors
                if error_code(error) not in tolerate and not any(error is each.error for each in lost)
            ]
            if not fatal and isinstance(data, dict):
                if attempt < MOST_FIELD_ATTEMPTS and any(is_transient(each.code) for each in lost):
                    self._back_off(attempt)
                    continue
                return data, errors, lost
            failure = self.answers.graphql(fatal, subject)
            if is_partial and not isinstance(failure, OverloadedError) and all(map(_is_of_an_item, fatal)):
                # It took the whole page with it, since the schema allows no null there: a smaller one may do without.
                failure = TooLargeError(str(failure))
            is_final = isinstance(failure, TooLargeError) or attempt >= attempts
            if not isinstance(failure, OverloadedError) or is_final:
                raise failure
            self._back_off(attempt)


def _is_of_an_item(error: Mapping[str, Any]) -> bool:
    """Whether an error names an item of a list, or something within."""
    path = error.get("path")
    return isinstance(path, list) and any(isinstance(part, int) for part in path)


def _is_refused(data: Any, errors: Sequence[Mapping[str, Any]]) -> bool:
    """Whether all that was asked for is not there, or not for this token."""
    if not any(error_code(error) in REFUSALS for error in errors):
        return False
    if not isinstance(data, dict):
        return True
    asked = [value for name, value in data.items() if name != "rateLimit"]
    return all(value is None or (isinstance(value, list) and not any(value)) for value in asked)
