"""GitHub's GraphQL over the organisation."""

from __future__ import annotations

import functools
import heapq
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

from veelocity_pipeline.simulator.engine import ApiError, Connection, Engine, moment, snake
from veelocity_pipeline.simulator.organization.code_host import (
    Account,
    Comment,
    Commit,
    Deployment,
    DeploymentStatus,
    Environment,
    Event,
    Issue,
    Label,
    PullRequest,
    PullRequestCommit,
    Release,
    Repository,
    Review,
    ReviewComment,
    Tag,
)
from veelocity_pipeline.simulator.organization.whole import Organization

SITE = "https://github.com"
NODE_LIMIT = 500_000
MOST_FILES = 3_000
"""How many files of a commit or pull request are listed."""


@dataclass
class Budget:
    """Points of a token in its present hour."""

    limit: int
    remaining: int
    reset_at: datetime


@dataclass
class Context:
    """What a resolver may need beside its object."""

    organization: Organization
    budget: Budget
    points: int
    nodes: int
    permissions: Mapping[str, str] | None = None
    """What an installation may do; None: a token that may read everything."""


@dataclass(slots=True)
class Ref:
    """A branch or tag by its name."""

    id: str
    repository: Repository
    prefix: str
    name: str
    target: Any


@dataclass(slots=True)
class Actor:
    """Author or committer of a commit, as git has it."""

    name: str
    email: str
    date: datetime
    user: Account | None


@dataclass(slots=True)
class ChangedFile:
    """A file that a pull request touches."""

    path: str
    additions: int
    deletions: int
    change_type: str = "MODIFIED"


class TagObject:
    """The object of an annotated tag."""

    def __init__(self, tag: Tag) -> None:
        self.tag = tag
        self.id = f"{tag.id}o"
        self.oid = f"{tag.commit.order:08x}{tag.commit.sha[8:]}"
        self.repository, self.name, self.target = tag.repository, tag.name, tag.commit
        self.message = f"Release {tag.name}"
        self.tagger = Actor(tag.tagger.name, tag.tagger.email, tag.created_at, visible(tag.tagger))


def visible(account: Account | None) -> Account | None:
    """The account, unless it was deleted."""
    return account if account is not None and account.deleted_at is None else None


def user(account: Account | None) -> Account | None:
    """The account if it is a User's and exists."""
    account = visible(account)
    return account if account is not None and account.kind == "User" else None


# -- addresses


def account_path(account: Account) -> str:
    """Path of a profile."""
    return f"/apps/{account.login}" if account.kind == "Bot" else f"/{account.login}"


def avatar(account: Account) -> str:
    """Picture of an account."""
    kind = "in" if account.kind == "Bot" else "u"
    return f"https://avatars.githubusercontent.com/{kind}/{account.database_id}?v=4"


def repository_path(repository: Repository) -> str:
    """Path of a repository."""
    return f"/{repository.full_name}"


def subject_path(subject: PullRequest | Issue) -> str:
    """Path of a pull request or issue."""
    kind = "pull" if isinstance(subject, PullRequest) else "issues"
    return f"{repository_path(subject.repository)}/{kind}/{subject.number}"


def comment_path(comment: Comment) -> str:
    """Path of a comment in a conversation."""
    return f"{subject_path(comment.subject)}#issuecomment-{comment.database_id}"


def review_path(review: Review) -> str:
    """Path of a review."""
    return f"{subject_path(review.pull_request)}#pullrequestreview-{review.database_id}"


def review_comment_path(comment: ReviewComment) -> str:
    """Path of a comment on a line."""
    return f"{subject_path(comment.review.pull_request)}#discussion_r{comment.database_id}"


def commit_path(commit: Commit) -> str:
    """Path of a commit."""
    return f"{repository_path(commit.repository)}/commit/{commit.sha}"


def release_path(release: Release) -> str:
    """Path of a release; a draft has none of its own yet."""
    name = release.tag_name if release.tag else f"untagged-{release.database_id:x}"
    return f"{repository_path(release.repository)}/releases/tag/{name}"


def label_path(label: Label) -> str:
    """Path of a label."""
    return f"{repository_path(label.repository)}/labels/{label.name}"


# -- lists


