"""Linear: organization, teams and their issues with history, attachments and comments' times."""

from __future__ import annotations

from veelocity_pipeline.sources.kit.connector import SourceEntry
from veelocity_pipeline.sources.linear.connector import LinearConnector
from veelocity_pipeline.sources.linear.tables import TABLES

ENTRY = SourceEntry(
    name="linear",
    title="Linear",
    dataset="raw_linear",
    tables=TABLES,
    connector=LinearConnector,
    is_configured=lambda settings: settings.linear_api_key is not None,
    missing="Linear is not read: LINEAR_API_KEY is not set.",
    scope_column={"issues": "team_id"},
)
