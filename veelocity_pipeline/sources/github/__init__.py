"""GitHub: repositories, pull requests with all their children, commits, tags, releases, deployments, issues."""

from __future__ import annotations

from veelocity_pipeline.sources.github.connector import GitHubConnector
from veelocity_pipeline.sources.github.repositories import github_client, resolve
from veelocity_pipeline.sources.github.tables import TABLES
from veelocity_pipeline.sources.kit.connector import SourceEntry

ENTRY = SourceEntry(
    name="github",
    title="GitHub",
    dataset="raw_github",
    tables=TABLES,
    connector=GitHubConnector,
    is_configured=lambda settings: bool(settings.github_repositories),
    missing="GitHub is not read: GITHUB_REPOSITORIES is not set.",
    scope_column={name: "id" if name == "repositories" else "repository_id" for name in TABLES},
    reads_repositories=True,
)

__all__ = ["ENTRY", "GitHubConnector", "github_client", "resolve"]
