"""One refresh of GitHub Actions: workflows, runs, and what a rule needs of their jobs and earlier attempts."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from veelocity_pipeline.sources.github.repositories import github_client, reach_github, resolved, vanished
from veelocity_pipeline.sources.github_actions.asking import Asking, count_of
from veelocity_pipeline.sources.github_actions.mark import RunsMark
from veelocity_pipeline.sources.github_actions.runs import Runs
from veelocity_pipeline.sources.kit.connector import (
    CheckResult,
    Chunk,
    Connector,
    Known,
    RefreshRequest,
    Scope,
    ScopeFailure,
)
from veelocity_pipeline.sources.kit.http.client import Client
from veelocity_pipeline.sources.kit.http.errors import NotFoundError, SourceError

if TYPE_CHECKING:
    from veelocity_pipeline.config.settings import Settings


class GitHubActionsConnector(Connector):
    """One refresh of the runs of the configured repositories. A scope is a repository, by its node id."""

    def __init__(self, settings: Settings, client: Client | None = None) -> None:
        self.settings = settings
        self.client = client or self.client_of(settings)

    @classmethod
    def client_of(cls, settings: Settings, **options: Any) -> Client:
        """Make the client of the configured GitHub; see ``Connector.client_of``."""
        return github_client(settings, **options)

    def reach(self) -> None:
        """See ``Connector.reach``."""
        reach_github(self.client)

    def scopes(self, request: RefreshRequest) -> list[Scope | ScopeFailure]:
        """The configured repositories; see ``github``."""
        return resolved(self.client, self.settings, request)

    def vanished(self, remembered: Mapping[str, str], found: Iterable[Scope | ScopeFailure]) -> Iterable[ScopeFailure]:
        """Repositories that an owner's list no longer has."""
        return vanished(self.settings, remembered, found)

    def read(self, scope: Scope, mark: dict[str, Any], request: RefreshRequest, known: Known) -> Iterator[Chunk]:
        """Read one repository; see ``Connector.read``."""
        progress = functools.partial(self.progress, scope)
        asked = Asking(self.client, self.settings, scope, request, known, self.say, progress)
        yield from Runs(asked).read(RunsMark.from_state(mark))

    def check(self) -> list[CheckResult]:
        """Whether the token may read the Actions of each configured repository."""
        try:
            scopes = self.scopes(RefreshRequest())
        except SourceError as error:
            return [CheckResult("GitHub Actions", False, str(error))]
        results = []
        for scope in scopes:
            if isinstance(scope, ScopeFailure):
                results.append(CheckResult(scope.name, False, scope.error))
                continue
            try:
                client = self.client.for_owner(scope.name)
                found = client.get(f"/repos/{scope.name}/actions/workflows", {"per_page": 1}, about=scope.name)
                count = count_of(found.json, scope.name)
                results.append(CheckResult(scope.name, True, f"GitHub Actions can be read: {count} workflows."))
            except NotFoundError:
                detail = "GitHub Actions is not available, or the token may not read it; there will be no runs."
                results.append(CheckResult(scope.name, True, detail))
            except SourceError as error:
                results.append(CheckResult(scope.name, False, str(error)))
        return results
