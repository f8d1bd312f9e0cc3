"""Linear's GraphQL over the organisation."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from veelocity_pipeline.simulator.engine import ApiError, Connection, Engine, snake
from veelocity_pipeline.simulator.linear.filters import bad_input, matches
from veelocity_pipeline.simulator.organization.tracker import (
    Attachment,
    Cycle,
    LinearComment,
    LinearIssue,
    LinearLabel,
    LinearTeam,
    LinearUser,
    Project,
    ProjectStatus,
    StateChange,
    WorkflowState,
    Workspace,
)
from veelocity_pipeline.simulator.organization.whole import Organization

SITE = "https://linear.app"
PAGE_LIMIT = 250


@dataclass
class Allowance:
    """What is left of an hour's requests or complexity."""

    kind: str
    limit: int
    remaining: int
    reset_at: datetime


@dataclass
class Context:
    """What a resolver may need beside its object."""

    organization: Organization
    allowances: tuple[Allowance, ...]

    @property
    def workspace(self) -> Workspace:
        """The Linear side of the organisation."""
        return self.organization.workspace


def not_found(entity: str) -> ApiError:
    """An error as Linear words it where an id leads nowhere."""
    message = f"Entity not found: {entity}"
    extensions = {"type": "invalid input", "code": "INPUT_ERROR", "statusCode": 400, "userError": True}
    return ApiError(message, extensions=extensions)


def milliseconds(value: datetime) -> str:
    """A time as Linear writes it."""
    return value.isoformat()[:19] + ".000Z"


def listing(getter: Callable[[Any, Context], list[Any]], has_filter: bool = True) -> Any:
    """A connection: filtered, without what is archived unless asked for, newest first."""

    def resolve(source: Any, args: dict[str, Any], context: Context) -> Connection:
        for name in ("first", "last"):
            if args.get(name) is not None and not 0 < args[name] <= PAGE_LIMIT:
                raise bad_input(f"Argument Validation Error: {name} must not be greater than {PAGE_LIMIT}")
        items = getter(source, context)
        if not args.get("includeArchived"):
            items = [each for each in items if getattr(each, "archived_at", None) is None]
        if has_filter and args.get("filter"):
            items = [each for each in items if matches(each, args["filter"], context.organization.now)]
        attribute = "updated_at" if args.get("orderBy") == "updatedAt" else "created_at"

        def key(item: Any) -> list[Any]:
            return [getattr(item, attribute, item.created_at).timestamp(), item.id]

        return Connection(sorted(items, key=key, reverse=True), args, key=key, descending=True)

    return resolve


def _users(source: Any, args: dict[str, Any], context: Context) -> Connection:
    people = context.workspace.users if isinstance(source, Workspace) or source is None else source.members
    if not args.get("includeDisabled"):
        people = [each for each in people if each.is_active]
    found: Connection = listing(lambda _source, _context: people)(source, args, context)
    return found


def _one(items: Callable[[Context], list[Any]], entity: str) -> Any:
    def resolve(source: Any, args: dict[str, Any], context: Context) -> Any:
        wanted = args.get("id")
        for each in items(context):
            if each.id == wanted:
                return each
        raise not_found(entity)

    return resolve


def _issue(source: Any, args: dict[str, Any], context: Context) -> LinearIssue:
    """By id, by identifier, or by one it had before."""
    wanted = args["id"]
    for each in context.workspace.issues:
        if each.id == wanted or each.identifier == wanted.upper() or wanted.upper() in each.previous_identifiers:
            return each
    raise not_found("Issue")


def _all_attachments(context: Context) -> list[Attachment]:
    return [each for issue in context.workspace.issues for each in issue.attachments]


def _all_comments(context: Context) -> list[LinearComment]:
    return [each for issue in context.workspace.issues for each in issue.comments]


def _all_cycles(context: Context) -> list[Cycle]:
    return [each for team in context.workspace.teams for each in team.cycles]


def _all_states(context: Context) -> list[WorkflowState]:
    return [each for team in context.workspace.teams for each in team.states]


def _team(source: Any, args: dict[str, Any], context: Context) -> LinearTeam:
    for each in context.workspace.teams:
        if args["id"] in (each.id, each.key, *each.former_keys):
            return each
    raise not_found("Team")


def _issues_where(attribute: str) -> Any:
    return listing(
        lambda source, context: [each for each in context.workspace.issues if getattr(each, attribute) is source]
    )


def _rate_limits(source: Any, args: dict[str, Any], context: Context) -> dict[str, Any]:
    limits = [
        {
            "type": each.kind,
            "requested_amount": 0.0,
            "allowed_amount": float(each.limit),
            "period": 3_600_000.0,
            "remaining_amount": float(each.remaining),
            "reset": each.reset_at.timestamp() * 1000,
        }
        for each in context.allowances
    ]
    return {"identifier": None, "kind": "apiKey", "limits": limits}


