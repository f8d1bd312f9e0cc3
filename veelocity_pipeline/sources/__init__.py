"""The sources: fetch and shape. Nothing in here knows what is loaded where, nor the orchestrator.

``SOURCES`` is the one list of what exists; assets, jobs, checks and tests are derived from it. A new
vendor adds its folder and one entry here.
"""

from __future__ import annotations

from veelocity_pipeline.sources.github import ENTRY as _GITHUB
from veelocity_pipeline.sources.github_actions import ENTRY as _GITHUB_ACTIONS
from veelocity_pipeline.sources.kit.connector import (
    Change,
    CheckResult,
    Chunk,
    Connector,
    Known,
    Outcome,
    RefreshRequest,
    Scope,
    ScopeFailure,
    SourceEntry,
)
from veelocity_pipeline.sources.kit.http.errors import SourceError
from veelocity_pipeline.sources.linear import ENTRY as _LINEAR

SOURCES: dict[str, SourceEntry] = {entry.name: entry for entry in (_GITHUB, _GITHUB_ACTIONS, _LINEAR)}

__all__ = [
    "SOURCES",
    "Change",
    "CheckResult",
    "Chunk",
    "Connector",
    "Known",
    "Outcome",
    "RefreshRequest",
    "Scope",
    "ScopeFailure",
    "SourceEntry",
    "SourceError",
]
