"""Asking by GraphQL: a part of an answer is never one, and a page that is too large is asked for smaller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from veelocity_pipeline.sources.kit.http.answers import MOST_ATTEMPTS, host_of
from veelocity_pipeline.sources.kit.http.errors import BadAnswerError, OverloadedError
from veelocity_pipeline.sources.kit.http.paging import PageSize
from veelocity_pipeline.sources.kit.http.provider import error_code
from veelocity_pipeline.sources.kit.http.sender import Sender


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
        data, errors = self._graphql(document, variables, about, frozenset(), MOST_ATTEMPTS)
        assert not errors
        return data

    def graphql_tolerant(
        self,
        document: str,
        variables: Mapping[str, Any] | None = None,
        *,
        tolerate: frozenset[str] = frozenset({"NOT_FOUND", "FORBIDDEN", "INSUFFICIENT_SCOPES"}),
        about: str = "",
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """As ``graphql``, but errors whose type is one of ``tolerate`` are returned beside the data.

        For documents that ask for many things by alias, of which some may not be there.
        """
        return self._graphql(document, variables, about, tolerate, MOST_ATTEMPTS)

    def graphql_page(
        self,
        document: str,
        variables: Mapping[str, Any],
        size: PageSize,
        *,
        argument: str = "first",
        most: int | None = None,
        about: str = "",
    ) -> dict[str, Any]:
        """As ``graphql``, with the page's size as variable ``argument``, smaller where the server cannot manage.

        Args:
            most: no more than this; points are counted by what is asked for, not by what there is.
        """

        def ask(first: int, is_least: bool) -> dict[str, Any]:
            # At any size but the least, asking for less is better than asking again.
            attempts = MOST_ATTEMPTS if is_least else 1
            page = {**variables, argument: first if most is None else max(1, min(first, most))}
            data, _ = self._graphql(document, page, about, frozenset(), attempts)
            return data

        return size.ask(ask, lambda: self._back_off(1))

    def _graphql(
        self,
        document: str,
        variables: Mapping[str, Any] | None,
        about: str,
        tolerate: frozenset[str],
        attempts: int,
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        payload = orjson.dumps({"query": document, "variables": dict(variables or {})})
        subject = about or "the GraphQL query"
        for attempt in range(1, attempts + 1):
            _, body, _ = self._send("POST", self.graphql_url, payload, subject, attempts=attempts, document=document)
            if not isinstance(body, dict):
                raise BadAnswerError(f"{host_of(self.graphql_url)} did not answer as a GraphQL API does.")
            errors = [e for e in body.get("errors") or () if isinstance(e, dict) and not self.provider.is_harmless(e)]
            data = body.get("data")
            fatal = [error for error in errors if error_code(error) not in tolerate]
            if not fatal and isinstance(data, dict):
                return data, errors
            failure = self.answers.graphql(fatal, subject)
            if not isinstance(failure, OverloadedError) or attempt == attempts:
                raise failure
            self._back_off(attempt)
        raise AssertionError("unreachable")
