"""The whole organisation at one moment, and the records of what truly happened in it.

The generator keeps the records while it acts (which deployment took which change to production, what broke and what
fixed it). They are not worked out afterwards from the graph of commits.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from veelocity_pipeline.simulator.organization.code_host import (
    Account,
    Commit,
    Deployment,
    Issue,
    PullRequest,
    Release,
    Repository,
    RunAttempt,
)
from veelocity_pipeline.simulator.organization.tracker import LinearIssue, Workspace


@dataclass(slots=True, eq=False, repr=False)
class Failure:
    """Why a production deployment counts as failed: ``evidence`` as METRICS names its kinds."""

    evidence: str
    occurred_at: datetime
    resolved_at: datetime | None
    pull_request: PullRequest | None = None
    incident: LinearIssue | Issue | None = None
    rollback: DeploymentRecord | None = None


@dataclass(slots=True, eq=False, repr=False)
class DeploymentRecord:
    """One attempt to deploy, as the people who did it know it.

    Attributes:
        kind: what it is at the provider: workflow_run, deployment or release.
        service: part of a monorepo, else the repository's full name.
        status: success, failure, cancelled or in_progress.
        shipped: pull requests that reached this service's production with it for the first time.
        shipped_commits: the same of commits pushed straight to the default branch.
    """

    repository: Repository
    service: str
    environment: str
    is_production: bool
    kind: str
    commit: Commit
    started_at: datetime
    status: str = "in_progress"
    finished_at: datetime | None = None
    attempt: RunAttempt | None = None
    deployment: Deployment | None = None
    release: Release | None = None
    is_baseline: bool = False
    is_rollback: bool = False
    is_redeploy: bool = False
    previous: DeploymentRecord | None = None
    shipped: list[PullRequest] = field(default_factory=list)
    shipped_commits: list[Commit] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False)
class IncidentRecord:
    """An incident: what people saw break, what caused it and what mended it."""

    issue: LinearIssue | Issue
    repository: Repository | None
    service: str | None
    cause: PullRequest | None
    failed: DeploymentRecord | None
    created_at: datetime
    fix: PullRequest | None = None
    completed_at: datetime | None = None


@dataclass(slots=True, eq=False, repr=False)
class Organization:
    """Everything at one moment, ``now``."""

    seed: int
    size: str
    now: datetime
    account: Account
    viewer: Account
    accounts: list[Account] = field(default_factory=list)
    repositories: list[Repository] = field(default_factory=list)
    forks: list[Repository] = field(default_factory=list)
    workspace: Workspace = field(init=False)
    deployments: list[DeploymentRecord] = field(default_factory=list)
    """Records, in order of start."""
    incidents: list[IncidentRecord] = field(default_factory=list)
    nodes: dict[str, Any] = field(default_factory=dict)
    """Everything at GitHub that has a GraphQL node id, by that id."""

    @property
    def people(self) -> list[Account]:
        """Accounts of humans, deleted ones included."""
        return [account for account in self.accounts if account.kind == "User" and not account.login.endswith("-ci")]

    def repository(self, full_name: str) -> Repository | None:
        """A repository or fork by ``owner/name``, present or former; case does not matter."""
        wanted = full_name.lower()
        for former in (False, True):
            for repository in (*self.repositories, *self.forks):
                names = repository.former_names if former else [repository.full_name]
                if wanted in (each.lower() for each in names):
                    return repository
        return None

    def fingerprint(self) -> str:
        """A digest of every value of every object: equal for equal organisations, and only for them."""
        digest = hashlib.sha256()
        for part in _parts(self):
            digest.update(part.encode())
            digest.update(b"\0")
        return digest.hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Organization) and self.fingerprint() == other.fingerprint()

    __hash__ = object.__hash__


def _parts(root: Any) -> Iterator[str]:
    """Each object once, in order of first sight; a reference to an object is the number of its sight."""
    seen: dict[int, int] = {id(root): 0}
    queue: list[Any] = [root]

    def text(value: Any) -> str:
        if dataclasses.is_dataclass(value):
            if id(value) not in seen:
                seen[id(value)] = len(seen)
                queue.append(value)
            return f"@{seen[id(value)]}"
        if isinstance(value, dict):
            return "{" + ",".join(f"{key}:{text(each)}" for key, each in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ",".join(text(each) for each in value) + "]"
        return repr(value)

    position = 0
    while position < len(queue):
        current = queue[position]
        position += 1
        yield type(current).__name__
        for each in dataclasses.fields(current):
            yield text(getattr(current, each.name))