# -- values


def branch_name(issue: LinearIssue) -> str:
    """The branch that Linear suggests."""
    slug = "".join(each if each.isalnum() else "-" for each in issue.title.lower()).strip("-")[:50]
    who = issue.assignee.display_name if issue.assignee else "acme"
    return f"{who}/{issue.identifier.lower()}-{slug}"


def _item(key: str) -> Callable[[Any], Any]:
    return lambda source: source[key]


def _id_of(attribute: str) -> Callable[[Any], Any]:
    def read(source: Any) -> str | None:
        value = getattr(source, attribute)
        return value.id if value is not None else None

    return read


_NEVER_ARCHIVED = {"archivedAt": lambda s: None}
_PRIORITIES = ("No priority", "Urgent", "High", "Medium", "Low")
VALUES: dict[str, dict[str, Callable[[Any], Any]]] = {
    "Organization": {
        **_NEVER_ARCHIVED,
        "createdIssueCount": lambda s: len(s.issues),
        "updatedAt": lambda s: s.created_at,
        "userCount": lambda s: len(s.users),
    },
    "Team": {
        **_NEVER_ARCHIVED,
        "cyclesEnabled": lambda s: True,
        "description": lambda s: None,
        "displayName": lambda s: s.name,
        "private": lambda s: False,
        "retiredAt": lambda s: None,
        "timezone": lambda s: "UTC",
    },
    "User": {
        **_NEVER_ARCHIVED,
        "active": lambda s: s.is_active,
        "admin": lambda s: False,
        "app": lambda s: s.is_app,
        "avatarUrl": lambda s: None,
        "description": lambda s: None,
        "guest": lambda s: False,
        "url": lambda s: f"{SITE}/acme/profiles/{s.display_name}",
    },
    "WorkflowState": {**_NEVER_ARCHIVED, "color": lambda s: "#bec2c8", "description": lambda s: None},
    "IssueLabel": {**_NEVER_ARCHIVED, "creator": lambda s: None, "description": lambda s: None},
    "ProjectStatus": {
        **_NEVER_ARCHIVED,
        "color": lambda s: "#bec2c8",
        "description": lambda s: None,
        "indefinite": lambda s: s.type == "backlog",
        "updatedAt": lambda s: s.created_at,
    },
    "Cycle": {
        **_NEVER_ARCHIVED,
        "autoArchivedAt": lambda s: None,
        "description": lambda s: None,
        "isPast": lambda s: s.completed_at is not None,
        "isActive": lambda s: s.completed_at is None,
        "isFuture": lambda s: False,
        "progress": lambda s: 1.0 if s.completed_at else 0.5,
    },
    "Project": {
        **_NEVER_ARCHIVED,
        "autoArchivedAt": lambda s: None,
        "creator": lambda s: s.lead,
        "description": lambda s: "",
        "priority": lambda s: 0,
        "slugId": lambda s: s.slug,
        "startDate": lambda s: s.started_at and s.started_at.date().isoformat(),
        "state": lambda s: s.status.type,
        "targetDate": lambda s: s.target_date and s.target_date.isoformat(),
        "trashed": lambda s: None,
        "url": lambda s: f"{SITE}/acme/project/{s.slug}",
    },
    "Issue": {
        "branchName": branch_name,
        "customerTicketCount": lambda s: 0,
        "dueDate": lambda s: None,
        "labelIds": lambda s: [each.id for each in s.labels],
        "priorityLabel": lambda s: _PRIORITIES[s.priority],
        "startedTriageAt": lambda s: s.created_at if s.priority == 1 and s.history else None,
        "trashed": lambda s: True if s.is_trashed else None,
        "triagedAt": lambda s: None,
        "url": lambda s: f"{SITE}/acme/issue/{s.identifier}",
    },
    "IssueHistory": {
        **_NEVER_ARCHIVED,
        **{name: (lambda s: None) for name in ("archived", "autoArchived", "trashed")},
        **{name: (lambda s: None) for name in ("addedLabelIds", "addedLabels", "removedLabelIds", "removedLabels")},
        **{name: (lambda s: None) for name in ("fromAssignee", "fromAssigneeId", "fromPriority", "toPriority")},
        **{
            f"{name}Id": _id_of(snake(name))
            for name in ("actor", "fromState", "toState", "fromTeam", "toTeam", "toAssignee")
        },
        "updatedAt": lambda s: s.created_at,
    },
    "Attachment": {
        "creator": lambda s: None,
        "source": lambda s: {"type": s.source_type},
        "subtitle": lambda s: None,
    },
    "Comment": {
        "botActor": lambda s: None,
        "editedAt": lambda s: None,
        "issueId": _id_of("issue"),
        "parent": lambda s: None,
        "parentId": lambda s: None,
        "url": lambda s: f"{SITE}/acme/issue/{s.issue.identifier}#comment-{s.id[:8]}",
    },
    "RateLimitPayload": {name: _item(snake(name)) for name in ("identifier", "kind", "limits")},
    "RateLimitResultPayload": {
        name: _item(snake(name))
        for name in ("allowedAmount", "period", "remainingAmount", "requestedAmount", "reset", "type")
    },
}


