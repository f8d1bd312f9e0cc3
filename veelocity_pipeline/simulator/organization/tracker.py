"""What an issue tracker keeps: a workspace, its teams and their issues."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from veelocity_pipeline.simulator.organization.code_host import Account, PullRequest


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
