"""GitHub's GraphQL over the organisation."""

from __future__ import annotations

import functools
from collections.abc import Callable
from operator import itemgetter
from pathlib import Path
from typing import Any

from veelocity_pipeline.simulator.engine import ApiError, Connection, Engine, snake
from veelocity_pipeline.simulator.github.addresses import (
    SITE,
    account_path,
    avatar,
    comment_path,
    commit_path,
    label_path,
    release_path,
    repository_path,
    review_comment_path,
    review_path,
    subject_path,
    user,
    visible,
)
from veelocity_pipeline.simulator.github.lists import (
    by_number,
    filtered,
    find_repository,
    listing,
    repositories_of,
    repository_of,
)
from veelocity_pipeline.simulator.github.objects import Context, type_name
from veelocity_pipeline.simulator.github.pulls import (
    association,
    decision_of,
    deployments_of,
    environments_of,
    files_of,
    latest_reviews_of,
    pull_requests_of,
    review_comments_of,
    reviews_of,
    state_of,
    timeline_of,
)
from veelocity_pipeline.simulator.github.refs import (
    actor_of,
    branch_ref,
    history_of,
    object_named,
    ref_of,
    refs_of,
    tag_ref,
)
from veelocity_pipeline.simulator.organization.code_host import (
    Account,
    PullRequest,
)

# -- root


def _node(context: Context, node: str) -> Any:
    found = context.organization.nodes.get(node)
    if found is None or (isinstance(found, Account) and found.deleted_at):
        raise ApiError(f"Could not resolve to a node with the global id of '{node}'", "NOT_FOUND")
    return found


def _nodes(source: Any, args: dict[str, Any], context: Context) -> list[Any]:
    if len(args["ids"]) > 100:
        message = f"You may not provide more than 100 node ids; you provided {len(args['ids'])}."
        raise ApiError(message, "ARGUMENT_LIMIT")
    return [_found_or_error(context, node) for node in args["ids"]]


def _found_or_error(context: Context, node: str) -> Any:
    try:
        return _node(context, node)
    except ApiError as error:
        return error  # graphql-core reports it at this place of the list and puts null there


def _login(kinds: tuple[str, ...], what: str) -> Any:
    def resolve(source: Any, args: dict[str, Any], context: Context) -> Account:
        for account in (context.organization.account, *context.organization.accounts):
            if account.login.lower() == args["login"].lower() and account.kind in kinds and visible(account):
                return account
        raise ApiError(f"Could not resolve to {what} with the login of '{args['login']}'.", "NOT_FOUND")

    return resolve


def _rate_limit(source: Any, args: dict[str, Any], context: Context) -> dict[str, Any]:
    return {
        "cost": context.points,
        "limit": context.budget.limit,
        "node_count": context.nodes,
        "remaining": context.budget.remaining,
        "reset_at": context.budget.reset_at,
        "used": context.budget.limit - context.budget.remaining,
    }


