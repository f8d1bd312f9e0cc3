"""Addresses of GitHub's public site, and the accounts that it still names."""

from __future__ import annotations

from veelocity_pipeline.simulator.organization.code_host import (
    Account,
    Comment,
    Commit,
    Issue,
    Label,
    PullRequest,
    Release,
    Repository,
    Review,
    ReviewComment,
)

SITE = "https://github.com"


def visible(account: Account | None) -> Account | None:
    """The account, unless it was deleted."""
    return account if account is not None and account.deleted_at is None else None


def user(account: Account | None) -> Account | None:
    """The account if it is a User's and exists."""
    account = visible(account)
    return account if account is not None and account.kind == "User" else None


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
