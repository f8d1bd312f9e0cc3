"""What GitHub's GraphQL shows that the organisation does not keep as such, and what its resolvers are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from veelocity_pipeline.simulator.github.addresses import visible
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