def _ordered(
    items: Iterable[Any], args: dict[str, Any], name: str, default: tuple[str, str] | None = None
) -> Connection:
    """A page in the order asked for; the order is by the field, then by id."""
    order = args.get("orderBy")
    field, direction = (order["field"], order["direction"]) if order else (default or ("", ""))
    attribute = {
        "CREATED_AT": "created_at",
        "UPDATED_AT": "updated_at",
        "NAME": "name",
        "PUSHED_AT": "pushed_at",
        "COMMENTS": "comments",
        "STARGAZERS": "database_id",
        "TAG_COMMIT_DATE": "",
        "ALPHABETICAL": "name",
    }.get(field, "")
    if not attribute:
        return Connection(list(items), args, name)

    def key(item: Any) -> list[Any]:
        value = getattr(item, attribute)
        if isinstance(value, datetime):
            value = value.timestamp()
        elif isinstance(value, list):
            value = len(value)
        return [value, item.id]

    descending = direction == "DESC"
    return Connection(sorted(items, key=key, reverse=descending), args, name, key, descending)


def _listing(name: str, getter: Callable[[Any], list[Any]], default: tuple[str, str] | None = None) -> Any:
    return lambda source, args, context: _ordered(getter(source), args, name, default)


def _filtered(name: str, getter: Callable[[Any], list[Any]]) -> Any:
    """Pull requests or issues by states, labels, branches and filterBy."""

    def resolve(source: Any, args: dict[str, Any], context: Context) -> Connection:
        items = getter(source)
        states, labels = args.get("states"), args.get("labels")
        if states:
            items = [each for each in items if each.state in states]
        if labels:
            items = [each for each in items if any(label.name in labels for label in each.labels)]
        for argument, attribute in (("baseRefName", "base_branch"), ("headRefName", "head_branch")):
            if args.get(argument):
                items = [each for each in items if getattr(each, attribute) == args[argument]]
        filters = args.get("filterBy") or {}
        if filters.get("since"):
            since = moment(filters["since"])
            items = [each for each in items if each.updated_at >= since]
        if filters.get("states"):
            items = [each for each in items if each.state in filters["states"]]
        if filters.get("labels"):
            items = [each for each in items if any(label.name in filters["labels"] for label in each.labels)]
        if filters.get("createdBy"):
            items = [each for each in items if each.author.login == filters["createdBy"]]
        if filters.get("assignee"):
            items = [each for each in items if each.assignee and each.assignee.login == filters["assignee"]]
        return _ordered(items, args, name, ("CREATED_AT", "ASC"))

    return resolve


def _repositories(source: Account, args: dict[str, Any], context: Context) -> Connection:
    items = [each for each in (*context.organization.repositories, *context.organization.forks) if each.owner is source]
    for argument, test in (
        ("isFork", lambda each: each.is_fork),
        ("isArchived", lambda each: each.archived_at is not None),
        ("isLocked", lambda each: False),
    ):
        if args.get(argument) is not None:
            items = [each for each in items if test(each) == args[argument]]
    return _ordered(items, args, "repositories", ("NAME", "ASC"))


def _repository_of(source: Account, args: dict[str, Any], context: Context) -> Repository | None:
    return _find_repository(context, source.login, args["name"], args.get("followRenames", True))


def _find_repository(context: Context, owner: str, name: str, follow: bool | None) -> Repository | None:
    repository = context.organization.repository(f"{owner}/{name}")
    if repository is None or (follow is False and repository.full_name.lower() != f"{owner}/{name}".lower()):
        message = f"Could not resolve to a Repository with the name '{owner}/{name}'."
        raise ApiError(message, "NOT_FOUND")
    return repository


def _by_number(name: str, *getters: Callable[[Repository], list[Any]]) -> Any:
    def resolve(source: Repository, args: dict[str, Any], context: Context) -> Any:
        for getter in getters:
            for each in getter(source):
                if each.number == args["number"]:
                    return each
        raise ApiError(f"Could not resolve to {name} with the number of {args['number']}.", "NOT_FOUND")

    return resolve


# -- refs and commits


def _branch(repository: Repository | None, name: str, commit: Commit) -> Ref | None:
    if repository is None:
        return None
    return Ref(f"REF_{repository.id}:refs/heads/{name}", repository, "refs/heads/", name, commit)


def _tag_ref(tag: Tag) -> Ref:
    target = TagObject(tag) if tag.is_annotated else tag.commit
    return Ref(f"REF_{tag.repository.id}:refs/tags/{tag.name}", tag.repository, "refs/tags/", tag.name, target)


