"""The organisation that lives in the simulator: what is true, as plain dataclasses.

Times are aware UTC datetimes. Objects point at each other (a pull request at its repository, a review
at its pull request), so they compare by identity; :meth:`Organization.fingerprint` compares wholes.
The ``records`` are kept by the generator while it acts (which deployment took which change to
production, what broke and what mended it), not worked out afterwards from the graph of commits.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any


@dataclass(slots=True, eq=False, repr=False)
class Account:
    """A GitHub account. ``kind`` is GraphQL's type: User, Bot or Organization.

    ``login`` is GraphQL's: of a Bot without the ``[bot]`` that REST adds.
    """

    id: str
    database_id: int
    login: str
    kind: str
    name: str
    email: str
    created_at: datetime
    deleted_at: datetime | None = None

    @property
    def rest_login(self) -> str:
        """The login as REST shows it."""
        return f"{self.login}[bot]" if self.kind == "Bot" else self.login


@dataclass(slots=True, eq=False, repr=False)
class Label:
    """A label of a repository."""

    id: str
    database_id: int
    repository: Repository
    name: str
    color: str
    description: str
    created_at: datetime


@dataclass(slots=True, eq=False, repr=False)
class Commit:
    """A commit. ``landing`` counts the commits of the branch's first-parent line (0 first), -1 off it."""

    id: str
    sha: str
    repository: Repository
    message: str
    parents: list[Commit]
    author: Account | None
    author_name: str
    author_email: str
    authored_at: datetime
    committer_name: str
    committer_email: str
    committed_at: datetime
    order: int
    additions: int = 0
    deletions: int = 0
    paths: list[str] = field(default_factory=list)
    pull_requests: list[PullRequest] = field(default_factory=list)
    landing: int = -1


@dataclass(slots=True, eq=False, repr=False)
class PullRequestCommit:
    """A commit's place in a pull request."""

    id: str
    pull_request: PullRequest
    commit: Commit


@dataclass(slots=True, eq=False, repr=False)
class Event:
    """Something in a pull request's timeline; ``kind`` is GraphQL's type name."""

    id: str
    kind: str
    pull_request: PullRequest
    actor: Account | None
    created_at: datetime
    label: Label | None = None
    before: Commit | None = None
    after: Commit | None = None


@dataclass(slots=True, eq=False, repr=False)
class ReviewComment:
    """A comment on a line of a change."""

    id: str
    database_id: int
    review: Review
    author: Account
    body: str
    path: str
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True, eq=False, repr=False)
class Review:
    """A review; ``submitted_at`` is None while it is PENDING."""

    id: str
    database_id: int
    pull_request: PullRequest
    author: Account
    state: str
    body: str
    commit: Commit | None
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime | None
    comments: list[ReviewComment] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False)
class Comment:
    """A comment in the conversation of a pull request or an issue."""

    id: str
    database_id: int
    subject: PullRequest | Issue
    author: Account
    body: str
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True, eq=False, repr=False)
class PullRequest:
    """A pull request. ``merge_method`` is squash, merge or rebase once merged."""

    id: str
    database_id: int
    repository: Repository
    number: int
    title: str
    body: str
    author: Account
    base_branch: str
    base_sha: str
    head_branch: str
    head_repository: Repository | None
    is_draft: bool
    created_at: datetime
    updated_at: datetime
    state: str = "OPEN"
    merged_at: datetime | None = None
    closed_at: datetime | None = None
    merged_by: Account | None = None
    merge_method: str = ""
    merge_commit: Commit | None = None
    commits: list[PullRequestCommit] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    closing_issues: list[Issue] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    reverts: PullRequest | None = None
    carries: list[PullRequest] = field(default_factory=list)
    """Merged pull requests that reach the default branch with this one."""
    is_carrier: bool = False
    """It has no commit of its own: a release of other pull requests."""
    is_hotfix: bool = False

    @property
    def head(self) -> Commit:
        """The last commit of the head branch."""
        return self.commits[-1].commit

    @property
    def is_cross_repository(self) -> bool:
        """Whether it comes from a fork (one that was deleted since included)."""
        return self.head_repository is not self.repository

    @property
    def paths(self) -> list[str]:
        """Paths it touches, sorted."""
        return sorted({path for entry in self.commits for path in entry.commit.paths})


