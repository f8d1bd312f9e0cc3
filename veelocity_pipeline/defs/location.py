"""Assets, checks, jobs, schedules and sensors put together."""

from __future__ import annotations

import functools
import warnings

import dagster as dg

from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.defs.assets.ingest import INGEST, config_assets, sync_status
from veelocity_pipeline.defs.assets.models import transform_assets
from veelocity_pipeline.defs.assets.publish import export_asset, publish_assets
from veelocity_pipeline.defs.checks import with_freshness
from veelocity_pipeline.defs.jobs import FULL_JOB, INCREMENTAL_JOB, REBUILD_JOB, schedules
from veelocity_pipeline.defs.launch import CONSOLE, EXECUTOR, io_manager
from veelocity_pipeline.defs.resources import Warehouse
from veelocity_pipeline.defs.sensors import sensors
from veelocity_pipeline.safety.files import check_folder, keep_private
from veelocity_pipeline.transform.prepare import prepared
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.publish import PUBLIC_SCHEMA

# links from assets to code are marked beta; one warning for each of 170 assets hides everything else
warnings.filterwarnings("ignore", category=dg.BetaWarning)


def definitions() -> dg.Definitions:
    """Assets, checks, jobs, schedules and sensors. No token is needed to load them."""
    keep_private()
    settings = load_settings()
    home = Home.of(settings)
    home.make()
    if settings.models is not None:
        check_folder(settings.models, "VEELOCITY_MODELS", shared=settings.allow_shared_folders)
    project = prepared(home, settings.models)
    models = transform_assets(project)
    marts = [spec.key for spec in models.specs if spec.group_name == PUBLIC_SCHEMA]
    assets = [*INGEST, config_assets, sync_status, models, *publish_assets(marts, project)]
    if settings.export_to is not None:
        assets.append(export_asset(settings.export_format))
    return dg.Definitions(
        assets=dg.with_source_code_references(with_freshness(assets, settings)),
        jobs=[INCREMENTAL_JOB, FULL_JOB, REBUILD_JOB],
        schedules=schedules(settings),
        sensors=sensors(settings),
        # each without a configuration: what a launch says of one is refused
        resources={"warehouse": Warehouse(), "io_manager": io_manager},
        executor=EXECUTOR,
        loggers={"console": CONSOLE},
    )


@functools.cache
def loaded() -> dg.Definitions:
    """The definitions of this process, made once."""
    return definitions()