def _refs(source: Repository, args: dict[str, Any], context: Context) -> Connection | None:
    prefix = args["refPrefix"]
    if not prefix.endswith("/"):
        prefix += "/"
    refs: list[Ref] = []
    if prefix == "refs/heads/":
        refs = [ref for name, commit in source.branches.items() if (ref := _branch(source, name, commit))]
    elif prefix == "refs/tags/":
        refs = [_tag_ref(tag) for tag in source.tags]
    if args.get("query"):
        refs = [ref for ref in refs if args["query"].lower() in ref.name.lower()]
    order = args.get("orderBy") or {"field": "ALPHABETICAL", "direction": args.get("direction") or "ASC"}
    if order["field"] == "TAG_COMMIT_DATE":

        def key(ref: Ref) -> tuple[Any, ...]:
            commit = ref.target.target if isinstance(ref.target, TagObject) else ref.target
            return commit.committed_at, ref.name
    else:

        def key(ref: Ref) -> tuple[Any, ...]:
            return (ref.name,)

    refs.sort(key=key, reverse=order["direction"] == "DESC")
    return Connection(refs, args, "refs")


def _ref(source: Repository, args: dict[str, Any], context: Context) -> Ref | None:
    name = args["qualifiedName"]
    branch = name.removeprefix("refs/heads/")
    if branch in source.branches and not name.startswith("refs/tags/"):
        return _branch(source, branch, source.branches[branch])
    wanted = name.removeprefix("refs/tags/")
    return next((_tag_ref(tag) for tag in source.tags if tag.name == wanted), None)


def find_commit(repository: Repository, name: str) -> Commit | None:
    """A commit by sha (a unique beginning will do), branch, tag or HEAD; a pull request's from its fork too."""
    name = name.removeprefix("refs/heads/").removeprefix("refs/tags/")
    if name in ("HEAD", ""):
        return repository.head
    if name in repository.commits:
        return repository.commits[name]
    if name in repository.branches:
        return repository.branches[name]
    for tag in repository.tags:
        if tag.name == name:
            return tag.commit
    if len(name) >= 7:
        for sha, commit in repository.commits.items():
            if sha.startswith(name):
                return commit
        for pull_request in repository.pull_requests:
            if pull_request.is_cross_repository:
                for entry in pull_request.commits:
                    if entry.commit.sha.startswith(name):
                        return entry.commit
    return None


def _object(source: Repository, args: dict[str, Any], context: Context) -> Commit | None:
    return find_commit(source, args.get("oid") or args.get("expression") or "HEAD")


def ancestors(commit: Commit) -> list[Commit]:
    """The commit and all it builds on, newest first: the order of ``git log``."""
    found: list[Commit] = []
    seen = {commit.sha}
    heap = [(-commit.committed_at.timestamp(), -commit.order, commit)]
    while heap:
        _, _, current = heapq.heappop(heap)
        found.append(current)
        for parent in current.parents:
            if parent.sha not in seen:
                seen.add(parent.sha)
                heapq.heappush(heap, (-parent.committed_at.timestamp(), -parent.order, parent))
    return found


class _Histories:
    """Histories of the commits asked for lately; a commit's history never changes."""

    def __init__(self) -> None:
        self._known: dict[Commit, list[Commit]] = {}

    def __call__(self, commit: Commit) -> list[Commit]:
        if commit not in self._known:
            if len(self._known) > 40:
                self._known.clear()
            self._known[commit] = ancestors(commit)
        return self._known[commit]


history = _Histories()


def _history(source: Commit, args: dict[str, Any], context: Context) -> Connection:
    items = history(source)
    if args.get("since"):
        since = moment(args["since"])
        items = [each for each in items if each.committed_at >= since]
    if args.get("until"):
        until = moment(args["until"])
        items = [each for each in items if each.committed_at <= until]
    if args.get("path"):
        path = args["path"].strip("/")
        items = [each for each in items if any(one == path or one.startswith(path + "/") for one in each.paths)]
    author = args.get("author")
    if author:
        emails, node = author.get("emails") or [], author.get("id")
        items = [
            each for each in items if each.author_email in emails or (node and each.author and each.author.id == node)
        ]
    return Connection(items, args, "history")


def _actor(source: Commit, is_author: bool) -> Actor:
    if is_author:
        return Actor(source.author_name, source.author_email, source.authored_at, user(source.author))
    same = source.author is not None and source.committer_email == source.author.email
    return Actor(
        source.committer_name, source.committer_email, source.committed_at, user(source.author) if same else None
    )


# -- pull requests


