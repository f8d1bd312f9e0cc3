"""One refresh of one repository: what is asked about it, and what its lists tell each other."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast

import orjson

from veelocity_pipeline.sources.github import alone, nested, partial, queries
from veelocity_pipeline.sources.github.mark import RepositoryMark
from veelocity_pipeline.sources.github.queries import Nested
from veelocity_pipeline.sources.kit.connector import Chunk, Known, RefreshRequest, Scope
from veelocity_pipeline.sources.kit.follow.changes import Bounds
from veelocity_pipeline.sources.kit.http.answers import MOST_ATTEMPTS
from veelocity_pipeline.sources.kit.http.client import Client
from veelocity_pipeline.sources.kit.http.errors import BadAnswerError, NotFoundError, OverloadedError
from veelocity_pipeline.sources.kit.http.paging import Cursors, PageSize
from veelocity_pipeline.sources.kit.skips import Skips
from veelocity_pipeline.sources.kit.tables import Row
from veelocity_pipeline.sources.kit.times import time

if TYPE_CHECKING:
    from veelocity_pipeline.config.settings import Settings

Node = Mapping[str, Any]
T = TypeVar("T")

_NOTHING: Node = {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}

HERE = "deleted_at is null"
"""Rows that are not marked as deleted, for questions about what is loaded."""


def page_sizes() -> dict[str, PageSize]:
    """Return how much is asked for at once, by what is asked for; shared by all repositories of a refresh."""
    return {
        "pull_requests": PageSize(queries.PULL_REQUESTS_PER_PAGE),
        "issues": PageSize(queries.ISSUES_PER_PAGE),
        "commits": PageSize(queries.COMMITS_PER_PAGE),
        "tags": PageSize(queries.TAGS_PER_PAGE),
        "releases": PageSize(queries.RELEASES_PER_PAGE),
        "deployments": PageSize(queries.DEPLOYMENTS_PER_PAGE),
        "ids": PageSize(queries.IDS_PER_REQUEST),
        "branches": PageSize(queries.TAGS_PER_PAGE),
        "overflow": PageSize(queries.OVERFLOWS_PER_REQUEST),
    }


class Reading:
    """A repository while it is read.

    Attributes:
        node: what was found of it when all repositories were asked for.
        head: the newest commit of its default branch; None where it is empty.
        mark: changed as the read goes on.
        names: the present name, and the one in the settings.
        production: what says which environments and branches count as production.
        read_ids, read_parents: commits that this refresh has read and perhaps not loaded yet: ids, and parents by sha.
        read_commits: the same with those parents that are to be read.
        lost: commits that the default branch no longer leads to, perhaps not marked as deleted yet.
        direct: of the commits that were read the ones without a pull request: id → sha.
        read_heads: commits of pull requests that this refresh has read.
        released: commits that releases and deployments name that this refresh has read.
    """

    def __init__(
        self,
        client: Client,
        settings: Settings,
        sizes: Mapping[str, PageSize],
        scope: Scope,
        mark: RepositoryMark,
        request: RefreshRequest,
        known: Known,
    ) -> None:
        self.client = client.for_owner(scope.name)
        self.sizes = sizes
        self.id = scope.id
        self.name = scope.name
        self.scope = scope
        self.node: Node = scope.info["node"]
        branch = self.node.get("defaultBranchRef") or {}
        self.head: str | None = (branch.get("target") or {}).get("oid")
        self.mark = mark
        self.skips = Skips(mark.skipped)
        self._skipped_before = copy.deepcopy(mark.skipped)
        self._known = known
        self.is_full = request.full
        self.has_files = bool(settings.services_of(scope.name) or settings.services_of(scope.configured_as))
        self.start = settings.midnight(settings.start_date).astimezone(UTC) if settings.start_date else None
        since = request.since if request.full else None
        self.since = settings.midnight(since).astimezone(UTC) if since else None
        self.now = self.client.server_date or datetime.now(UTC)
        self.read_ids: set[str] = set()
        self.read_parents: dict[str, list[str]] = {}
        self.lost: set[str] = set()
        self.read_commits: dict[str, list[str]] = {}
        self.direct: dict[str, str] = {}
        self.read_heads: set[str] = set()
        self.released: set[str] = set()
        # Settings may still use the name that the repository had when they were written.
        self.settings = settings
        self.names = sorted({scope.name, scope.configured_as})
        rules = [settings.rules_for(name)[0] for name in self.names]
        own = [list(service.environments) for name in self.names for service in settings.services_of(name)]
        self.production = [*([list(each.production_environments), list(each.branches)] for each in rules), *own]

    def checkpoint(self) -> Chunk:
        """Make a chunk that saves the mark as it stands now."""
        return Chunk(mark=self.mark.to_state())

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take the mark back to what it was when this state of it was saved, but for what was skipped."""
        earlier = RepositoryMark.from_state(state)
        for each in dataclasses.fields(earlier):
            if each.name != "skipped":
                setattr(self.mark, each.name, getattr(earlier, each.name))

    def checkpoint_of_skips(self) -> Chunk:
        """Make a chunk that saves what was skipped, if that changed."""
        if self.mark.skipped == self._skipped_before:
            return Chunk()
        return self.checkpoint()

    @property
    def bounds(self) -> Bounds:
        """What of a list that moves is read."""
        return Bounds(self.is_full, self.start, self.since, self.now)

    # ------------------------------------------------------------------------------- what is loaded

    def rows(self, table: str, columns: Iterable[str], where: str = "") -> list[Row]:
        """Return some columns of the repository's rows."""
        return self._known.rows(table, columns, self.id, where)

    def values(self, table: str, column: str) -> set[Any]:
        """Return all values of one column of the repository's rows."""
        return self._known.values(table, column, self.id)

    # ------------------------------------------------------------------------------------ questions

    def page(self, document: str, field: str, kind: str, variables: Mapping[str, Any], most: int | None = None) -> Node:
        """Ask for one page of one of the repository's lists, its nodes still with cut lists inside.

        An item that cannot be had is left out and remembered, under ``skipped`` of the page too.
        """
        owner, name = self.name.split("/", 1)
        asked = {"owner": owner, "name": name, **variables}
        try:
            data, lost = self.client.graphql_page(document, asked, self.sizes[kind], most=most, about=self.name)
        except OverloadedError as error:
            if document not in alone.ALONE:
                raise
            return self._without_the_first(document, field, kind, asked, error)
        found: Node = self._repository(data).get(field) or _NOTHING
        if lost:
            partial.note(self, document, field, kind, asked, found, lost)
        return found

    def alone(self, document: str, field: str, variables: Mapping[str, Any], first: int) -> Any:
        """Ask for as many items of a list as were asked for, with what tells them apart alone."""
        data, _ = self.client.graphql_partial(alone.ALONE[document], {**variables, "first": first}, about=self.name)
        return self._repository(data).get(field) or _NOTHING

    def _without_the_first(
        self, document: str, field: str, kind: str, variables: Mapping[str, Any], error: OverloadedError
    ) -> Node:
        """Skip an item that the server cannot answer for: it fails where it is asked for by itself."""
        found = self.alone(document, field, variables, 1)
        partial.skip(self, kind, found, error)
        return cast("Node", found)

    def _repository(self, data: Node) -> Node:
        repository: Node | None = data.get("repository")
        # Another id: it was deleted, and another one made by that name.
        if repository is None or repository["id"] != self.id:
            raise NotFoundError(f"GitHub no longer knows {self.name}, or the token may not read it.")
        return repository

    def pages(self, document: str, field: str, kind: str, variables: Mapping[str, Any]) -> Iterator[Node]:
        """Ask for all pages of one of the repository's lists."""
        cursors = self.cursors(field)
        after: str | None = None
        while True:
            page = self.page(document, field, kind, {**variables, "after": after})
            following = cursors.following(page)
            yield page
            if following is None:
                return
            after = following

    def cursors(self, field: str) -> Cursors:
        """Begin a way along one of the repository's lists, of which most say how long they are."""
        return Cursors("GitHub", f"{field} in {self.name}", total(self.node.get(field)) or None)

    def by_id(self, document: str, ids: Iterable[str], kind: str, variables: Mapping[str, Any]) -> Iterator[list[Node]]:
        """Ask for nodes by their ids, without those that no longer exist, and those that are skipped."""
        gone: list[str] = []

        def send(some: list[str], is_least: bool) -> list[Node]:
            attempts = MOST_ATTEMPTS if is_least else 1
            data, lost = self.client.graphql_partial(
                document, {"ids": some, **variables}, about=self.name, attempts=attempts
            )
            found = data.get("nodes") or [None] * len(some)
            failed = {each.index: each for each in lost}
            gone.extend(
                key
                for number, key in enumerate(some)
                if found[number] is None and (number not in failed or failed[number].code == "NOT_FOUND")
            )
            for each in lost:
                if found[each.index] is None and each.code != "NOT_FOUND":
                    self.skips.add(kind, some[each.index], each.said)
                elif found[each.index] is not None and not partial.is_harmless(each):
                    partial.mark(self, kind, found[each.index], each.within, each.said)
            return [node for node in found if node]

        def lost(key: str, error: OverloadedError) -> None:
            self.skips.fail(kind, key, error)

        for _, found in self.sizes[kind].portions(ids, send, lost):
            yield found
        # Once in a while a provider says of something that it is not there, and it is.
        again, gone = gone, []
        if again:
            for _, found in self.sizes[kind].portions(again, send, lost):
                yield found
            self.skips.done(kind, gone)

    def complete(self, items: Sequence[Any], lists: Sequence[Nested], kind: str) -> None:
        """Follow every list inside these nodes to its end, in place, many in one request."""

        def lost(item: Any, field: str, said: object) -> None:
            partial.mark(self, kind, item, (field,), said)

        nested.complete(self.client, self.sizes["overflow"], self.name, items, lists, lost)

    def shaped(self, kind: str, items: Iterable[Any], shape: Callable[[Any], T]) -> list[T]:
        """Shape each item; one that has something else than its kind has is skipped."""
        return self.skips.shaped(kind, items, shape, partial.key_of(kind))

    # ----------------------------------------------------------------------------------------- days

    def is_too_old(self, date: datetime | None) -> bool:
        """Whether something is of before the first day."""
        return self.start is not None and date is not None and date < self.start

    def is_old(self, commit: Node) -> bool:
        """Whether a commit is of before the first day."""
        return self.is_too_old(time(commit.get("committedDate")))

    def is_production(self, environment: str | None) -> bool:
        """Whether an environment counts as production."""
        return environment is None or any(self.settings.is_production(name, environment) for name in self.names)


def moment(text: str) -> datetime:
    """Return a point in time that the API always gives."""
    found = time(text)
    if found is None:
        raise BadAnswerError(f"GitHub gives a time that no calendar has: {text}.")
    return found


def total(connection: Node | None) -> int:
    """Return how many items a list says it has."""
    return int((connection or {}).get("totalCount") or 0)


def fingerprint(value: Any) -> str:
    """Return a short text that changes with the value."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
