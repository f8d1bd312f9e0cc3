"""From a node of GitHub's API to rows: pure, and ready for nulls wherever the schema allows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from veelocity_pipeline.sources.kit.http.paging import nodes
from veelocity_pipeline.sources.kit.tables import Row
from veelocity_pipeline.sources.kit.times import time

Node = Mapping[str, Any]


def _get(node: Node | None, *path: str) -> Any:
    """A value down a path that may end early."""
    value: Any = node
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def _integer(value: Any) -> int | None:
    """A number; GraphQL's BigInt comes as text. None for one that no column holds."""
    number = None if value is None else int(value)
    return number if number is not None and abs(number) < 1 << 63 else None


def _author(actor: Node | None) -> Row:
    """Who wrote it; all null when the account was deleted."""
    return {
        "author_id": _get(actor, "id"),
        "author_login": _get(actor, "login"),
        "author_type": _get(actor, "__typename"),
        "author_name": _get(actor, "name"),
        "author_avatar_url": _get(actor, "avatarUrl"),
    }


def _git_author(author: Node | None) -> Row:
    """Who wrote a commit; the login is null where the e-mail belongs to no account."""
    return {
        "author_login": _get(author, "user", "login"),
        "author_type": _get(author, "user", "__typename"),
        "author_name": _get(author, "name"),
        "author_email": _get(author, "email"),
    }


def _parents(commit: Node) -> str:
    return " ".join(dict.fromkeys(parent["oid"] for parent in nodes(commit.get("parents"))))


def repository_row(node: Node, configured_as: str) -> Row:
    """One repository; an empty one has no default branch."""
    return {
        "id": node["id"],
        "database_id": _integer(node.get("databaseId")),
        "name_with_owner": node["nameWithOwner"],
        "configured_as": configured_as,
        "url": node.get("url"),
        "description": node.get("description"),
        "is_archived": node.get("isArchived"),
        "is_fork": node.get("isFork"),
        "is_private": node.get("isPrivate"),
        "default_branch": _get(node, "defaultBranchRef", "name"),
        "default_branch_head_sha": _get(node, "defaultBranchRef", "target", "oid"),
        "created_at": time(node.get("createdAt")),
        "updated_at": time(node.get("updatedAt")),
        "pushed_at": time(node.get("pushedAt")),
    }


def pull_request_row(node: Node, repository: str) -> Row:
    """One pull request, flattened; ``repository`` is its repository's node id."""
    return {
        "id": node["id"],
        "database_id": _integer(node.get("fullDatabaseId")),
        "repository_id": repository,
        "number": node["number"],
        "title": node.get("title"),
        "body": node.get("body"),
        "url": node.get("url"),
        "state": node.get("state"),
        "is_draft": node.get("isDraft"),
        **_author(node.get("author")),
        "base_ref_name": node.get("baseRefName"),
        "head_ref_name": node.get("headRefName"),
        "head_sha": node.get("headRefOid"),
        "head_repository_id": _get(node, "headRepository", "id"),
        "is_cross_repository": node.get("isCrossRepository"),
        "merge_commit_sha": _get(node, "mergeCommit", "oid") if node.get("mergedAt") else None,
        "additions": node.get("additions"),
        "deletions": node.get("deletions"),
        "changed_files": node.get("changedFiles"),
        "commit_count": _get(node, "commitCount", "totalCount"),
        "created_at": time(node.get("createdAt")),
        "updated_at": time(node.get("updatedAt")),
        "merged_at": time(node.get("mergedAt")),
        "closed_at": time(node.get("closedAt")),
        "deleted_at": None,
    }


_DRAFT_EVENTS = {"ReadyForReviewEvent": "ready_for_review", "ConvertToDraftEvent": "convert_to_draft"}


