"""GitHub's workflows, runs and jobs as rows. Pure: no network, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from veelocity_pipeline.sources.kit.tables import Row
from veelocity_pipeline.sources.kit.times import time

Node = Mapping[str, Any]


def workflow_row(node: Node, repository_id: str) -> Row:
    """One workflow."""
    return {
        "id": node["id"],
        "repository_id": repository_id,
        "name": node["name"],
        "path": node["path"],
        "state": node["state"],
        "url": node["html_url"],
        "created_at": time(node["created_at"]),
        "updated_at": time(node["updated_at"]),
        "deleted_at": None,
    }


def _run(node: Node, repository_id: str) -> Row:
    # The head repository is null once a fork is deleted, the actor where the account is.
    head: Node = node.get("head_repository") or {}
    actor: Node = node.get("actor") or {}
    # REST and GraphQL may give one repository node ids of two formats; the numbers are the same.
    is_own = bool(head) and head["id"] == node["repository"]["id"]
    return {
        "run_attempt": node.get("run_attempt") or 1,
        "workflow_id": node["workflow_id"],
        "name": node.get("name"),
        "path": node.get("path"),
        "display_title": node.get("display_title"),
        "run_number": node["run_number"],
        "event": node["event"],
        "status": node["status"],
        "conclusion": node["conclusion"],
        "head_sha": node["head_sha"],
        "head_branch": node["head_branch"],
        "head_repository_id": repository_id if is_own else head.get("node_id"),
        "head_repository": head.get("full_name"),
        "actor_login": actor.get("login"),
        "actor_type": actor.get("type"),
        "url": node["html_url"],
        "created_at": time(node["created_at"]),
        "run_started_at": time(node.get("run_started_at") or node["created_at"]),
        "updated_at": time(node["updated_at"]),
        "deleted_at": None,
    }


def run_row(node: Node, repository_id: str) -> Row:
    """One run as its latest attempt stands."""
    return {"id": node["id"], "repository_id": repository_id, **_run(node, repository_id)}


def attempt_row(node: Node, repository_id: str) -> Row:
    """One earlier attempt of a run, which has the run's id."""
    return {"run_id": node["id"], "repository_id": repository_id, **_run(node, repository_id)}


def job_row(node: Node, repository_id: str) -> Row:
    """One job of one attempt of a run."""
    return {
        "id": node["id"],
        "run_id": node["run_id"],
        "run_attempt": node.get("run_attempt") or 1,
        "repository_id": repository_id,
        "name": node["name"],
        "status": node["status"],
        "conclusion": node["conclusion"],
        "url": node["html_url"],
        "started_at": time(node["started_at"]),
        "completed_at": time(node["completed_at"]),
        "deleted_at": None,
    }
