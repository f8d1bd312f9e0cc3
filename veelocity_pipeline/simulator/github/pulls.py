"""Pull requests and deployments of GitHub's GraphQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from veelocity_pipeline.simulator.engine import Connection, moment
from veelocity_pipeline.simulator.github.lists import ordered
from veelocity_pipeline.simulator.github.objects import MOST_FILES, ChangedFile, Context, type_name
from veelocity_pipeline.simulator.organization.code_host import (
    Account,
    Commit,
    Deployment,
    PullRequest,
    PullRequestCommit,
    Repository,
    Review,
)

# -- pull requests


def timeline_of(source: PullRequest, args: dict[str, Any], context: Context) -> Connection:
    wanted = args.get("itemTypes")
    items: list[Any] = list(source.events)
    items += [each for each in source.reviews if each.submitted_at] + source.comments
    if not wanted or "PULL_REQUEST_COMMIT" in wanted:
        items += source.commits

    def when(item: Any) -> datetime:
        if isinstance(item, PullRequestCommit):
            return item.commit.committed_at
        created_at: datetime = item.created_at
        return (item.submitted_at or created_at) if isinstance(item, Review) else created_at

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


def reviews_of(source: PullRequest, args: dict[str, Any], context: Context) -> Connection:
    viewer = context.organization.viewer
    items = [each for each in source.reviews if each.state != "PENDING" or each.author is viewer]
    if args.get("states"):
        items = [each for each in items if each.state in args["states"]]
    if args.get("author"):
        items = [each for each in items if each.author.login == args["author"]]
    return Connection(items, args, "reviews")


def latest_reviews_of(source: PullRequest, args: dict[str, Any], context: Context) -> Connection:
    latest = {each.author.id: each for each in source.reviews if each.state != "PENDING"}
    return Connection(list(latest.values()), args, "latestReviews")


def decision_of(source: PullRequest) -> str | None:
    verdicts = {
        each.author.id: each.state for each in source.reviews if each.state in ("APPROVED", "CHANGES_REQUESTED")
    }
    if "CHANGES_REQUESTED" in verdicts.values():
        return "CHANGES_REQUESTED"
    return "APPROVED" if verdicts else "REVIEW_REQUIRED"


def files_of(source: PullRequest, args: dict[str, Any], context: Context) -> Connection:
    return Connection([ChangedFile(path, 7, 2) for path in source.paths[:MOST_FILES]], args, "files")


def pull_requests_of(source: Commit, args: dict[str, Any], context: Context) -> Connection:
    # "The merged Pull Request that introduced the commit"; the open ones of a commit that is not merged yet
    merged = [each for each in source.pull_requests if each.state == "MERGED"]
    found = merged or [each for each in source.pull_requests if each.state == "OPEN"]
    return ordered(found, args, "associatedPullRequests", ("CREATED_AT", "ASC"))


def association(source: Any, author: Account) -> str:
    """What the author of something is to the repository."""
    return "MEMBER" if author.email.endswith("@acme.example") else "CONTRIBUTOR"


def review_comments_of(source: Review, args: dict[str, Any], context: Context) -> Connection:
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


def state_of(source: Deployment) -> str:
    return _SHOWN[source.statuses[-1].state if source.statuses else ""]


def deployments_of(source: Repository, args: dict[str, Any], context: Context) -> Connection:
    items = source.deployments
    if args.get("environments"):
        items = [each for each in items if each.environment in args["environments"]]
    return ordered(items, args, "deployments", ("CREATED_AT", "ASC"))


def environments_of(source: Repository, args: dict[str, Any], context: Context) -> Connection:
    items = source.environments
    if args.get("names"):
        items = [each for each in items if each.name in args["names"]]
    return Connection(sorted(items, key=lambda each: each.name), args, "environments")
