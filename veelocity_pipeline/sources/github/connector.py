"""One refresh of GitHub: what is new in each repository, or all of it, as chunks with their marks.

How each list is followed, and why nothing is lost:

* Pull requests and issues, newest change first. A first (or full) read goes to the end, page by page, each
  a checkpoint; later ones stop a little below the newest change of the last read. What changes while pages
  are read moves to the front, so the front is read again afterwards; and the total must agree with what is
  stored, or all ids are listed.
* Commits of the default branch, from its head back until every parent of a known commit is known: dates
  say nothing about what was merged when. Those that the head no longer leads to are gone: it was rewritten.
* Releases, deployments and tags, newest first, until a page ends in one that has not changed and the total
  agrees. Deployments that can still change are asked by id.
* Commits that these name and the default branch does not have (a release branch), back until what is known.

Whatever takes more than a page leaves a checkpoint with each, and a refresh that was killed is gone on with from
there: first reads, full ones, and increments after a long absence alike.

What does not move a pull request's or an issue's ``updatedAt`` (a comment that is deleted, a link to an
issue that is made or cut in the sidebar) is found by a full refresh.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from veelocity_pipeline.sources.github import queries, shape, trees
from veelocity_pipeline.sources.github.app import check_app, check_scopes
from veelocity_pipeline.sources.github.queries import Nested
from veelocity_pipeline.sources.github.repositories import github_client, reach_github, resolve, vanished
from veelocity_pipeline.sources.kit.connector import (
    Change,
    CheckResult,
    Chunk,
    Connector,
    Known,
    Progress,
    RefreshRequest,
    Scope,
    ScopeFailure,
)
from veelocity_pipeline.sources.kit.http.client import Client
from veelocity_pipeline.sources.kit.http.errors import BadAnswerError, NotFoundError, SourceError
from veelocity_pipeline.sources.kit.http.paging import Cursors, PageSize

if TYPE_CHECKING:
    from veelocity_pipeline.config.settings import Settings

Node = Mapping[str, Any]
Mark = dict[str, Any]

OVERLAP = timedelta(minutes=5)
"""How far below the newest known change an increment reads: replicas behind GitHub's API lag by seconds."""

SETTLED = timedelta(minutes=1)
"""A newest change that was this old when it was read is the last of its second."""

RESUMED_FOR = timedelta(days=7)
"""A full read that was interrupted longer ago than this begins anew rather than going on."""

FIRST_OF_INCREMENT = 10
"""Pull requests on the first page of an increment: mostly a few have changed, and the price is by what is asked for."""

ENDED = frozenset({"INACTIVE", "FAILURE", "ERROR", "DESTROYED", "ABANDONED"})
"""States that a deployment does not leave."""

UNDER_WAY = frozenset({"PENDING", "QUEUED", "IN_PROGRESS", "WAITING"})

MOST_REPLACED = 10
"""How many of an environment's live deployments are looked at first when it has a new one, which may replace them:
GitHub makes all earlier ones inactive at once, or none (``auto_inactive``), so the newest of them tell."""

FILES_PER_PAGE = 100
"""The most that REST lists at once."""

MOST_DEEP = 100
"""Tags of tags of tags at most."""

MOST_WALKS = 10_000
"""Commits from which history is read beside the branch's head, in one refresh."""

TAGS_PER_CHECKPOINT = 1_000
"""Tags are one set for dlt, loaded whole each time: a checkpoint with every page would load them over and over."""


_HERE = "deleted_at is null"
"""Rows that are not marked as gone, for questions about what is loaded."""


@dataclass(frozen=True)
class _Moving:
    """A list that is ordered by change: pull requests or issues.

    Attributes:
        table, field: its table and its name in GraphQL.
        document, by_id, ids: its documents.
        nested: the lists within a node.
        first: items on a page at most.
    """

    table: str
    field: str
    document: str
    by_id: str
    ids: str
    nested: tuple[Nested, ...]
    first: int


PULL_REQUESTS = _Moving(
    "pull_requests",
    "pullRequests",
    queries.PULL_REQUESTS,
    queries.PULL_REQUESTS_BY_ID,
    queries.PULL_REQUEST_IDS,
    (*queries.NESTED_IN_PULL_REQUEST, queries.FILES),
    queries.PULL_REQUESTS_PER_PAGE,
)
ISSUES = _Moving(
    "issues",
    "issues",
    queries.ISSUES,
    queries.ISSUES_BY_ID,
    queries.ISSUE_IDS,
    (queries.ISSUE_LABELS,),
    queries.ISSUES_PER_PAGE,
)


_Add = Callable[[Chunk, Sequence[Any]], dict[str, Any]]
"""Puts nodes into a chunk as rows; returns by key what tells whether one has changed."""


