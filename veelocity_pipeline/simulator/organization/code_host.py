"""What a code host keeps: accounts, repositories, and what happens in them.

Times are aware UTC datetimes. Objects point at each other (a pull request at its repository, a review at its pull
request), so they compare by identity.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


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