def _history(source: LinearIssue, args: dict[str, Any], context: Context) -> Connection:
    return Connection(source.history[::-1], args)


RESOLVERS: dict[str, dict[str, Any]] = {
    "Query": {
        "archivedTeams": lambda source, args, context: [],
        "attachment": _one(_all_attachments, "Attachment"),
        "attachments": listing(lambda source, context: _all_attachments(context)),
        "attachmentsForURL": lambda source, args, context: listing(
            lambda _source, _context: [each for each in _all_attachments(context) if each.url == args["url"]]
        )(source, args, context),
        "comment": _one(_all_comments, "Comment"),
        "comments": listing(lambda source, context: _all_comments(context)),
        "cycle": _one(_all_cycles, "Cycle"),
        "cycles": listing(lambda source, context: _all_cycles(context)),
        "issue": _issue,
        "issueLabel": _one(lambda context: context.workspace.labels, "IssueLabel"),
        "issueLabels": listing(lambda source, context: context.workspace.labels),
        "issues": listing(lambda source, context: context.workspace.issues),
        "organization": lambda source, args, context: context.workspace,
        "project": _one(lambda context: context.workspace.projects, "Project"),
        "projectStatuses": listing(lambda source, context: context.workspace.statuses, has_filter=False),
        "projects": listing(lambda source, context: context.workspace.projects),
        "rateLimitStatus": _rate_limits,
        "team": _team,
        "teams": listing(lambda source, context: context.workspace.teams),
        "user": _one(lambda context: context.workspace.users, "User"),
        "users": _users,
        "viewer": lambda source, args, context: context.workspace.users[0],
        "workflowState": _one(_all_states, "WorkflowState"),
        "workflowStates": listing(lambda source, context: _all_states(context)),
    },
    "Organization": {
        "teams": listing(lambda source, context: source.teams),
        "users": _users,
    },
    "Team": {
        "cycles": listing(lambda source, context: source.cycles),
        "issueCount": lambda source, args, context: sum(
            each.team is source and (args.get("includeArchived") or each.archived_at is None)
            for each in context.workspace.issues
        ),
        "issues": _issues_where("team"),
        "labels": listing(lambda source, context: [each for each in context.workspace.labels if each.team is source]),
        "members": _users,
        "organization": lambda source, args, context: context.workspace,
        "states": listing(lambda source, context: source.states),
    },
    "User": {
        "assignedIssues": _issues_where("assignee"),
        "isMe": lambda source, args, context: source is context.workspace.users[0],
        "organization": lambda source, args, context: context.workspace,
        "teams": listing(lambda source, context: [each for each in context.workspace.teams if source in each.members]),
    },
    "WorkflowState": {"issues": _issues_where("state")},
    "IssueLabel": {
        "children": listing(
            lambda source, context: [each for each in context.workspace.labels if each.parent is source]
        ),
        "issues": listing(lambda source, context: [each for each in context.workspace.issues if source in each.labels]),
        "organization": lambda source, args, context: context.workspace,
    },
    "Issue": {
        "attachments": listing(lambda source, context: source.attachments),
        "children": listing(lambda source, context: source.children),
        "comments": listing(lambda source, context: source.comments),
        "history": _history,
        "labels": listing(lambda source, context: source.labels),
    },
    "Comment": {"children": listing(lambda source, context: [])},
    "Cycle": {"issues": _issues_where("cycle")},
    "Project": {
        "issues": _issues_where("project"),
        "teams": listing(lambda source, context: source.teams),
    },
}
_TYPES = {
    LinearIssue: "Issue",
    LinearTeam: "Team",
    LinearUser: "User",
    LinearLabel: "IssueLabel",
    LinearComment: "Comment",
    StateChange: "IssueHistory",
    Attachment: "Attachment",
    Cycle: "Cycle",
    Project: "Project",
    ProjectStatus: "ProjectStatus",
    WorkflowState: "WorkflowState",
    Workspace: "Organization",
}


@functools.cache
def engine() -> Engine:
    """Linear's schema with its resolvers."""
    schema = Path(__file__).with_name("schema.graphql")
    return Engine(schema, RESOLVERS, VALUES, lambda value: _TYPES[type(value)], milliseconds)