def pull_request_sets(node: Node, repository: str) -> dict[str, list[Row]]:
    """All children of a pull request whose lists are complete, by table; files only if they were asked for."""
    ids = {"pull_request_id": node["id"], "repository_id": repository}
    reviews = nodes(node.get("reviews"))
    sets: dict[str, list[Row]] = {
        "pull_request_labels": [{**ids, "name": name} for name in _names(node.get("labels"))],
        "pull_request_closing_references": [
            {
                **ids,
                "issue_id": issue["id"],
                "issue_number": issue.get("number"),
                "issue_repository_id": _get(issue, "repository", "id"),
                "issue_repository": _get(issue, "repository", "nameWithOwner"),
            }
            for issue in _unique(nodes(node.get("closingIssuesReferences")))
        ],
        "pull_request_draft_events": [
            {
                **ids,
                "id": event["id"],
                "event": _DRAFT_EVENTS[event["__typename"]],
                "actor_login": _get(event, "actor", "login"),
                "occurred_at": time(event.get("createdAt")),
            }
            # A server may list more kinds of event than were asked for; those have no id here.
            for event in _unique(
                each for each in nodes(node.get("timelineItems")) if each.get("__typename") in _DRAFT_EVENTS
            )
        ],
        "pull_request_reviews": [
            {
                **ids,
                "id": review["id"],
                **_author(review.get("author")),
                "state": review.get("state"),
                "url": review.get("url"),
                "submitted_at": time(review.get("submittedAt")),
            }
            for review in _unique(reviews)
        ],
        "pull_request_review_comments": [
            {**_comment_row(comment), **ids, "review_id": review["id"]}
            for review in _unique(reviews)
            for comment in _unique(nodes(review.get("comments")))
        ],
        "pull_request_comments": [{**_comment_row(comment), **ids} for comment in _unique(nodes(node.get("comments")))],
        "pull_request_commits": [
            {
                **ids,
                "sha": commit["oid"],
                "position": position,
                "parent_shas": _parents(commit),
                "message": commit.get("message"),
                **_git_author(commit.get("author")),
                "authored_at": time(commit.get("authoredDate")),
                "committed_at": time(commit.get("committedDate")),
            }
            for position, commit in enumerate(
                _unique([item["commit"] for item in nodes(node.get("commits"))], key="oid")
            )
        ],
    }
    if "files" in node:
        paths = dict.fromkeys(file["path"] for file in nodes(node.get("files")))
        sets["pull_request_files"] = [{**ids, "path": path} for path in paths]
    return sets


def _comment_row(comment: Node) -> Row:
    return {
        "id": comment["id"],
        **_author(comment.get("author")),
        "body": comment.get("body"),
        "created_at": time(comment.get("createdAt")),
        "updated_at": time(comment.get("updatedAt")),
    }


def _names(connection: Node | None) -> Iterable[str]:
    """Each name once: a list that moved while it was read gives one twice."""
    return dict.fromkeys(node["name"] for node in nodes(connection))


def _unique(items: Iterable[Node], key: str = "id") -> list[Node]:
    """Each item once, the later reading of it, in the order of first sight."""
    return list({item[key]: item for item in items}.values())


def commit_row(node: Node, repository: str) -> Row:
    """One commit of a history."""
    return {
        "id": node["id"],
        "repository_id": repository,
        "sha": node["oid"],
        "parent_shas": _parents(node),
        "message": node.get("message"),
        "url": node.get("url"),
        **_git_author(node.get("author")),
        "authored_at": time(node.get("authoredDate")),
        "committed_at": time(node.get("committedDate")),
        "additions": node.get("additions"),
        "deletions": node.get("deletions"),
        "deleted_at": None,
    }


def commit_pull_request_rows(node: Node, repository: str) -> list[Row]:
    """The pull requests that a default-branch commit belongs to."""
    return [
        {
            "commit_id": node["id"],
            "repository_id": repository,
            "sha": node["oid"],
            "pull_request_id": pull_request["id"],
            "pull_request_number": pull_request.get("number"),
        }
        for pull_request in _unique(nodes(node.get("associatedPullRequests")))
    ]


