"""GitHub Actions: workflows, runs, the attempts of deploying runs, and jobs."""

from __future__ import annotations

from veelocity_pipeline.sources.github_actions.connector import GitHubActionsConnector
from veelocity_pipeline.sources.github_actions.tables import TABLES
from veelocity_pipeline.sources.kit.connector import SourceEntry

ENTRY = SourceEntry(
    name="github_actions",
    title="GitHub Actions",
    dataset="raw_github_actions",
    tables=TABLES,
    connector=GitHubActionsConnector,
    is_configured=lambda settings: bool(settings.has_github_access and settings.github_repositories),
    missing="GitHub Actions is not read: set GITHUB_TOKEN and GITHUB_REPOSITORIES.",
    scope_column=dict.fromkeys(TABLES, "repository_id"),
    along_with="github",
    reads_repositories=True,
)