def _site(path: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda source: SITE + path(source)


def _addresses(path: Callable[[Any], str]) -> dict[str, Callable[[Any], Any]]:
    return {"resourcePath": path, "url": _site(path)}


_ACCOUNT = {
    "avatarUrl": avatar,
    "databaseId": lambda source: source.database_id,
    "updatedAt": lambda source: source.created_at,
    "email": lambda source: source.email,
    **_addresses(account_path),
}
_WRITTEN = {
    "author": lambda source: visible(source.author),
    "authorAssociation": lambda source: association(source, source.author),
    "bodyText": lambda source: source.body,
    "fullDatabaseId": lambda source: str(source.database_id),
    "lastEditedAt": lambda source: None,
    "publishedAt": lambda source: source.created_at,
}
_EVENT = {"actor": lambda source: visible(source.actor)}
VALUES: dict[str, dict[str, Callable[[Any], Any]]] = {
    "RateLimit": {
        name: itemgetter(snake(name)) for name in ("cost", "limit", "nodeCount", "remaining", "resetAt", "used")
    },
    "User": {**_ACCOUNT, "bio": lambda s: None, "company": lambda s: None, "isSiteAdmin": lambda s: False},
    "Bot": {key: value for key, value in _ACCOUNT.items() if key != "email"},
    "Mannequin": _ACCOUNT,
    "Organization": {**_ACCOUNT, "description": lambda s: None},
    "Repository": {
        **_addresses(repository_path),
        "defaultBranchRef": lambda s: branch_ref(s, s.default_branch, s.head) if s.head else None,
        "diskUsage": lambda s: len(s.commits) * 3,
        "forkCount": lambda s: 0,
        "hasIssuesEnabled": lambda s: True,
        "isArchived": lambda s: s.archived_at is not None,
        "isDisabled": lambda s: False,
        "isEmpty": lambda s: not s.branches,
        "isInOrganization": lambda s: s.owner.kind == "Organization",
        "isLocked": lambda s: False,
        "isMirror": lambda s: False,
        "isTemplate": lambda s: False,
        "nameWithOwner": lambda s: s.full_name,
        "latestRelease": lambda s: next(
            (each for each in reversed(s.releases) if not each.is_draft and not each.is_prerelease), None
        ),
        "mergeCommitAllowed": lambda s: True,
        "rebaseMergeAllowed": lambda s: True,
        "squashMergeAllowed": lambda s: True,
        "parent": lambda s: None,
        "stargazerCount": lambda s: 0,
        "visibility": lambda s: "PRIVATE" if s.is_private else "PUBLIC",
    },
    "Label": {"isDefault": lambda s: False, "updatedAt": lambda s: s.created_at, "url": _site(label_path)},
    "Tag": {
        "abbreviatedOid": lambda s: s.oid[:7],
        "commitUrl": lambda s: SITE + commit_path(s.target),
    },
    "Commit": {
        "abbreviatedOid": lambda s: s.sha[:7],
        "author": lambda s: actor_of(s, True),
        "committer": lambda s: actor_of(s, False),
        "authoredByCommitter": lambda s: s.author_email == s.committer_email,
        "authoredDate": lambda s: s.authored_at,
        "changedFiles": lambda s: len(s.paths),
        "changedFilesIfAvailable": lambda s: len(s.paths),
        "commitUrl": _site(commit_path),
        "committedDate": lambda s: s.committed_at,
        "committedViaWeb": lambda s: s.committer_name == "GitHub",
        "messageBody": lambda s: s.message.partition("\n")[2].strip(),
        "messageHeadline": lambda s: s.message.partition("\n")[0],
        "oid": lambda s: s.sha,
        "pushedDate": lambda s: None,
        **_addresses(commit_path),
    },
    "GitActor": {
        "avatarUrl": lambda s: avatar(s.user) if s.user else f"{SITE}/identicons/{s.name}.png".replace(" ", "-")
    },
    "PullRequest": {
        **_WRITTEN,
        **_addresses(subject_path),
        "permalink": _site(subject_path),
        "additions": lambda s: sum(each.commit.additions for each in s.commits),
        "deletions": lambda s: sum(each.commit.deletions for each in s.commits),
        "changedFiles": lambda s: len(s.paths),
        "baseRef": lambda s: (
            branch_ref(s.repository, s.base_branch, s.repository.branches[s.base_branch])
            if s.base_branch in s.repository.branches
            else None
        ),
        "baseRefName": lambda s: s.base_branch,
        "baseRefOid": lambda s: s.base_sha,
        "baseRepository": lambda s: s.repository,
        "closed": lambda s: s.state != "OPEN",
        "headRef": lambda s: branch_ref(s.head_repository, s.head_branch, s.head) if s.state == "OPEN" else None,
        "headRefName": lambda s: s.head_branch,
        "headRefOid": lambda s: s.head.sha,
        "headRepositoryOwner": lambda s: s.head_repository and visible(s.head_repository.owner),
        "locked": lambda s: False,
        "merged": lambda s: s.state == "MERGED",
        "mergedBy": lambda s: visible(s.merged_by),
        "reviewDecision": decision_of,
        "totalCommentsCount": lambda s: len(s.comments) + sum(len(each.comments) for each in s.reviews),
    },
    "PullRequestCommit": {
        "resourcePath": lambda s: f"{subject_path(s.pull_request)}/commits/{s.commit.sha}",
        "url": lambda s: f"{SITE}{subject_path(s.pull_request)}/commits/{s.commit.sha}",
    },
    "PullRequestReview": {
        **_WRITTEN,
        **_addresses(review_path),
        "repository": lambda s: s.pull_request.repository,
        "publishedAt": lambda s: s.submitted_at,
    },
    "PullRequestReviewComment": {
        **_WRITTEN,
        **_addresses(review_comment_path),
        "commit": lambda s: s.review.commit,
        "originalCommit": lambda s: s.review.commit,
        "diffHunk": lambda s: "@@ -1 +1 @@",
        "outdated": lambda s: False,
        "pullRequest": lambda s: s.review.pull_request,
        "pullRequestReview": lambda s: s.review,
        "replyTo": lambda s: None,
        "repository": lambda s: s.review.pull_request.repository,
        "state": lambda s: "PENDING" if s.review.state == "PENDING" else "SUBMITTED",
    },
    "IssueComment": {
        **_WRITTEN,
        **_addresses(comment_path),
        "pullRequest": lambda s: s.subject if isinstance(s.subject, PullRequest) else None,
        "repository": lambda s: s.subject.repository,
    },
    "Issue": {
        **_WRITTEN,
        **_addresses(subject_path),
        "closed": lambda s: s.state == "CLOSED",
        "locked": lambda s: False,
    },
    "Release": {
        **_addresses(release_path),
        "author": lambda s: user(s.author),
        "isLatest": lambda s: (
            s
            is next(
                (each for each in reversed(s.repository.releases) if not each.is_draft and not each.is_prerelease), None
            )
        ),
        "tag": lambda s: tag_ref(s.tag) if s.tag else None,
        "tagCommit": lambda s: s.tag.commit if s.tag else None,
    },
    "Deployment": {
        "commitOid": lambda s: s.commit.sha,
        "latestEnvironment": lambda s: s.environment,
        "originalEnvironment": lambda s: s.environment,
        "latestStatus": lambda s: s.statuses[-1] if s.statuses else None,
        "payload": lambda s: None,
        "state": state_of,
        "ref": lambda s: (
            branch_ref(s.repository, s.ref, s.repository.branches[s.ref]) if s.ref in s.repository.branches else None
        ),
    },
    "DeploymentStatus": {
        "environment": lambda s: s.deployment.environment,
        "environmentUrl": lambda s: s.environment_url or None,
        "logUrl": lambda s: s.log_url or None,
        "state": lambda s: s.state.upper(),
    },
    "MergedEvent": {**_EVENT, "commit": lambda s: s.after, "mergeRefName": lambda s: s.pull_request.base_branch},
    "HeadRefForcePushedEvent": {**_EVENT, "beforeCommit": lambda s: s.before, "afterCommit": lambda s: s.after},
    **dict.fromkeys(
        (
            "ReadyForReviewEvent",
            "ConvertToDraftEvent",
            "ClosedEvent",
            "ReopenedEvent",
            "LabeledEvent",
            "UnlabeledEvent",
        ),
        _EVENT,
    ),
}


def _permitted(permission: str, resolver: Any) -> Any:
    """The resolver, for those who have the permission to read this."""

    def resolve(source: Any, args: dict[str, Any], context: Context) -> Any:
        if context.permissions is not None and permission not in context.permissions:
            raise ApiError("Resource not accessible by integration", "FORBIDDEN")
        return resolver(source, args, context)

    return resolve


RESOLVERS: dict[str, dict[str, Any]] = {
    "Query": {
        "node": lambda source, args, context: _node(context, args["id"]),
        "nodes": _nodes,
        "organization": _login(("Organization",), "an Organization"),
        "rateLimit": _rate_limit,
        "repository": lambda source, args, context: find_repository(
            context, args["owner"], args["name"], args.get("followRenames", True)
        ),
        "repositoryOwner": _login(("User", "Organization"), "a User"),
        "user": _login(("User",), "a User"),
        "viewer": lambda source, args, context: context.organization.viewer,
    },
    "User": {"repositories": repositories_of, "repository": repository_of},
    "Organization": {"repositories": repositories_of, "repository": repository_of},
    "Repository": {
        "deployments": _permitted("deployments", deployments_of),
        "environments": environments_of,
        "issue": by_number("an Issue", lambda s: s.issues),
        "issueOrPullRequest": by_number("an issue or pull request", lambda s: s.issues, lambda s: s.pull_requests),
        "issues": _permitted("issues", filtered("issues", lambda s: s.issues)),
        "label": lambda source, args, context: source.labels.get(args["name"]),
        "labels": listing("labels", lambda s: list(s.labels.values())),
        "object": object_named,
        "pullRequest": by_number("a PullRequest", lambda s: s.pull_requests),
        "pullRequests": _permitted("pull_requests", filtered("pullRequests", lambda s: s.pull_requests)),
        "ref": ref_of,
        "refs": refs_of,
        "release": lambda source, args, context: next(
            (each for each in source.releases if each.tag_name == args["tagName"]), None
        ),
        "releases": listing("releases", lambda s: s.releases, ("CREATED_AT", "DESC")),
    },
    "Commit": {
        "associatedPullRequests": pull_requests_of,
        "authors": lambda source, args, context: Connection([actor_of(source, True)], args, "authors"),
        "history": history_of,
        "parents": listing("parents", lambda s: s.parents),
    },
    "PullRequest": {
        "assignees": lambda source, args, context: Connection([], args, "assignees"),
        "closingIssuesReferences": listing("closingIssuesReferences", lambda s: s.closing_issues),
        "comments": listing("comments", lambda s: s.comments),
        "commits": listing("commits", lambda s: s.commits),
        "files": files_of,
        "labels": listing("labels", lambda s: s.labels),
        "latestReviews": latest_reviews_of,
        "reviews": reviews_of,
        "timelineItems": timeline_of,
    },
    "PullRequestReview": {"comments": review_comments_of},
    "Issue": {
        "assignees": lambda source, args, context: Connection(
            [each for each in (visible(source.assignee),) if each], args, "assignees"
        ),
        "closedByPullRequestsReferences": lambda source, args, context: Connection(
            [each for each in source.closed_by if args.get("includeClosedPrs") or each.state != "CLOSED"], args
        ),
        "comments": listing("comments", lambda s: s.comments),
        "labels": listing("labels", lambda s: s.labels),
        "stateReason": lambda source, args, context: source.state_reason,
    },
    "Deployment": {"statuses": lambda source, args, context: Connection(source.statuses[::-1], args, "statuses")},
}


@functools.cache
def engine() -> Engine:
    """GitHub's schema with its resolvers."""
    return Engine(Path(__file__).with_name("schema.graphql"), RESOLVERS, VALUES, type_name)
