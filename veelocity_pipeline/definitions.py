"""The only door for Dagster: everything it can see, in one code location."""

from __future__ import annotations

from veelocity_pipeline.defs.location import loaded

defs = loaded()