def _timeline(source: PullRequest, args: dict[str, Any], context: Context) -> Connection:
    wanted = args.get("itemTypes")
    items: list[Any] = list(source.events)
    items += [each for each in source.reviews if each.submitted_at] + source.comments
    if not wanted or "PULL_REQUEST_COMMIT" in wanted:
        items += source.commits

    def when(item: Any) -> datetime:
        if isinstance(item, PullRequestCommit):
            return item.commit.committed_at
        if isinstance(item, Review):
            return item.submitted_at or item.created_at
        return item.created_at

    kinds = {_timeline_type(kind): kind for kind in wanted} if wanted else None
    if kinds is not None:
        items = [each for each in items if type_name(each) in kinds]
    if args.get("since"):
        since = moment(args["since"])
        items = [each for each in items if when(each) >= since]
    items.sort(key=when)
    return Connection(items[args.get("skip") or 0 :], args, "timelineItems")


def _timeline_type(item_type: str) -> str:
    """The GraphQL type of an item type: READY_FOR_REVIEW_EVENT is ReadyForReviewEvent."""
    return "".join(part.capitalize() for part in item_type.split("_"))


def _reviews(source: PullRequest, args: dict[str, Any], context: Context) -> Connection:
    viewer = context.organization.viewer
    items = [each for each in source.reviews if each.state != "PENDING" or each.author is viewer]
    if args.get("states"):
        items = [each for each in items if each.state in args["states"]]
    if args.get("author"):
        items = [each for each in items if each.author.login == args["author"]]
    return Connection(items, args, "reviews")


def _latest_reviews(source: PullRequest, args: dict[str, Any], context: Context) -> Connection:
    latest = {each.author.id: each for each in source.reviews if each.state != "PENDING"}
    return Connection(list(latest.values()), args, "latestReviews")


def _decision(source: PullRequest) -> str | None:
    verdicts = {
        each.author.id: each.state for each in source.reviews if each.state in ("APPROVED", "CHANGES_REQUESTED")
    }
    if "CHANGES_REQUESTED" in verdicts.values():
        return "CHANGES_REQUESTED"
    return "APPROVED" if verdicts else "REVIEW_REQUIRED"


def _files(source: PullRequest, args: dict[str, Any], context: Context) -> Connection:
    return Connection([ChangedFile(path, 7, 2) for path in source.paths[:MOST_FILES]], args, "files")


def _associated(source: Commit, args: dict[str, Any], context: Context) -> Connection:
    # "The merged Pull Request that introduced the commit"; the open ones of a commit that is not merged yet
    merged = [each for each in source.pull_requests if each.state == "MERGED"]
    found = merged or [each for each in source.pull_requests if each.state == "OPEN"]
    return _ordered(found, args, "associatedPullRequests", ("CREATED_AT", "ASC"))


def association(source: Any, author: Account) -> str:
    """What the author of something is to the repository."""
    return "MEMBER" if author.email.endswith("@acme.example") else "CONTRIBUTOR"


def _review_comments(source: Review, args: dict[str, Any], context: Context) -> Connection:
    return Connection(source.comments, args, "comments")


# -- deployments

_SHOWN = {
    "": "PENDING",
    "success": "ACTIVE",
    "in_progress": "IN_PROGRESS",
    "queued": "QUEUED",
    "pending": "PENDING",
    "failure": "FAILURE",
    "error": "ERROR",
    "inactive": "INACTIVE",
}


def _deployment_state(source: Deployment) -> str:
    return _SHOWN[source.statuses[-1].state if source.statuses else ""]


def _deployments(source: Repository, args: dict[str, Any], context: Context) -> Connection:
    items = source.deployments
    if args.get("environments"):
        items = [each for each in items if each.environment in args["environments"]]
    return _ordered(items, args, "deployments", ("CREATED_AT", "ASC"))


def _environments(source: Repository, args: dict[str, Any], context: Context) -> Connection:
    items = source.environments
    if args.get("names"):
        items = [each for each in items if each.name in args["names"]]
    return Connection(sorted(items, key=lambda each: each.name), args, "environments")


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


_TYPES: dict[type, str] = {
    Repository: "Repository",
    PullRequest: "PullRequest",
    PullRequestCommit: "PullRequestCommit",
    Review: "PullRequestReview",
    ReviewComment: "PullRequestReviewComment",
    Comment: "IssueComment",
    Issue: "Issue",
    Commit: "Commit",
    TagObject: "Tag",
    Label: "Label",
    Release: "Release",
    Deployment: "Deployment",
    DeploymentStatus: "DeploymentStatus",
    Environment: "Environment",
    Ref: "Ref",
}


