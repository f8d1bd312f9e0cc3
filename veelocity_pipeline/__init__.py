"""Veelocity: how a software team delivers, from its own GitHub, GitHub Actions and Linear."""

import os

# Nothing phones home, whatever imports this and starts what. Said before any library is imported, since each reads it
# when it is first used: dlt's own settings at its first decorator, Dagster's beside its instance's.
os.environ.update(
    {
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "DAGSTER_DISABLE_TELEMETRY": "true",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }
)
