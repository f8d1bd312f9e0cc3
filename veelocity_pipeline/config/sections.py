"""The sections of ``veelocity.toml``: deployments, failures, people, repositories, services, teams."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from veelocity_pipeline.config.connections import RepositoryEntry, comma_separated
from veelocity_pipeline.config.patterns import Patterns, TextList

Evidence = Literal["rollback", "revert", "hotfix", "incident", "deployment_status"]
DEFAULT_EVIDENCE: tuple[Evidence, ...] = ("rollback", "revert", "hotfix", "incident")
DeploymentSource = Literal["auto", "workflow_runs", "deployments", "releases", "tags", "merges"]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Deployments(Section):
    """Which attempts are deployments."""

    source: DeploymentSource = "auto"
    workflow_patterns: Patterns = ("deploy", "release", "publish")
    exclude_patterns: Patterns = ("draft", "docs", "preview", "staging", "test", "nightly", "cleanup", "notes")
    job_patterns: Patterns = ()
    branches: Patterns = ()
    tag_patterns: Patterns = ("v*",)
    production_environments: Patterns = ()
    count_redeploys: bool = False


class Failures(Section):
    """What is evidence that a deployment failed."""

    evidence: Annotated[tuple[Evidence, ...], BeforeValidator(comma_separated)] = (
        "rollback",
        "revert",
        "hotfix",
        "incident",
    )
    hotfix_labels: Patterns = ("hotfix",)
    hotfix_branches: Patterns = ("hotfix/*",)
    incident_labels: Patterns = ("incident", "outage", "sev*")
    incident_window_hours: int = Field(default=168, gt=0)
    revert_window_hours: int = Field(default=720, gt=0)
    hotfix_window_hours: int = Field(default=720, gt=0)


class Alias(Section):
    """Other logins and e-mails of one person."""

    login: str
    also: TextList


class People(Section):
    """Who is a bot, and who is the same person."""

    bots: TextList = ("k8s-ci-robot",)
    pseudonyms: bool = False
    aliases: tuple[Alias, ...] = ()


class RepositoryOverrides(Section):
    """One repository's own rules; a key that is not set keeps the value of its section."""

    name: RepositoryEntry
    deployments: dict[str, Any] = Field(default_factory=dict)
    failures: dict[str, Any] = Field(default_factory=dict)


class Service(Section):
    """A part of a monorepo that is deployed for itself."""

    name: str
    repository: RepositoryEntry
    paths: Patterns = ()
    workflow_patterns: Patterns = ()
    job_patterns: Patterns = ()
    environments: Patterns = ()
    tags: Patterns = ()


class Member(Section):
    """A person's time in a team, both days included; open where a day is missing."""

    login: str
    from_: date | None = Field(default=None, alias="from")
    until: date | None = None


def _member(value: object) -> object:
    return {"login": value} if isinstance(value, str) else value


class Team(Section):
    """People, repositories, services and Linear teams that are looked at together."""

    name: str
    members: tuple[Annotated[Member, BeforeValidator(_member)], ...] = ()
    repositories: tuple[RepositoryEntry, ...] = ()
    services: TextList = ()
    linear_teams: TextList = ()