def type_name(value: Any) -> str:
    """The GraphQL type of an object."""
    if isinstance(value, Account | Event):
        return value.kind
    return _TYPES[type(value)]


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
        "defaultBranchRef": lambda s: _branch(s, s.default_branch, s.head) if s.head else None,
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
        "author": lambda s: _actor(s, True),
        "committer": lambda s: _actor(s, False),
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
            _branch(s.repository, s.base_branch, s.repository.branches[s.base_branch])
            if s.base_branch in s.repository.branches
            else None
        ),
        "baseRefName": lambda s: s.base_branch,
        "baseRefOid": lambda s: s.base_sha,
        "baseRepository": lambda s: s.repository,
        "closed": lambda s: s.state != "OPEN",
        "headRef": lambda s: _branch(s.head_repository, s.head_branch, s.head) if s.state == "OPEN" else None,
        "headRefName": lambda s: s.head_branch,
        "headRefOid": lambda s: s.head.sha,
        "headRepositoryOwner": lambda s: s.head_repository and visible(s.head_repository.owner),
        "locked": lambda s: False,
        "merged": lambda s: s.state == "MERGED",
        "mergedBy": lambda s: visible(s.merged_by),
        "reviewDecision": _decision,
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
        "tag": lambda s: _tag_ref(s.tag) if s.tag else None,
        "tagCommit": lambda s: s.tag.commit if s.tag else None,
    },
    "Deployment": {
        "commitOid": lambda s: s.commit.sha,
        "latestEnvironment": lambda s: s.environment,
        "originalEnvironment": lambda s: s.environment,
        "latestStatus": lambda s: s.statuses[-1] if s.statuses else None,
        "payload": lambda s: None,
        "state": _deployment_state,
        "ref": lambda s: (
            _branch(s.repository, s.ref, s.repository.branches[s.ref]) if s.ref in s.repository.branches else None
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
        "repository": lambda source, args, context: _find_repository(
            context, args["owner"], args["name"], args.get("followRenames", True)
        ),
        "repositoryOwner": _login(("User", "Organization"), "a User"),
        "user": _login(("User",), "a User"),
        "viewer": lambda source, args, context: context.organization.viewer,
    },
    "User": {"repositories": _repositories, "repository": _repository_of},
    "Organization": {"repositories": _repositories, "repository": _repository_of},
    "Repository": {
        "deployments": _permitted("deployments", _deployments),
        "environments": _environments,
        "issue": _by_number("an Issue", lambda s: s.issues),
        "issueOrPullRequest": _by_number("an issue or pull request", lambda s: s.issues, lambda s: s.pull_requests),
        "issues": _permitted("issues", _filtered("issues", lambda s: s.issues)),
        "label": lambda source, args, context: source.labels.get(args["name"]),
        "labels": _listing("labels", lambda s: list(s.labels.values())),
        "object": _object,
        "pullRequest": _by_number("a PullRequest", lambda s: s.pull_requests),
        "pullRequests": _permitted("pull_requests", _filtered("pullRequests", lambda s: s.pull_requests)),
        "ref": _ref,
        "refs": _refs,
        "release": lambda source, args, context: next(
            (each for each in source.releases if each.tag_name == args["tagName"]), None
        ),
        "releases": _listing("releases", lambda s: s.releases, ("CREATED_AT", "DESC")),
    },
    "Commit": {
        "associatedPullRequests": _associated,
        "authors": lambda source, args, context: Connection([_actor(source, True)], args, "authors"),
        "history": _history,
        "parents": _listing("parents", lambda s: s.parents),
    },
    "PullRequest": {
        "assignees": lambda source, args, context: Connection([], args, "assignees"),
        "closingIssuesReferences": _listing("closingIssuesReferences", lambda s: s.closing_issues),
        "comments": _listing("comments", lambda s: s.comments),
        "commits": _listing("commits", lambda s: s.commits),
        "files": _files,
        "labels": _listing("labels", lambda s: s.labels),
        "latestReviews": _latest_reviews,
        "reviews": _reviews,
        "timelineItems": _timeline,
    },
    "PullRequestReview": {"comments": _review_comments},
    "Issue": {
        "assignees": lambda source, args, context: Connection(
            [each for each in (visible(source.assignee),) if each], args, "assignees"
        ),
        "closedByPullRequestsReferences": lambda source, args, context: Connection(
            [each for each in source.closed_by if args.get("includeClosedPrs") or each.state != "CLOSED"], args
        ),
        "comments": _listing("comments", lambda s: s.comments),
        "labels": _listing("labels", lambda s: s.labels),
        "stateReason": lambda source, args, context: source.state_reason,
    },
    "Deployment": {"statuses": lambda source, args, context: Connection(source.statuses[::-1], args, "statuses")},
}


@functools.cache
def engine() -> Engine:
    """GitHub's schema with its resolvers."""
    return Engine(Path(__file__).with_name("schema.graphql"), RESOLVERS, VALUES, type_name)