class GitHubConnector(Connector):
    """One refresh of GitHub. A scope is a repository, by its node id."""

    def __init__(self, settings: Settings, client: Client | None = None) -> None:
        self.settings = settings
        self.client = client or self.client_of(settings)
        self.sizes = {
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

    @classmethod
    def client_of(cls, settings: Settings, **options: Any) -> Client:
        """Make the client of the configured GitHub; see ``Connector.client_of``."""
        return github_client(settings, **options)

    def reach(self) -> None:
        """See ``Connector.reach``."""
        reach_github(self.client)

    def scopes(self, request: RefreshRequest) -> list[Scope | ScopeFailure]:
        """The configured repositories, with what is newest in each."""
        return resolve(self.client, self.settings, request)

    def vanished(self, remembered: Mapping[str, str], found: Iterable[Scope | ScopeFailure]) -> Iterable[ScopeFailure]:
        """Repositories that an owner's list no longer has."""
        return vanished(self.settings, remembered, found)

    def read(self, scope: Scope, mark: dict[str, Any], request: RefreshRequest, known: Known) -> Iterator[Chunk]:
        """Read one repository; see ``Connector.read``.

        The mark, by list: ``pull_requests`` and ``issues`` (``newest`` change, ``seen_at``, ``count``, ``surplus`` of
        the total over what is stored; ``sweep`` while all are read), ``commits`` (``head``; ``walk`` likewise),
        ``tags``, ``releases`` and ``deployments`` (print of the newest), ``repository`` (print of its row),
        ``files`` (whether paths are read), ``name`` (in every address that is loaded), ``rewritten`` (the head to
        which the default branch last lost commits), ``moved_tags`` (whose releases are to be asked), ``newest`` (keys
        by list), ``start`` (the first day in force), ``full`` (lists that an unfinished full refresh is done with).
        While more than a page is read: ``increment`` of pull requests and issues, ``walks`` of the last three by name.
        """
        yield from _Repository(self, scope, mark, request, known).read()

    def changed_since(self, read_at: Mapping[str, datetime]) -> list[Change]:
        """Of the configured repositories those in which something is newer; by the requests that ``scopes`` makes."""
        changes = [
            Change(item, newest_change(item.info["node"]))
            for item in self.scopes(RefreshRequest())
            if isinstance(item, Scope)
        ]
        return [
            change for change in changes if change.scope.id not in read_at or change.newest > read_at[change.scope.id]
        ]

    def check(self) -> list[CheckResult]:
        """Whether the token is valid, whose it is, and which repositories it may read; so for an App."""
        owners = [entry.partition("/")[0] for entry in self.settings.wanted_repositories]
        of_app = check_app(self.client, owners)
        if any(not line.ok and line.subject == "GitHub App" for line in of_app):
            return of_app
        try:
            viewer = self.client.graphql(queries.VIEWER, about="the token's owner").get("viewer") or {}
        except (NotFoundError, BadAnswerError):
            viewer = {}  # an App's token has no user
        except SourceError as error:
            return [*of_app, CheckResult("GitHub", False, str(error))]
        who = f"token of {viewer['login']}" if viewer.get("login") else "token of an app"
        results = [CheckResult("GitHub", True, f"GitHub answers; {who}."), *check_scopes(self.client), *of_app]
        if not self.settings.github_repositories:
            return [*results, CheckResult("GitHub", False, "No repository to read: set GITHUB_REPOSITORIES.")]
        try:
            found = self.scopes(RefreshRequest())
        except SourceError as error:
            return [*results, CheckResult("GitHub", False, str(error))]
        for item in found:
            if isinstance(item, ScopeFailure):
                results.append(CheckResult(item.name, False, item.error))
                continue
            node = item.info["node"]
            counts = (
                f"{_total(node.get('pullRequests')):,} pull requests, {_total(node.get('issues')):,} issues, "
                f"{_total(node.get('deployments')):,} deployments, {_total(node.get('releases')):,} releases"
            )
            renamed = (
                ""
                if item.name.casefold() == item.configured_as.casefold() or "*" in item.configured_as
                else (f" (in the settings as {item.configured_as})")
            )
            results.append(CheckResult(item.name, True, f"Can be read{renamed}: {counts}."))
        return results


class _Repository:
    """One refresh of one repository."""

    def __init__(
        self, connector: GitHubConnector, scope: Scope, mark: Mark, request: RefreshRequest, known: Known
    ) -> None:
        self.client = connector.client.for_owner(scope.name)
        self.sizes = connector.sizes
        self.id = scope.id
        self.name = scope.name
        self.scope = scope
        self.node: Node = scope.info["node"]
        branch = self.node.get("defaultBranchRef") or {}
        self.head: str | None = (branch.get("target") or {}).get("oid")
        self.mark = mark
        self.known = known
        self.is_full = request.full
        settings = connector.settings
        self.has_files = bool(settings.services_of(scope.name) or settings.services_of(scope.configured_as))
        self.start = settings.midnight(settings.start_date).astimezone(UTC) if settings.start_date else None
        since = request.since if request.full else None
        self.since = settings.midnight(since).astimezone(UTC) if since else None
        self.say = connector.say
        self.progress = functools.partial(connector.progress, scope)
        self.now = self.client.server_date or datetime.now(UTC)
        # Read by this refresh, perhaps not loaded yet: ids, parents, and those parents that are to be read.
        self.read_ids: set[str] = set()
        self.read_parents: dict[str, list[str]] = {}
        self.lost: set[str] = set()  # what the default branch no longer leads to, perhaps not marked as gone yet
        self.read_commits: dict[str, list[str]] = {}
        self.direct: dict[str, str] = {}  # of those the ones without a pull request: id → sha
        self.read_heads: set[str] = set()  # commits of pull requests, read by this refresh
        self.released: set[str] = set()  # commits that releases, tags and deployments name, read by this refresh
        # Settings may still use the name that the repository had when they were written.
        self.settings = settings
        self.names = sorted({scope.name, scope.configured_as})
        rules = [settings.rules_for(name)[0] for name in self.names]
        own = [list(service.environments) for name in self.names for service in settings.services_of(name)]
        self.production = [*([list(each.production_environments), list(each.branches)] for each in rules), *own]

    def read(self) -> Iterator[Chunk]:
        """All lists, one after the other; each leaves its own part of the mark."""
        # Another name is another address in every row, which moves no updatedAt.
        self.is_full = self.is_full or self.mark.get("name", self.name) != self.name
        start = self.start.isoformat() if self.start else None
        before = self.mark.get("start", start)
        is_uncovered = before is not None and (start is None or _time(start) < _time(before))
        # Paths of what was read before there were services are not known.
        is_without_paths = self.has_files and not self.mark.get("files")
        if "name" not in self.mark or self.mark["name"] != self.name or is_uncovered or is_without_paths:
            self.since = None
        if self.is_full:
            self._begin_full()
        if is_uncovered or is_without_paths:
            self.mark.pop("pull_requests", None)
        if is_uncovered:
            for name in ("issues", "commits", "deployed_commits"):
                self.mark.pop(name, None)
        self.mark["files"] = self.has_files
        self.mark["start"] = start
        yield from self._repository()
        steps: tuple[tuple[str, Callable[[], Iterator[Chunk]]], ...] = (
            ("commits", self._commits),
            ("pull_requests", lambda: self._moving(PULL_REQUESTS)),
            ("issues", lambda: self._moving(ISSUES)),
            ("tags", self._tags),
            ("releases", self._releases),
            ("deployments", self._deployments),
            ("deployed_commits", self._deployed_commits),
        )
        for name, step in steps:
            done = self.mark.get("full", {}).get("done", [])
            if self.is_full and name in done:
                continue
            yield from step()
            if self.is_full:
                done.append(name)
                yield self._chunk()
        if self.has_files:
            yield from self._commit_files()
        if self.is_full or "name" not in self.mark:
            self.mark.pop("full", None)
            self.mark["name"] = self.name
            yield self._chunk()

    def _begin_full(self) -> None:
        """Go on with a full refresh that was interrupted lately, or begin one."""
        begun = self.mark.get("full") or {}
        since = self.since.isoformat() if self.since else None
        is_same = (begun.get("name"), begun.get("since")) == (self.name, since)
        if not is_same or self.now - datetime.fromisoformat(begun["begun"]) > RESUMED_FOR:
            for name in ("pull_requests", "issues", "commits"):
                for key in ("sweep", "walk"):
                    if self.mark.get(name, {}).get(key, {}).get("is_full"):
                        del self.mark[name][key]
            for name in ("tags", "releases", "deployments"):
                self.mark.get("walks", {}).pop(f"{name} in full", None)
            self.mark["full"] = {"begun": self.now.isoformat(), "name": self.name, "since": since, "done": []}
        else:
            self.say(
                f"{self.name}: going on with the full refresh that began on {begun['begun'][:16].replace('T', ' ')}Z"
            )

    def _chunk(self) -> Chunk:
        """A chunk that saves the mark as it stands now."""
        return Chunk(mark=orjson.loads(orjson.dumps(self.mark)))

    def _repository(self) -> Iterator[Chunk]:
        row = shape.repository_row(self.node, self.scope.configured_as)
        seen = _print(row)
        if seen != self.mark.get("repository") or self.is_full:
            self.mark["repository"] = seen
            chunk = self._chunk()
            chunk.add("repositories", [row])
            yield chunk

    def _watermark(self, table: str, moment: str | None) -> None:
        if moment:
            self.mark.setdefault("watermarks", {})[table] = moment

    # --------------------------------------------------------------------------------------- documents

    def _page(
        self, document: str, field: str, kind: str, variables: Mapping[str, Any], most: int | None = None
    ) -> Node:
        """One page of one of the repository's lists, its nodes still with cut lists inside."""
        owner, name = self.name.split("/", 1)
        data = self.client.graphql_page(
            document, {"owner": owner, "name": name, **variables}, self.sizes[kind], most=most, about=self.name
        )
        repository = data.get("repository")
        # Another id: it was deleted, and another one made by that name.
        if repository is None or repository["id"] != self.id:
            raise NotFoundError(f"GitHub no longer knows {self.name}, or the token may not read it.")
        return repository.get(field) or {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}

    def _pages(
        self, document: str, field: str, kind: str, variables: Mapping[str, Any], after: str | None = None
    ) -> Iterator[Node]:
        cursors = self._cursors(field)
        while True:
            page = self._page(document, field, kind, {**variables, "after": after})
            following = cursors.following(page)
            yield page
            if following is None:
                return
            after = following

    def _cursors(self, field: str) -> Cursors:
        """Along one of the repository's lists, of which most say how long they are."""
        return Cursors("GitHub", f"{field} in {self.name}", _total(self.node.get(field)) or None)

    def _by_id(
        self, document: str, ids: Iterable[str], kind: str, variables: Mapping[str, Any]
    ) -> Iterator[list[Node]]:
        """Nodes by their ids, without those that are gone."""

        def send(some: list[str]) -> list[Node]:
            data, _ = self.client.graphql_tolerant(document, {"ids": some, **variables}, about=self.name)
            return [node for node in data.get("nodes") or () if node]

        for _, found in self.sizes[kind].portions(ids, send):
            yield found

    def _complete(self, items: Sequence[Any], nested: Sequence[Nested]) -> None:
        """Follow every list inside these nodes to its end, in place, many in one request."""
        pending = [cut for node in items for cut in _cuts(node, nested)]
        while pending:
            again: list[_Cut] = []
            for some, data in self.sizes["overflow"].portions(pending, self._rest):
                for number, cut in enumerate(some):
                    again.extend(_extend(cut, data.get(f"n{number}")))
            pending = again

    def _rest(self, cuts: list[_Cut]) -> dict[str, Any]:
        """What follows in some cut lists, as ``n0`` …; null where the owner vanished."""
        variables: dict[str, Any] = {}
        for number, cut in enumerate(cuts):
            variables[f"i{number}"] = cut.owner["id"]
            variables[f"c{number}"] = cut.connection["pageInfo"]["endCursor"]
        document = queries.overflow([cut.nested for cut in cuts])
        data, errors = self.client.graphql_tolerant(document, variables, about=self.name)
        vanished = {error["path"][0] for error in errors if error.get("path")}
        for number, cut in enumerate(cuts):
            if data.get(f"n{number}") is None and f"n{number}" not in vanished:
                raise BadAnswerError(
                    f"GitHub does not give the rest of the {cut.nested.field} of {cut.owner['id']} in {self.name}."
                )
        return data

    # ------------------------------------------------------------------------ pull requests and issues

    def _moving(self, kind: _Moving) -> Iterator[Chunk]:
        """Pull requests or issues: what is new since the mark, or everything."""
        state = self.mark.setdefault(kind.table, {})
        newest = _newest(self.node.get(kind.field))
        total = _total(self.node.get(kind.field))
        if self.is_full or "newest" not in state or not state.get("sweep", {}).get("is_full", True):
            yield from self._sweep(kind, total)
            return
        # Neither is there yet where a first read was killed between its last page and its end.
        seen_at, count = state.get("seen_at"), state.get("count")
        settled = newest is None or (seen_at is not None and _time(seen_at) - _time(newest) >= SETTLED)
        if newest == state["newest"] and total == count and settled and "increment" not in state:
            return
        seen: set[str] = set()
        if total:
            seen = yield from self._increment(kind)
        yield from self._settle(kind, total, seen)

    def _sweep(self, kind: _Moving, total: int) -> Iterator[Chunk]:
        """Everything, newest change first, each page a checkpoint; afterwards what changed meanwhile."""
        state = self.mark[kind.table]
        sweep = state.get("sweep")
        if sweep is None or sweep["is_full"] != self.is_full:
            sweep = {"after": None, "newest": _newest(self.node.get(kind.field)), "is_full": self.is_full}
        state["sweep"] = sweep
        state.pop("increment", None)
        is_resumed = sweep["after"] is not None
        seen: set[str] = set()
        pages = 0
        cursors = self._cursors(kind.field)
        while total:
            try:
                page = self._page(
                    kind.document,
                    kind.field,
                    kind.table,
                    {"after": sweep["after"], **self._variables(kind)},
                    most=total,
                )
            except BadAnswerError:
                if not is_resumed or pages:
                    raise
                # The cursor of an earlier run is no longer good.
                sweep["after"], is_resumed = None, False
                continue
            pages += 1
            items = shape.nodes(page)
            seen.update(node["id"] for node in items)
            self.progress(Progress(kind.table.replace("_", " "), len(seen), total, pages))
            following = cursors.following(page)
            if following is None or any(self._is_before_floor(node["updatedAt"]) for node in items[-1:]):
                yield self._rows(kind, items)
                break
            sweep["after"] = following
            chunk = self._chunk()
            self._add(kind, chunk, items)
            yield chunk
        if self.start and total and not self.since:
            # Below that day only what is still open matters.
            for page in self._pages(
                kind.document, kind.field, kind.table, {**self._variables(kind), "states": ["OPEN"]}
            ):
                seen.update(node["id"] for node in shape.nodes(page))
                yield self._rows(kind, shape.nodes(page))
        state["newest"] = sweep["newest"]
        if pages > 1 or is_resumed:
            seen |= yield from self._increment(kind)
        del state["sweep"]
        state["surplus"] = 0
        yield from self._settle(kind, total, seen, is_complete=not is_resumed and not self.since)

    def _increment(self, kind: _Moving) -> Generator[Chunk, None, set[str]]:
        """What changed since ``newest`` in the mark, and moves it. Returns the ids that were read.

        One that takes more pages leaves ``increment`` in the mark: where to go on, and what was newest when it began.
        """
        state = self.mark[kind.table]
        floor = _time(state["newest"]) - OVERLAP if state["newest"] else None
        seen: set[str] = set()
        is_resumed = "increment" in state
        while True:
            walk = state.get("increment") or {"after": None, "newest": None}
            cursors = self._cursors(kind.field)
            is_first = True
            while True:
                most = FIRST_OF_INCREMENT if walk["after"] is None else kind.first
                try:
                    page = self._page(
                        kind.document,
                        kind.field,
                        kind.table,
                        {"after": walk["after"], **self._variables(kind)},
                        most=most,
                    )
                except BadAnswerError:
                    if not (is_resumed and is_first):
                        raise
                    # The cursor of an earlier run is no longer good.
                    walk, is_first = {"after": None, "newest": None}, False
                    continue
                is_first = False
                items = shape.nodes(page)
                if walk["newest"] is None and items:
                    walk["newest"] = items[0]["updatedAt"]
                new = [node for node in items if floor is None or _time(node["updatedAt"]) >= floor]
                seen.update(node["id"] for node in new)
                following = cursors.following(page)
                if len(new) < len(items) or following is None:
                    yield self._rows(kind, new)
                    break
                walk["after"] = following
                state["increment"] = walk
                chunk = self._chunk()
                self._add(kind, chunk, new)
                yield chunk
            state.pop("increment", None)
            newest = walk["newest"]
            if newest and (state["newest"] is None or _time(newest) > _time(state["newest"])):
                state["newest"] = newest
            if not is_resumed:
                return seen
            # What changed since the earlier run moved to the front, above where it went on.
            is_resumed = False
            floor = _time(state["newest"]) - OVERLAP if state["newest"] else None

    def _settle(self, kind: _Moving, total: int, seen: set[str], is_complete: bool = False) -> Iterator[Chunk]:
        """Save the mark; where the total does not agree with what is stored, list what there is first.

        Args:
            seen: ids that were read in this refresh; their rows may not be loaded yet.
            is_complete: everything was read from the first page to the last in this refresh.
        """
        state = self.mark[kind.table]
        stored = {row["id"] for row in self.known.rows(kind.table, ("id",), self.id, _HERE)}
        surplus = state.get("surplus", 0)
        listed: set[str] | None = None
        if self.is_full:
            listed = set(seen)
            if not is_complete or (stored - listed if self.start else total != len(listed)):
                listed |= self._ids(kind)
        elif self.start is None and total != len(stored | seen) + surplus:
            listed = self._ids(kind)
        if listed is not None:
            missing = listed - stored - seen if self.start is None else set()
            # What is stored but was not listed may have moved between two pages: it is asked for by its id.
            there: set[str] = set()
            for found in self._by_id(
                kind.by_id, sorted(missing | (stored - listed)), kind.table, self._variables(kind)
            ):
                asked = [node for node in found if node.get("id") in missing | stored]
                there.update(node["id"] for node in asked)
                yield self._rows(kind, asked)
            listed |= there
            # GitHub may count what it does not list, of accounts it has hidden; that is no news next time.
            state["surplus"] = total - len(listed)
        state["count"] = total
        state["seen_at"] = self.now.isoformat()
        self._watermark(kind.table, state["newest"])
        chunk = self._chunk()
        if listed is not None:
            chunk.listed[kind.table] = listed
        yield chunk

    def _ids(self, kind: _Moving) -> set[str]:
        return {node["id"] for page in self._pages(kind.ids, kind.field, "ids", {}) for node in shape.nodes(page)}

    def _variables(self, kind: _Moving) -> dict[str, Any]:
        return {"files": self.has_files} if kind is PULL_REQUESTS else {}

    def _is_before_floor(self, moment: str) -> bool:
        """Whether something is older than all that is to be read."""
        floor = max(filter(None, (self.start, self.since)), default=None)
        return floor is not None and _time(moment) < floor

    def _rows(self, kind: _Moving, items: Sequence[Node]) -> Chunk:
        chunk = Chunk()
        self._add(kind, chunk, items)
        return chunk

    def _add(self, kind: _Moving, chunk: Chunk, items: Sequence[Node]) -> None:
        """Rows of these nodes, their inner lists read to the end; not of what ended before the first day."""
        if self.start:
            items = [node for node in items if not (node.get("closedAt") and _time(node["closedAt"]) < self.start)]
        self._complete(items, kind.nested)
        if kind is PULL_REQUESTS:
            for node in items:
                self._complete_files(node)
            chunk.add("pull_requests", [shape.pull_request_row(node, self.id) for node in items])
            for node in items:
                for table, rows in shape.pull_request_sets(node, self.id).items():
                    chunk.add_set(table, node["id"], rows)
                    if table == "pull_request_commits":
                        self.read_heads.update(row["sha"] for row in rows)
        else:
            chunk.add("issues", [shape.issue_row(node, self.id) for node in items])
            for node in items:
                chunk.add_set("issue_labels", node["id"], shape.issue_label_rows(node, self.id))

    def _complete_files(self, node: Any) -> None:
        """Take the paths of a pull request that touches more than GitHub lists from the two trees it lies between."""
        listed = len(shape.nodes(node.get("files")))
        if listed < trees.MOST_FILES or listed >= (node.get("changedFiles") or 0):
            return
        base = trees.merge_base(self.client, self.name, node["baseRefOid"], node["headRefOid"])
        before, _ = trees.tree_of(self.client, self.name, base)
        after, _ = trees.tree_of(self.client, self.name, node["headRefOid"])
        paths = trees.changed_paths(self.client, self.name, before, after)
        node["files"] = {"nodes": [{"path": path} for path in paths]}

    # -------------------------------------------------------------------------------------------- commits

    def _commits(self) -> Iterator[Chunk]:
        """The default branch's history: the whole of it at first, then from its head to what is known."""
        head = self.head
        if not head:
            return  # an empty repository
        state = self.mark.setdefault("commits", {})
        walk = state.get("walk")
        if self.is_full and not (walk and walk["is_full"]):
            walk = {"head": head, "after": None, "is_full": True}
        elif "head" not in state and walk is None:
            walk = {"head": head, "after": None, "is_full": False}
        if walk and (self.is_full or not walk["is_full"]):
            if walk["head"] != head and self._object(walk["head"], walk["after"]) is None:
                walk = {**walk, "head": head, "after": None}  # the branch was rewritten since, and cleaned up
            state["walk"] = walk
            walked = pages = 0
            for page in self._history(walk["head"], walk["after"]):
                items = shape.nodes(page)
                walk["after"] = page["pageInfo"]["endCursor"]
                walked, pages = walked + len(items), pages + 1
                self.progress(Progress("commits", walked, None, pages))
                is_last = not page["pageInfo"]["hasNextPage"] or (
                    bool(items) and all(self._is_before_floor(node["committedDate"]) for node in items)
                )
                if is_last:
                    state["head"] = walk["head"]
                    del state["walk"]
                chunk = self._chunk()
                self._add_commits(chunk, items, items)
                yield chunk
                if is_last:
                    break
        if state.get("head") != head:
            yield from self._new_commits(head)
            state["head"] = head
            yield self._chunk()
        elif not self.is_full:
            return
        yield from self._unreachable(head)

    def _unreachable(self, head: str) -> Iterator[Chunk]:
        """Mark the commits as gone that the default branch no longer leads to."""
        loaded = {row["sha"]: row for row in self.known.rows("commits", ("id", "sha", "parent_shas"), self.id, _HERE)}
        reached: set[str] = set()
        ahead = [head]
        while ahead:
            sha = ahead.pop()
            if sha in reached:
                continue
            reached.add(sha)
            if sha in self.read_parents:
                ahead += self.read_parents[sha]
            elif sha in loaded:
                ahead += (loaded[sha]["parent_shas"] or "").split()
        self.lost = loaded.keys() - reached
        if self.lost:
            self.mark["rewritten"] = head
            chunk = self._chunk()
            chunk.listed["commits"] = {row["id"] for sha, row in loaded.items() if sha in reached}
            chunk.listed["commits"] |= self.read_ids
            yield chunk

    def _new_commits(self, head: str) -> Iterator[Chunk]:
        """From the head back until every parent of a known commit is known, whatever the dates say.

        Rows come without a mark: what is stored need not be closed for the next refresh to go on from it.
        """
        seen: set[str] = set()
        wanted: set[str] = set()
        for row in self.known.rows("commits", ("sha", "parent_shas", "committed_at"), self.id, _HERE):
            seen.add(row["sha"])
            if not (self.start and row["committed_at"] and row["committed_at"] < self.start):
                wanted.update((row["parent_shas"] or "").split())
        seen |= self.read_commits.keys()
        for parents in self.read_commits.values():
            wanted.update(parents)
        wanted -= seen
        oid = head
        if head not in seen:
            wanted.add(head)
        elif wanted:
            oid = next(iter(wanted))
        walks = 0
        while wanted:
            walks = self._walk_on(walks)
            for page in self._history(oid, None, is_optional=oid != head):
                items = shape.nodes(page)
                new = [node for node in items if node["oid"] not in seen]
                chunk = Chunk()
                self._add_commits(chunk, new, items)
                yield chunk
                for node in new:
                    seen.add(node["oid"])
                    wanted.update(self.read_commits[node["oid"]])
                wanted -= seen
                if not wanted or not new or items[-1]["oid"] != new[-1]["oid"]:
                    break
            # An object that cannot be had (a history that was cut off) is not asked for twice.
            wanted.discard(oid)
            oid = next(iter(wanted), "")

    def _deployed_commits(self) -> Iterator[Chunk]:
        """What releases, tags and production deployments are built on beside the default branch: a release branch.

        And what the branches of the settings hold, from which runs deploy.
        From each such commit back until every parent is known. One that cannot be had is not asked for twice.
        """
        state = self.mark.setdefault("deployed_commits", {})
        lists = [self.mark.get("tags"), self.mark.get("releases"), self.mark.get("deployments", {}).get("seen")]
        if "rewritten" in self.mark:
            lists.append(self.mark["rewritten"])
        heads = self._branch_heads()
        seen_lists = _print([*lists, self.production, heads])
        if seen_lists == state.get("seen") and not self.is_full:
            return
        seen = self.read_commits.keys() | self.read_heads
        # What a rewritten branch lost may still be what was deployed.
        seen |= {row["sha"] for row in self.known.rows("commits", ("sha",), self.id, _HERE)} - self.lost
        for table in ("pull_request_commits", "deployed_commits"):
            seen |= self.known.values(table, "sha", self.id)
        missing = set() if self.is_full else set(state.get("missing", ()))
        # What an interrupted run began to read has parents that it did not come to.
        gaps: set[str] = set()
        for row in self.known.rows("deployed_commits", ("parent_shas", "committed_at"), self.id):
            if not self._is_too_old(row["committed_at"]):
                gaps.update((row["parent_shas"] or "").split())
        walks = 0
        for sha in sorted((self._released() | gaps | set(heads)) - seen - missing):
            wanted = {sha} - seen
            while wanted:
                walks = self._walk_on(walks)
                oid = next(iter(wanted))
                is_found = False
                for page in self._history(oid, None, is_optional=True):
                    is_found = True
                    new = [node for node in shape.nodes(page) if node["oid"] not in seen]
                    chunk = Chunk()
                    chunk.add("deployed_commits", [shape.commit_row(node, self.id) for node in new])
                    yield chunk
                    seen.update(node["oid"] for node in new)
                    for node in new:
                        if not self._is_old(node):
                            wanted.update(parent["oid"] for parent in shape.nodes(node.get("parents")))
                    wanted -= seen
                    if not wanted or not new:
                        break
                if not is_found and oid == sha:
                    missing.add(sha)
                wanted.discard(oid)
        state["seen"], state["missing"] = seen_lists, sorted(missing)
        self.mark.pop("tagged", None)
        yield self._chunk()

    def _branch_heads(self) -> list[str]:
        """Commits at the head of branches from which the settings deploy, beside the default one."""
        if not any(self.settings.rules_for(name)[0].branches for name in self.names):
            return []
        cursors = Cursors("GitHub", f"the branches of {self.name}")
        heads: set[str] = set()
        after: str | None = None
        while True:
            page = self._page(queries.BRANCHES, "refs", "branches", {"after": after})
            heads.update(
                ref["target"]["oid"]
                for ref in shape.nodes(page)
                if any(self.settings.is_deployment_branch(name, ref["name"]) for name in self.names)
            )
            after = cursors.following(page)
            if after is None:
                return sorted(heads)

    def _released(self) -> set[str]:
        """Commits that tags, published releases and production deployments name; not of before the first day."""
        shas = self.released | set(self.mark.get("tagged", ()))
        newer = f" and {{}} >= '{self.start.isoformat()}'" if self.start else ""
        published = "deleted_at is null and not is_draft" + newer.format("coalesce(published_at, created_at)")
        shas.update(row["sha"] for row in self.known.rows("releases", ("sha",), self.id, published))
        deployed = "deleted_at is null" + newer.format("created_at")
        for row in self.known.rows("deployments", ("sha", "environment"), self.id, deployed):
            if self._is_production(row["environment"]):
                shas.add(row["sha"])
        return {sha for sha in shas if sha}

    def _is_production(self, environment: str | None) -> bool:
        return environment is None or any(self.settings.is_production(name, environment) for name in self.names)

    def _object(self, oid: str, after: str | None) -> Node | None:
        """A page of a commit's history, inner lists complete; None if there is no such commit (any more)."""
        found = self._page(queries.COMMITS, "object", "commits", {"oid": oid, "after": after})
        page: Node | None = found.get("history")
        if page is None and oid == self.head:
            # Not every server looks up objects by their id; to the branch's head the branch leads too.
            found = self._page(queries.HEAD_COMMITS, "defaultBranchRef", "commits", {"after": after})
            target = found.get("target") or {}
            page = target.get("history") if target.get("oid") == oid else None
        if page is not None:
            self._complete(shape.nodes(page), (queries.PARENTS, queries.ASSOCIATED_PULL_REQUESTS))
        return page

    def _history(self, oid: str, after: str | None, is_optional: bool = False) -> Iterator[Node]:
        """Pages of a commit's history.

        Raises:
            BadAnswerError: there is no such commit, and it is not optional.
        """
        cursors = Cursors("GitHub", f"the history of {oid[:9]} in {self.name}")
        while True:
            page = self._object(oid, after)
            if page is None:
                if is_optional:
                    return
                raise BadAnswerError(
                    f"{self.name}: commit {oid[:9]} vanished while its history was read; refresh again."
                )
            following = cursors.following(page)
            yield page
            if following is None:
                return
            after = following

    def _walk_on(self, walks: int) -> int:
        """Count another beginning of a walk through history.

        Raises:
            BadAnswerError: there were too many.
        """
        if walks >= MOST_WALKS:
            raise BadAnswerError(f"The history of {self.name} does not end: its commits have ever more parents.")
        return walks + 1

    def _is_old(self, commit: Node) -> bool:
        return self._is_too_old(_time(commit["committedDate"]))

    def _is_too_old(self, moment: datetime | None) -> bool:
        return self.start is not None and moment is not None and moment < self.start

    def _add_commits(self, chunk: Chunk, new: Sequence[Node], associated: Sequence[Node]) -> None:
        chunk.add("commits", [shape.commit_row(node, self.id) for node in new])
        for node in new:
            parents = [parent["oid"] for parent in shape.nodes(node.get("parents"))]
            self.read_parents[node["oid"]] = parents
            self.read_commits[node["oid"]] = [] if self._is_old(node) else parents
            self.read_ids.add(node["id"])
        for node in associated:
            if self.has_files:
                is_carried = bool(shape.nodes(node.get("associatedPullRequests")))
                self.direct.pop(node["id"], None)
                if not is_carried and not self._is_old(node):
                    self.direct[node["id"]] = node["oid"]
            chunk.add_set("commit_pull_requests", node["id"], shape.commit_pull_request_rows(node, self.id))

    def _commit_files(self) -> Iterator[Chunk]:
        """The paths of commits that came without a pull request, one request each; only of those not asked before."""
        state = self.mark.setdefault("commit_files", {})
        without = set(state.get("without", ()))
        done = self.known.values("commit_files", "commit_id", self.id) | without
        carried = self.known.values("commit_pull_requests", "commit_id", self.id)
        asked = {
            row["id"]: row["sha"]
            for row in self.known.rows("commits", ("id", "sha", "committed_at"), self.id, _HERE)
            if row["id"] not in carried
            and not (self.start and row["committed_at"] and row["committed_at"] < self.start)
        }
        for commit, sha in {**asked, **self.direct}.items():
            if commit in done or (sha in self.read_commits and commit not in self.direct):
                continue
            rows = shape.commit_file_rows(self._files(sha), commit, self.id, sha)
            if not rows:
                without.add(commit)
                state["without"] = sorted(without)
            chunk = self._chunk()
            chunk.add_set("commit_files", commit, rows)
            yield chunk

    def _files(self, sha: str) -> list[Node]:
        """All files of a commit, against its first parent."""
        files: list[Node] = []
        for page in self._file_pages(sha):
            files += page
        if len(files) < trees.MOST_FILES:
            return files
        after, parents = trees.tree_of(self.client, self.name, sha)
        before = trees.tree_of(self.client, self.name, parents[0])[0] if parents else None
        return [{"filename": path} for path in trees.changed_paths(self.client, self.name, before, after)]

    def _file_pages(self, sha: str) -> Iterator[list[Node]]:
        path, number = f"/repos/{self.name}/commits/{sha}", 1
        while True:
            query = {"per_page": FILES_PER_PAGE, "page": number if number > 1 else None}
            answer = self.client.get(path, query, about=self.name)
            files = answer.json.get("files") if isinstance(answer.json, dict) else None
            if not isinstance(files, list):
                raise BadAnswerError(f"GitHub answered {path} without its files: is GITHUB_API_URL the API?")
            yield files
            # A proxy may drop the Link header; a page that is not full is the last one all the same.
            if len(files) < FILES_PER_PAGE or number * FILES_PER_PAGE >= trees.MOST_FILES:
                return
            number += 1

    # ------------------------------------------------------------------------ tags, releases, deployments

    def _tags(self) -> Iterator[Chunk]:
        connection = self.node.get("refs")
        seen = _print(connection)
        if seen == self.mark.get("tags") and not self.is_full:
            return
        columns = ("id", "repository_id", "name", "sha")
        stored = {row["name"]: row for row in self.known.rows("tags", columns, self.id)}
        rows: dict[str, dict[str, Any]] = {}
        loaded = self.read_commits.keys() | self.known.values("commits", "sha", self.id)
        tagged = set(self.mark.get("tagged", ()))

        def add(_chunk: Chunk, items: Sequence[Node]) -> dict[str, Any]:
            refs = self._peeled(items)
            for commit in map(shape.tagged, refs):
                if commit.get("committedDate") and not self._is_old(commit) and commit["oid"] not in loaded:
                    tagged.add(commit["oid"])
            found = {row["name"]: row for row in shape.tag_rows(refs, self.id)}
            rows.update(found)
            if stored:
                self._moved(name for name, row in found.items() if stored.get(name) != row)
            return found

        def save(chunk: Chunk) -> None:
            # Not every tag is dated in what is loaded: which of them lead elsewhere must outlast an interruption.
            self.mark["tagged"] = sorted(tagged)
            chunk.add_set("tags", self.id, {**stored, **rows}.values())

        listed = yield from self._newest_first("tags", "refs", queries.TAGS, stored, add, save, TAGS_PER_CHECKPOINT)
        self.mark["tagged"] = sorted(tagged)
        self.mark["tags"] = seen
        known = {**stored, **rows}
        if listed is not None:
            self._moved(stored.keys() - listed)
        chunk = self._chunk()
        chunk.add_set("tags", self.id, [row for name, row in known.items() if listed is None or name in listed])
        yield chunk

    def _moved(self, tags: Iterable[str]) -> None:
        """Remember tags whose releases are to be asked: a release tells where its tag leads, and its time does not."""
        moved = {*self.mark.get("moved_tags", ()), *tags}
        if moved:
            self.mark["moved_tags"] = sorted(moved)

    def _peeled(self, refs: Sequence[Node]) -> Sequence[Node]:
        """Tags of tags of tags … followed to what they lead to, in place."""
        deep = [target for ref in refs if (target := _innermost(ref)).get("__typename") == "Tag"]
        for level in itertools.count():
            if not deep:
                break
            if level == MOST_DEEP:
                raise BadAnswerError(f"The tag {deep[0]['oid']} in {self.name} leads to other tags without end.")
            found: dict[str, Node] = {}
            for nodes in self._by_id(queries.TAG_TARGETS, [target["id"] for target in deep], "ids", {}):
                found.update((node["id"], node) for node in nodes)
            for target in deep:
                if target["id"] not in found:
                    raise BadAnswerError(f"GitHub does not say in {self.name} what the tag {target['oid']} leads to.")
                target["target"] = found[target["id"]]["target"]
            deep = [target for target in map(_innermost, deep) if target.get("__typename") == "Tag"]
        return refs

    def _releases(self) -> Iterator[Chunk]:
        seen = _print(self.node.get("releases"))
        moved = set(self.mark.get("moved_tags", ()))
        is_new = seen != self.mark.get("releases") or self.is_full
        if not is_new and not moved:
            return
        rows = self.known.rows("releases", ("id", "updated_at", "tag_name"), self.id, _HERE)
        read: set[str] = set()

        def add(chunk: Chunk, items: Sequence[Node]) -> dict[str, Any]:
            found = [shape.release_row(node, self.id) for node in items]
            chunk.add("releases", found)
            self.released.update(
                row["sha"] for row in found if not row["is_draft"] and not self._is_too_old(row["published_at"])
            )
            read.update(row["id"] for row in found)
            return {row["id"]: row["updated_at"] for row in found}

        stored = {row["id"]: row["updated_at"] for row in rows}
        listed: set[str] | None = None
        if is_new:
            listed = yield from self._newest_first("releases", "releases", queries.RELEASES, stored, add)
        again = [row["id"] for row in rows if row["tag_name"] in moved and row["id"] not in read]
        for nodes in self._by_id(queries.RELEASES_BY_ID, again, "releases", {}):
            chunk = Chunk()
            add(chunk, nodes)
            yield chunk
        times = [_time(node["updatedAt"]) for node in shape.nodes(self.node.get("releases"))]
        is_settled = self.now - max(times, default=datetime.min.replace(tzinfo=UTC)) >= SETTLED
        self.mark["releases"] = seen if is_settled else ""
        self.mark.pop("moved_tags", None)
        chunk = self._chunk()
        if listed is not None:
            chunk.listed["releases"] = listed
        yield chunk

    def _deployments(self) -> Iterator[Chunk]:
        connection = self.node.get("deployments")
        seen = _print(connection)
        state = self.mark.setdefault("deployments", {})
        is_new = seen != state.get("seen") or self.is_full
        if not is_new and not state.get("under_way"):
            return
        columns = ("id", "state", "environment", "created_at", "updated_at")
        rows = self.known.rows("deployments", columns, self.id, _HERE)
        # Of two changes within a second the time alone tells only the first.
        stored = {row["id"]: (row["updated_at"], row["state"]) for row in rows}
        states: dict[str, str | None] = {}
        replacing: set[str | None] = set()  # environments in which something happened

        def add(chunk: Chunk, items: Sequence[Node]) -> dict[str, Any]:
            self._complete(items, (queries.STATUSES,))
            found = [shape.deployment_row(node, self.id) for node in items]
            chunk.add("deployments", found)
            self.released.update(
                row["sha"]
                for row in found
                if self._is_production(row["environment"]) and not self._is_too_old(row["created_at"])
            )
            for node in items:
                chunk.add_set("deployment_statuses", node["id"], shape.deployment_status_rows(node, self.id))
            for row in found:
                states[row["id"]] = row["state"]
                if stored.get(row["id"]) != (row["updated_at"], row["state"]):
                    replacing.add(row["environment"])
            return {row["id"]: (row["updated_at"], row["state"]) for row in found}

        listed: set[str] | None = None
        if is_new:
            listed = yield from self._newest_first("deployments", "deployments", queries.DEPLOYMENTS, stored, add)
            current = set(states)
        else:
            # The newest were in the answer that says that nothing is new.
            current = {node["id"] for node in shape.nodes(connection)}
        again = [key for key in state.get("under_way", ()) if key not in current]
        yield from self._deployments_by_id(again, add)
        if listed is None:
            live = [row for row in rows if row["state"] not in ENDED | UNDER_WAY and row["id"] not in states]
            yield from self._replaced(live, replacing, stored, add)
        under_way = set(state.get("under_way", ())) - set(again) - set(states)
        under_way |= {key for key, value in states.items() if value in UNDER_WAY or value is None}
        if is_new or again:
            state["seen"] = seen
            state["under_way"] = sorted(under_way)
            chunk = self._chunk()
            if listed is not None:
                chunk.listed["deployments"] = listed
            yield chunk

    def _deployments_by_id(self, ids: Sequence[str], add: _Add) -> Generator[Chunk, None, dict[str, Any]]:
        """Some deployments, those that are gone left out; returns what ``add`` does."""
        updated: dict[str, Any] = {}
        for found in self._by_id(queries.DEPLOYMENTS_BY_ID, ids, "deployments", {}):
            chunk = Chunk()
            updated |= add(chunk, found)
            yield chunk
        return updated

    def _replaced(
        self, live: Sequence[Mapping[str, Any]], environments: set[str | None], stored: Mapping[str, Any], add: _Add
    ) -> Iterator[Chunk]:
        """What was live in these environments, newest first, for as long as it has become something else."""
        left: dict[str | None, list[str]] = {}
        for row in sorted(live, key=lambda row: row["created_at"], reverse=True):
            if row["environment"] in environments:
                left.setdefault(row["environment"], []).append(row["id"])
        count = MOST_REPLACED
        while left:
            some = {environment: ids[:count] for environment, ids in left.items()}
            updated = yield from self._deployments_by_id([key for ids in some.values() for key in ids], add)
            left = {
                environment: ids[count:]
                for environment, ids in left.items()
                if ids[count:] and any(updated.get(key) != stored[key] for key in some[environment])
            }
            count = queries.DEPLOYMENTS_PER_PAGE

    def _newest_first(
        self,
        table: str,
        field: str,
        document: str,
        stored: Mapping[str, Any],
        add: _Add,
        save: Callable[[Chunk], None] = lambda _chunk: None,
        items_per_checkpoint: int = 1,
    ) -> Generator[Chunk, None, set[str] | None]:
        """Pages until one ends in what is stored as it is and the total agrees; on from where an earlier run was.

        Not before all was seen that is among the newest now or was when they were last read: it was then that what they
        are like was noted, and newer ones, or a tag's move, may have pushed them down since.

        Args:
            stored: what tells whether an item has changed, by its key.
            add: puts items into a chunk and returns the same of them.
            save: puts into a chunk what ``add`` has not yet, so that it may be a checkpoint.

        Returns:
            all keys if this refresh read from the first page to the last, else None.
        """
        connection = self.node.get(field)
        if not _total(connection):
            return set()
        front = _print(connection)
        newest = self.mark.setdefault("newest", {})
        key = "name" if table == "tags" else "id"
        current = [node[key] for node in shape.nodes(connection)]
        looked_at = {*newest.get(table, ()), *current} & (stored.keys() | set(current))
        walks = self.mark.setdefault("walks", {})
        name = f"{table} in full" if self.is_full else table
        seen: set[str] = set()
        is_rest_read = False
        while True:
            walk = walks.get(name)
            after = walk["after"] if walk else None
            is_whole = walk is None
            here: set[str] = set()
            waiting, is_first, is_at_end = 0, True, False
            cursors = self._cursors(field)
            while True:
                try:
                    page = self._page(document, field, table, {"after": after})
                except BadAnswerError:
                    if is_whole or not is_first:
                        raise
                    # The cursor of an earlier run is no longer good.
                    break
                is_first = False
                items = shape.nodes(page)
                chunk = Chunk()
                states = add(chunk, items)
                is_known = bool(states) and stored.get([*states][-1]) == [*states.values()][-1]
                here |= states.keys()
                seen |= states.keys()
                waiting += len(items)
                following = cursors.following(page)
                total = int(page.get("totalCount") or 0)
                may_stop = is_rest_read or not self.is_full
                agrees = looked_at <= seen and len(seen | stored.keys()) == total
                if following is None or (may_stop and is_known and agrees):
                    yield chunk
                    is_at_end = True
                    break
                after = following
                if waiting >= items_per_checkpoint:
                    waiting = 0
                    walks[name] = {"after": after, "front": walk["front"] if walk else front}
                    save(chunk)
                    chunk.mark = self._chunk().mark
                yield chunk
            walks.pop(name, None)
            if is_whole:
                newest[table] = current
                return here if following is None else None
            if is_at_end and walk and walk["front"] == front and len(seen | stored.keys()) == total:
                newest[table] = current
                return None
            is_rest_read = is_at_end


# ------------------------------------------------------------------------------------------------ helpers


@dataclass
class _Cut:
    """A list that has more than came with its owner."""

    owner: dict[str, Any]
    connection: dict[str, Any]
    nested: Nested
    cursors: Cursors


def _cuts(node: Any, nested: Iterable[Nested]) -> Iterator[_Cut]:
    """The cut lists of a node, and of the nodes in its lists."""
    for one in nested:
        connection = node.get(one.field)
        if not connection:
            continue
        cursors = Cursors("GitHub", f"{one.field} of {node['id']}")
        if cursors.following(connection) is not None:
            yield _Cut(node, connection, one, cursors)
        for item in shape.nodes(connection):
            yield from _inner_cuts(item, one)


def _inner_cuts(item: Any, nested: Nested) -> Iterator[_Cut]:
    """The cut lists of an item of a list: a review's comments, the parents of a pull request's commit."""
    if nested is queries.REVIEWS:
        yield from _cuts(item, (queries.REVIEW_COMMENTS,))
    elif nested is queries.PULL_REQUEST_COMMITS:
        yield from _cuts(item["commit"], (queries.PARENTS,))


def _extend(cut: _Cut, owner: Node | None) -> Iterator[_Cut]:
    """Put what followed to a cut list; yields what is cut still, itself or a list in one of its items."""
    more = owner.get(cut.nested.field) if owner else None
    if more is None:
        # It vanished while we read it; the next refresh sees what is left.
        return
    items = shape.nodes(more)
    cut.connection["nodes"] = [*(cut.connection.get("nodes") or ()), *items]
    cut.connection["pageInfo"] = more["pageInfo"]
    if cut.cursors.following(more) is not None:
        yield cut
    for item in items:
        yield from _inner_cuts(item, cut.nested)


def _innermost(target: Any) -> dict[str, Any]:
    """What a ref, or a tag that is being followed, leads to as far as is known."""
    while target.get("target"):
        target = target["target"]
    found: dict[str, Any] = target
    return found


def _time(text: str) -> datetime:
    moment = shape.time(text)
    assert moment is not None
    return moment


def _total(connection: Node | None) -> int:
    return int((connection or {}).get("totalCount") or 0)


def newest_change(node: Node) -> datetime:
    """When something last changed in a repository, as far as ``queries.repositories`` tells; its creation at least.

    The repository's own ``updatedAt`` is left out: a star moves it.
    """
    moments = [node["createdAt"], node.get("pushedAt")]
    for name in ("pullRequests", "issues", "releases", "deployments"):
        for item in shape.nodes(node.get(name)):
            moments += [item.get("updatedAt"), (item.get("latestStatus") or {}).get("updatedAt")]
    return max(_time(moment) for moment in moments if moment)


def _newest(connection: Node | None) -> str | None:
    items = shape.nodes(connection)
    return items[0].get("updatedAt") if items else None


def _print(value: Any) -> str:
    """A short text that changes with the value."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