@dataclass(slots=True, eq=False, repr=False)
class Issue:
    """A GitHub issue."""

    id: str
    database_id: int
    repository: Repository
    number: int
    title: str
    body: str
    author: Account
    created_at: datetime
    updated_at: datetime
    state: str = "OPEN"
    state_reason: str | None = None
    assignee: Account | None = None
    closed_at: datetime | None = None
    labels: list[Label] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    closed_by: list[PullRequest] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False)
class Tag:
    """A tag; an annotated one has an object of its own between name and commit."""

    id: str
    repository: Repository
    name: str
    commit: Commit
    is_annotated: bool
    tagger: Account
    created_at: datetime


@dataclass(slots=True, eq=False, repr=False)
class Release:
    """A release; a draft has neither tag nor ``published_at``."""

    id: str
    database_id: int
    repository: Repository
    name: str
    tag_name: str
    tag: Tag | None
    author: Account
    description: str
    is_draft: bool
    is_prerelease: bool
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None


@dataclass(slots=True, eq=False, repr=False)
class DeploymentStatus:
    """A state that a deployment was given."""

    id: str
    database_id: int
    deployment: Deployment
    state: str
    creator: Account
    description: str
    log_url: str
    environment_url: str
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True, eq=False, repr=False)
class Deployment:
    """A GitHub Deployment. Its state is that of its last status."""

    id: str
    database_id: int
    repository: Repository
    environment: str
    task: str
    ref: str
    commit: Commit
    creator: Account
    description: str
    created_at: datetime
    updated_at: datetime
    statuses: list[DeploymentStatus] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False)
class Workflow:
    """A workflow file of GitHub Actions."""

    id: int
    node_id: str
    repository: Repository
    name: str
    path: str
    state: str
    created_at: datetime
    updated_at: datetime
    run_count: int = 0


@dataclass(slots=True, eq=False, repr=False)
class Job:
    """A job of an attempt."""

    id: int
    attempt: RunAttempt
    name: str
    status: str
    conclusion: str | None
    created_at: datetime
    started_at: datetime
    completed_at: datetime | None


@dataclass(slots=True, eq=False, repr=False)
class RunAttempt:
    """One attempt of a run, from its own start to its own end."""

    run: WorkflowRun
    number: int
    actor: Account
    status: str
    conclusion: str | None
    started_at: datetime
    updated_at: datetime
    jobs: list[Job] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False)
class WorkflowRun:
    """A workflow run: what triggered it, and its attempts (the last one is how REST lists it)."""

    id: int
    node_id: str
    repository: Repository
    workflow: Workflow
    number: int
    event: str
    actor: Account
    title: str
    head_branch: str | None
    head_commit: Commit
    head_repository: Repository | None
    pull_request: PullRequest | None
    created_at: datetime
    attempts: list[RunAttempt] = field(default_factory=list)

    @property
    def last(self) -> RunAttempt:
        """The latest attempt."""
        return self.attempts[-1]


@dataclass(slots=True, eq=False, repr=False)
class Environment:
    """An environment of a repository."""

    id: str
    database_id: int
    name: str


@dataclass(slots=True, eq=False, repr=False)
class Repository:
    """A repository; its ``former_names`` (``owner/name``) still answer, as GitHub's redirects do."""

    id: str
    database_id: int
    owner: Account
    name: str
    description: str
    default_branch: str
    created_at: datetime
    updated_at: datetime
    pushed_at: datetime
    is_private: bool = True
    is_fork: bool = False
    archived_at: datetime | None = None
    former_names: list[str] = field(default_factory=list)
    branches: dict[str, Commit] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    pull_requests: list[PullRequest] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    environments: list[Environment] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    workflows: list[Workflow] = field(default_factory=list)
    runs: list[WorkflowRun] = field(default_factory=list)
    last_number: int = 0

    @property
    def full_name(self) -> str:
        """``owner/name`` as it is now."""
        return f"{self.owner.login}/{self.name}"

    @property
    def head(self) -> Commit | None:
        """The default branch's last commit."""
        return self.branches.get(self.default_branch)


@dataclass(slots=True, eq=False, repr=False)
class LinearUser:
    """A member of the Linear workspace; ``account`` is the same person at GitHub."""

    id: str
    name: str
    display_name: str
    email: str
    is_app: bool
    created_at: datetime
    updated_at: datetime
    account: Account | None = None
    is_active: bool = True