def commit_file_rows(files: Iterable[Node], commit: str, repository: str, sha: str) -> list[Row]:
    """The paths of a commit, from the ``files`` of REST's ``/commits/{sha}``; a rename touches two."""
    paths: dict[str, None] = {}
    for file in files:
        paths[file["filename"]] = None
        if file.get("previous_filename"):
            paths[file["previous_filename"]] = None
    return [{"commit_id": commit, "repository_id": repository, "sha": sha, "path": path} for path in paths]


def tag_rows(refs: Iterable[Node], repository: str) -> list[Row]:
    """The tags of a repository, each with the commit it leads to."""
    return [
        {
            "id": ref["id"],
            "repository_id": repository,
            "name": ref["name"],
            "sha": tagged(ref).get("oid"),
            "tagged_at": time(_get(ref, "target", "tagger", "date")),
            "committed_at": time(tagged(ref).get("committedDate")),
        }
        for ref in _unique(refs, key="name")
    ]


def tagged(ref: Node) -> Node:
    """The commit that a tag leads to, over the objects of annotated tags."""
    target: Node = ref.get("target") or {}
    while target.get("target"):
        target = target["target"]
    return target


def issue_row(node: Node, repository: str) -> Row:
    """One issue."""
    assignees = nodes(node.get("assignees"))
    return {
        "id": node["id"],
        "database_id": _integer(node.get("fullDatabaseId")),
        "repository_id": repository,
        "number": node["number"],
        "title": node.get("title"),
        "body": node.get("body"),
        "url": node.get("url"),
        "state": node.get("state"),
        "state_reason": node.get("stateReason"),
        **_author(node.get("author")),
        "assignee_login": assignees[0].get("login") if assignees else None,
        "created_at": time(node.get("createdAt")),
        "updated_at": time(node.get("updatedAt")),
        "closed_at": time(node.get("closedAt")),
        "deleted_at": None,
    }


def issue_label_rows(node: Node, repository: str) -> list[Row]:
    """The labels of an issue."""
    return [{"issue_id": node["id"], "repository_id": repository, "name": name} for name in _names(node.get("labels"))]


def release_row(node: Node, repository: str) -> Row:
    """One release; the commit is null while the tag of a draft does not exist."""
    return {
        "id": node["id"],
        "database_id": _integer(node.get("databaseId")),
        "repository_id": repository,
        "name": node.get("name"),
        "tag_name": node.get("tagName"),
        "sha": _get(node, "tagCommit", "oid"),
        "url": node.get("url"),
        "is_draft": node.get("isDraft"),
        "is_prerelease": node.get("isPrerelease"),
        **_author(node.get("author")),
        "created_at": time(node.get("createdAt")),
        "updated_at": time(node.get("updatedAt")),
        "published_at": time(node.get("publishedAt")),
        "deleted_at": None,
    }


def deployment_row(node: Node, repository: str) -> Row:
    """One deployment."""
    return {
        "id": node["id"],
        "database_id": _integer(node.get("databaseId")),
        "repository_id": repository,
        "environment": node.get("environment"),
        "task": node.get("task"),
        "sha": node.get("commitOid"),
        "ref": _get(node, "ref", "name"),
        "state": node.get("state"),
        "description": node.get("description"),
        "creator_login": _get(node, "creator", "login"),
        "creator_type": _get(node, "creator", "__typename"),
        "created_at": time(node.get("createdAt")),
        "updated_at": time(node.get("updatedAt")),
        "deleted_at": None,
    }


def deployment_status_rows(node: Node, repository: str) -> list[Row]:
    """All statuses that a deployment was given."""
    return [
        {
            "id": status["id"],
            "deployment_id": node["id"],
            "repository_id": repository,
            "state": status.get("state"),
            "environment": status.get("environment"),
            "log_url": status.get("logUrl"),
            "environment_url": status.get("environmentUrl"),
            "description": status.get("description"),
            "creator_login": _get(status, "creator", "login"),
            "created_at": time(status.get("createdAt")),
            "updated_at": time(status.get("updatedAt")),
        }
        for status in _unique(nodes(node.get("statuses")))
    ]
