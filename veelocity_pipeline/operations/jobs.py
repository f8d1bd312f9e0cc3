"""The jobs by name, for whoever asks about their runs and needs none of their definitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

INCREMENTAL = "incremental_refresh"
FULL = "full_refresh"
REBUILD = "rebuild"
"""Builds from what is loaded, for which no source need be configured."""

REFRESH_JOBS = (INCREMENTAL, FULL)

DOES_ALL_OF: Mapping[str, Sequence[str]] = {
    FULL: (FULL, INCREMENTAL, REBUILD),
    INCREMENTAL: (INCREMENTAL, REBUILD),
    REBUILD: (REBUILD,),
}
"""By job, the jobs that need not run any more when it has."""

BUILD_TAG, EVERYTHING = "veelocity/build", "everything"
"""Tag of a run that builds every model, whether or not its inputs changed. (A configuration would be in reach of a
launch, and Dagster fills one from the environment.)"""