@dataclass(slots=True, eq=False, repr=False)
class WorkflowState:
    """A workflow state of a Linear team."""

    id: str
    team: LinearTeam
    name: str
    type: str
    position: float
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True, eq=False, repr=False)
class LinearLabel:
    """A label of a team, or of the whole workspace (no team)."""

    id: str
    name: str
    color: str
    team: LinearTeam | None
    parent: LinearLabel | None
    is_group: bool
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True, eq=False, repr=False)
class Cycle:
    """A cycle (sprint) of a team."""

    id: str
    team: LinearTeam
    number: int
    name: str | None
    starts_at: datetime
    ends_at: datetime
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None = None


@dataclass(slots=True, eq=False, repr=False)
class ProjectStatus:
    """A status that projects of the workspace can have."""

    id: str
    name: str
    type: str
    position: float
    created_at: datetime


@dataclass(slots=True, eq=False, repr=False)
class Project:
    """A project, of one or more teams."""

    id: str
    name: str
    slug: str
    status: ProjectStatus
    teams: list[LinearTeam]
    lead: LinearUser
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    canceled_at: datetime | None = None
    target_date: date | None = None


@dataclass(slots=True, eq=False, repr=False)
class StateChange:
    """An entry of an issue's history: a change of state, of team or of assignee."""

    id: str
    issue: LinearIssue
    actor: LinearUser | None
    created_at: datetime
    from_state: WorkflowState | None = None
    to_state: WorkflowState | None = None
    from_team: LinearTeam | None = None
    to_team: LinearTeam | None = None
    to_assignee: LinearUser | None = None


@dataclass(slots=True, eq=False, repr=False)
class Attachment:
    """A link on an issue: here the pull requests that Linear's GitHub integration attached."""

    id: str
    issue: LinearIssue
    url: str
    title: str
    source_type: str
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None = None


@dataclass(slots=True, eq=False, repr=False)
class LinearComment:
    """A comment on an issue; no user when an integration wrote it."""

    id: str
    issue: LinearIssue
    user: LinearUser | None
    body: str
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None = None
    """When it was deleted, where Linear still shows it to those who ask for what is archived."""


@dataclass(slots=True, eq=False, repr=False)
class LinearIssue:
    """A Linear issue."""

    id: str
    team: LinearTeam
    number: int
    title: str
    description: str | None
    state: WorkflowState
    priority: int
    estimate: float | None
    creator: LinearUser | None
    assignee: LinearUser | None
    created_at: datetime
    updated_at: datetime
    cycle: Cycle | None = None
    project: Project | None = None
    parent: LinearIssue | None = None
    previous_identifiers: list[str] = field(default_factory=list)
    labels: list[LinearLabel] = field(default_factory=list)
    history: list[StateChange] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    comments: list[LinearComment] = field(default_factory=list)
    children: list[LinearIssue] = field(default_factory=list)
    started_at: datetime | None = None
    completed_at: datetime | None = None
    canceled_at: datetime | None = None
    archived_at: datetime | None = None
    auto_archived_at: datetime | None = None
    is_trashed: bool = False
    pull_requests: list[PullRequest] = field(default_factory=list)
    """The pull requests that its people made for it (truth; Linear shows attachments)."""

    @property
    def identifier(self) -> str:
        """The key that people say, such as ``WEB-12``."""
        return f"{self.team.key}-{self.number}"


@dataclass(slots=True, eq=False, repr=False)
class LinearTeam:
    """A Linear team."""

    id: str
    key: str
    name: str
    created_at: datetime
    updated_at: datetime
    former_keys: list[str] = field(default_factory=list)
    states: list[WorkflowState] = field(default_factory=list)
    cycles: list[Cycle] = field(default_factory=list)
    members: list[LinearUser] = field(default_factory=list)
    last_number: int = 0

    def state(self, name: str) -> WorkflowState:
        """The state of this name."""
        return next(state for state in self.states if state.name == name)


@dataclass(slots=True, eq=False, repr=False)
class Workspace:
    """The Linear side."""

    id: str
    name: str
    url_key: str
    created_at: datetime
    users: list[LinearUser] = field(default_factory=list)
    teams: list[LinearTeam] = field(default_factory=list)
    labels: list[LinearLabel] = field(default_factory=list)
    statuses: list[ProjectStatus] = field(default_factory=list)
    projects: list[Project] = field(default_factory=list)
    issues: list[LinearIssue] = field(default_factory=list)


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
