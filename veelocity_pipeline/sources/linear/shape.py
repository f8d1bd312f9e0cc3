"""Linear's nodes as rows. Pure: no network, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from veelocity_pipeline.sources.kit.tables import Row
from veelocity_pipeline.sources.kit.times import time

Node = Mapping[str, Any]


def _id(node: Node | None) -> str | None:
    return node["id"] if node else None


def organization_row(node: Node) -> Row:
    """The workspace."""
    return {
        "id": node["id"],
        "name": node["name"],
        "url_key": node["urlKey"],
        "created_at": time(node["createdAt"]),
    }


def team_row(node: Node) -> Row:
    """One team."""
    return {
        "id": node["id"],
        "key": node["key"],
        "name": node["name"],
        "is_private": node["private"],
        "created_at": time(node["createdAt"]),
        "updated_at": time(node["updatedAt"]),
        "archived_at": time(node["archivedAt"]),
    }


def user_row(node: Node) -> Row:
    """One user, suspended ones included."""
    return {
        "id": node["id"],
        "name": node["name"],
        "display_name": node["displayName"],
        "email": node["email"],
        "avatar_url": node["avatarUrl"],
        "is_active": node["active"],
        "is_app": node["app"],
        "created_at": time(node["createdAt"]),
        "updated_at": time(node["updatedAt"]),
        "deleted_at": None,
    }


def workflow_state_row(node: Node) -> Row:
    """One workflow state."""
    return {
        "id": node["id"],
        "team_id": _id(node["team"]),
        "name": node["name"],
        "type": node["type"],
        "position": node["position"],
        "updated_at": time(node["updatedAt"]),
        "archived_at": time(node["archivedAt"]),
        "deleted_at": None,
    }


def label_row(node: Node) -> Row:
    """One issue label; without a team it is the whole workspace's."""
    return {
        "id": node["id"],
        "name": node["name"],
        "team_id": _id(node["team"]),
        "parent_id": _id(node["parent"]),
        "updated_at": time(node["updatedAt"]),
        "archived_at": time(node["archivedAt"]),
        "deleted_at": None,
    }


def cycle_row(node: Node) -> Row:
    """One cycle."""
    return {
        "id": node["id"],
        "team_id": _id(node["team"]),
        "number": int(node["number"]),
        "name": node["name"],
        "starts_at": time(node["startsAt"]),
        "ends_at": time(node["endsAt"]),
        "completed_at": time(node["completedAt"]),
        "updated_at": time(node["updatedAt"]),
        "archived_at": time(node["archivedAt"]),
        "deleted_at": None,
    }


def project_row(node: Node) -> Row:
    """One project."""
    return {
        "id": node["id"],
        "name": node["name"],
        "status_type": node["status"]["type"],
        "url": node["url"],
        "started_at": time(node["startedAt"]),
        "completed_at": time(node["completedAt"]),
        "canceled_at": time(node["canceledAt"]),
        "created_at": time(node["createdAt"]),
        "updated_at": time(node["updatedAt"]),
        "archived_at": time(node["archivedAt"]),
        "deleted_at": None,
    }


def issue_row(node: Node) -> Row:
    """One issue without its children; assignee, creator, cycle, project and parent may be null."""
    return {
        "id": node["id"],
        "identifier": node["identifier"],
        "number": int(node["number"]),
        "team_id": _id(node["team"]),
        "title": node["title"],
        "description": node["description"],
        "url": node["url"],
        "branch_name": node["branchName"],
        "state_id": _id(node["state"]),
        "priority": int(node["priority"]),
        "estimate": node["estimate"],
        "assignee_id": _id(node["assignee"]),
        "creator_id": _id(node["creator"]),
        "cycle_id": _id(node["cycle"]),
        "project_id": _id(node["project"]),
        "parent_id": _id(node["parent"]),
        "is_trashed": bool(node["trashed"]),
        "created_at": time(node["createdAt"]),
        "updated_at": time(node["updatedAt"]),
        "started_at": time(node["startedAt"]),
        "completed_at": time(node["completedAt"]),
        "canceled_at": time(node["canceledAt"]),
        "archived_at": time(node["archivedAt"]),
        "deleted_at": None,
    }


def previous_identifier_rows(node: Node) -> list[Row]:
    """The keys that an issue had before it moved to another team."""
    return [{"issue_id": node["id"], "identifier": key} for key in dict.fromkeys(node["previousIdentifiers"])]


def label_rows(node: Node, names: Mapping[str, str]) -> list[Row]:
    """An issue's labels. ``names`` are the workspace's; one that is in no list any more has no name."""
    return [
        {"issue_id": node["id"], "label_id": label, "name": names.get(label)}
        for label in dict.fromkeys(node["labelIds"])
    ]


def state_change_rows(node: Node, state_types: Mapping[str, str]) -> list[Row]:
    """The entries of an issue's history that set its state; the actor of an automation is null."""
    return [
        {
            "id": entry["id"],
            "issue_id": node["id"],
            "from_state_id": entry["fromStateId"],
            "to_state_id": entry["toStateId"],
            "to_state_type": state_types.get(entry["toStateId"]),
            "actor_id": entry["actorId"],
            "changed_at": time(entry["createdAt"]),
        }
        for entry in _once(node["history"]["nodes"])
        if entry["toStateId"]
    ]


def attachment_rows(node: Node) -> list[Row]:
    """An issue's attachments: pull requests, among other links."""
    return [
        {
            "id": attachment["id"],
            "issue_id": node["id"],
            "url": attachment["url"],
            "title": attachment["title"],
            "source_type": attachment["sourceType"],
            "created_at": time(attachment["createdAt"]),
            "updated_at": time(attachment["updatedAt"]),
        }
        for attachment in _once(node["attachments"]["nodes"])
        if not is_removed(attachment, node)
    ]


def comment_rows(node: Node) -> list[Row]:
    """When and by whom an issue was commented; an integration has no user."""
    return [
        {
            "id": comment["id"],
            "issue_id": node["id"],
            "user_id": _id(comment["user"]),
            "created_at": time(comment["createdAt"]),
            "updated_at": time(comment["updatedAt"]),
        }
        for comment in _once(node["comments"]["nodes"])
        if not is_removed(comment, node)
    ]


def is_removed(child: Node, issue: Node) -> bool:
    """Whether a child was taken away by itself: it is archived, and was so before its issue was, if that is at all.

    Linear archives what is deleted. What it archives together with an issue was still there.
    """
    child_at, issue_at = time(child["archivedAt"]), time(issue["archivedAt"])
    return child_at is not None and (issue_at is None or child_at < issue_at)


def _once(nodes: Iterable[Node]) -> list[Node]:
    """Each node once, the later reading of it: one that moved while pages were read comes twice."""
    return list({node["id"]: node for node in nodes}.values())
