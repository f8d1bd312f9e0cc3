"""The code location, made once for a module's tests."""

from __future__ import annotations

import os

import dagster as dg
import pytest

from veelocity_pipeline.transform.prepare import ship


@pytest.fixture(scope="session")
def defs(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    """As it is loaded with no setting at all."""
    home = tmp_path_factory.mktemp("home")
    ship()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VEELOCITY_HOME", str(home))
        patch.setenv("VEELOCITY_ENV_FILE", os.devnull)
        from veelocity_pipeline.defs.location import definitions

        return definitions()
