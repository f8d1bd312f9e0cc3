"""One refresh of GitHub: what is new in each repository, or all of it, as chunks with their marks.

Each list has a module that says how it is followed. Whatever takes more than a page leaves a checkpoint with each, and
a refresh that was killed is gone on with from there: first reads, full ones, and increments after a long absence alike.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from veelocity_pipeline.sources.github import queries, shape
from veelocity_pipeline.sources.github.app import check_app, check_scopes
from veelocity_pipeline.sources.github.commits import Commits
from veelocity_pipeline.sources.github.deployed import DeployedCommits
from veelocity_pipeline.sources.github.deployments import Deployments
from veelocity_pipeline.sources.github.files import CommitFiles
from veelocity_pipeline.sources.github.issues import Issues
from veelocity_pipeline.sources.github.mark import DeployedMark, FullRead, RepositoryMark
from veelocity_pipeline.sources.github.pulls import PullRequests
from veelocity_pipeline.sources.github.reading import Node, Reading, fingerprint, moment, page_sizes, total
from veelocity_pipeline.sources.github.releases import Releases
from veelocity_pipeline.sources.github.repositories import OF_ALL, github_client, reach_github, resolve, vanished
from veelocity_pipeline.sources.github.tags import Tags
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
from veelocity_pipeline.sources.kit.follow.changes import ChangesMark
from veelocity_pipeline.sources.kit.follow.graph import GraphMark
from veelocity_pipeline.sources.kit.http.client import Client
from veelocity_pipeline.sources.kit.http.errors import BadAnswerError, NotFoundError, SourceError
from veelocity_pipeline.sources.kit.http.paging import nodes
from veelocity_pipeline.sources.kit.times import time

if TYPE_CHECKING:
    from veelocity_pipeline.config.settings import Settings

RESUMED_FOR = timedelta(days=7)
"""A full read that was interrupted longer ago than this starts again instead of resuming."""


class GitHubConnector(Connector):
    """One refresh of GitHub. A scope is a repository, by its node id."""

    def __init__(self, settings: Settings, client: Client | None = None) -> None:
        self.settings = settings
        self.client = client or self.client_of(settings)
        self.sizes = page_sizes()

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
        """Read one repository; see ``Connector.read``."""
        kept = RepositoryMark.from_state(mark)
        reading = Reading(self.client, self.settings, self.sizes, scope, kept, request, known)
        yield from _read(reading, self.say, functools.partial(self.progress, scope))

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
        results += [CheckResult("GitHub token", False, notice) for notice in self.client.accounts.notices]
        for item in found:
            if isinstance(item, ScopeFailure):
                results.append(CheckResult(item.name, False, item.error))
                continue
            node = item.info["node"]
            counts = (
                f"{total(node.get('pullRequests')):,} pull requests, {total(node.get('issues')):,} issues, "
                f"{total(node.get('deployments')):,} deployments, {total(node.get('releases')):,} releases"
            )
            renamed = (
                ""
                if item.name.casefold() == item.configured_as.casefold() or "*" in item.configured_as
                else (f" (in the settings as {item.configured_as})")
            )
            results.append(CheckResult(item.name, True, f"Can be read{renamed}: {counts}."))
        return results


def _read(reading: Reading, say: Callable[[str], None], progress: Callable[[Progress], None]) -> Iterator[Chunk]:
    """Read all lists of a repository, one after the other; each leaves its own part of the mark."""
    mark = reading.mark
    is_first = mark.name is None
    # Another name is another address in every row, which moves no updatedAt.
    is_renamed = not is_first and mark.name != reading.name
    reading.is_full = reading.is_full or is_renamed
    start = reading.start.isoformat() if reading.start else None
    is_uncovered = mark.start is not None and (start is None or moment(start) < moment(mark.start))
    # Paths of what was read before there were services are not known.
    is_without_paths = reading.has_files and not mark.has_files
    if is_first or is_renamed or is_uncovered or is_without_paths:
        reading.since = None
    if reading.is_full:
        _begin_full(reading, say)
    if is_uncovered or is_without_paths:
        mark.pull_requests = ChangesMark()
    if is_uncovered:
        mark.issues, mark.commits, mark.deployed_commits = ChangesMark(), GraphMark(), DeployedMark()
    mark.has_files = reading.has_files
    mark.start = start
    yield from _repository(reading)
    steps: tuple[tuple[str, Callable[[], Iterator[Chunk]]], ...] = (
        ("commits", lambda: Commits(reading).read(progress)),
        ("pull_requests", lambda: PullRequests(reading).read(progress)),
        ("issues", lambda: Issues(reading).read(progress)),
        ("tags", lambda: Tags(reading).read()),
        ("releases", lambda: Releases(reading).read()),
        ("deployments", lambda: Deployments(reading).read()),
        ("deployed_commits", lambda: DeployedCommits(reading).read()),
    )
    failures: list[SourceError] = []
    for name, step in steps:
        if mark.full and reading.is_full and name in mark.full.done:
            continue
        try:
            yield from _kept(reading, step())
        except OF_ALL:
            raise
        except SourceError as error:
            # The other lists are read all the same; nothing of this refresh counts as a whole read.
            failures.append(error)
            continue
        if mark.full and reading.is_full:
            mark.full.done.append(name)
            yield reading.checkpoint()
    if reading.has_files:
        try:
            yield from _kept(reading, CommitFiles(reading).read())
        except OF_ALL:
            raise
        except SourceError as error:
            failures.append(error)
    yield reading.checkpoint_of_skips()
    if failures:
        raise failures[0]
    if reading.is_full or is_first:
        mark.full, mark.name = None, reading.name
        yield reading.checkpoint()


def _kept(reading: Reading, chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """Read a list; where it fails, its mark is again what was saved last, since others save it later."""
    saved = reading.mark.to_state()
    try:
        for chunk in chunks:
            saved = chunk.mark or saved
            yield chunk
    except SourceError:
        reading.restore(saved)
        raise


def _begin_full(reading: Reading, say: Callable[[str], None]) -> None:
    """Go on with a full refresh that was interrupted lately, or begin one."""
    mark, begun = reading.mark, reading.mark.full
    since = reading.since.isoformat() if reading.since else None
    is_same = begun is not None and (begun.name, begun.since) == (reading.name, since)
    if begun and is_same and reading.now - datetime.fromisoformat(begun.begun) <= RESUMED_FOR:
        say(f"{reading.name}: going on with the full refresh that began on {begun.begun[:16].replace('T', ' ')}Z")
        return
    for changes in (mark.pull_requests, mark.issues):
        if changes.sweep and changes.sweep.is_full:
            changes.sweep = None
    if mark.commits.walk and mark.commits.walk.is_full:
        mark.commits.walk = None
    for newest in (mark.tags, mark.releases, mark.deployments):
        newest.full_walk = None
    mark.full = FullRead(reading.now.isoformat(), reading.name, since)


def _repository(reading: Reading) -> Iterator[Chunk]:
    """Read the repository's own row."""
    row = shape.repository_row(reading.node, reading.scope.configured_as)
    seen = fingerprint(row)
    if seen != reading.mark.row or reading.is_full:
        reading.mark.row = seen
        chunk = reading.checkpoint()
        chunk.add("repositories", [row])
        yield chunk


def newest_change(node: Node) -> datetime:
    """When something last changed in a repository, as far as ``queries.repositories`` tells; its creation at least.

    The repository's own ``updatedAt`` is left out: a star moves it.
    """
    moments = [node["createdAt"], node.get("pushedAt")]
    for name in ("pullRequests", "issues", "releases", "deployments"):
        for item in nodes(node.get(name)):
            moments += [item.get("updatedAt"), (item.get("latestStatus") or {}).get("updatedAt")]
    return max(filter(None, map(time, moments)), default=datetime.min.replace(tzinfo=UTC))
