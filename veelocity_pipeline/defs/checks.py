"""Checks of what no test in SQL sees: against the last load, the schedule, the API's budget; none stops a run.

Each is correct on a first load and on a quiet day: what it has too little to judge by passes.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from veelocity_pipeline.config.cron import earliest, late, longest_gap
from veelocity_pipeline.config.settings import Settings, SettingsError
from veelocity_pipeline.operations.decisions import listed
from veelocity_pipeline.operations.upstream import LEAST_SHARE
from veelocity_pipeline.published.open import read_published
from veelocity_pipeline.safety.foreign import sentence
from veelocity_pipeline.sources import SOURCES
from veelocity_pipeline.transform.project import CUSTOM
from veelocity_pipeline.warehouse.publish import PUBLIC_SCHEMA

COMPLETE = "read_completely"
ROWS_KEPT = "rows_kept"
BUDGET_LEFT = "budget_left"
NOTHING_SKIPPED = "nothing_skipped"
READ_ON_TIME = "read_on_time"
AUTHORS_KNOWN = "authors_known"
CHANGES_SHIPPED = "changes_shipped"
OWN_MODELS = "own_models"

ALERTED = (ROWS_KEPT, OWN_MODELS)
"""Failures of these are told by an alert; those of ``read_completely`` are too, by ``status.json``."""

LEAST_ROWS = 20
"""Of fewer rows a half is a few."""

MOST_UNKNOWN = 0.2
LEAST_OPENED = 50

SPECS = {
    COMPLETE: "Every repository's (team's) last read of this table succeeded.",
    ROWS_KEPT: f"Not half of the rows went since the last load; of a table that had at least {LEAST_ROWS}.",
    BUDGET_LEFT: f"At least {LEAST_SHARE:.0%} of the API's hourly budget was left.",
    NOTHING_SKIPPED: "Every object that the source lists could be read, and whole.",
    READ_ON_TIME: "Every repository (team) was read within VEELOCITY_STALE_AFTER turns of the schedule.",
    AUTHORS_KNOWN: f"Of the pull requests that people opened in the last 90 days, the authors of at least "
    f"{1 - MOST_UNKNOWN:.0%} are known; where there were at least {LEAST_OPENED}.",
    CHANGES_SHIPPED: "In each repository the share of merged pull requests that a deployment shipped is at least half "
    "of what it was: else a workflow, an environment or a tag may have a new name.",
    OWN_MODELS: "Every model in the folder VEELOCITY_MODELS was read, built and published, and passed its tests.",
}


def spec(name: str, asset: dg.AssetKey) -> dg.AssetCheckSpec:
    """One of these checks, on an asset."""
    return dg.AssetCheckSpec(name, asset=asset, blocking=False, description=SPECS[name])


def _result(
    name: str,
    asset: dg.AssetKey,
    problem: str,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.WARN,
    *,
    metadata: Mapping[str, float],
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=name,
        passed=not problem,
        severity=severity,
        description=sentence(problem, 10_000) or None,
        metadata=metadata,
    )


def read_completely(asset: dg.AssetKey, read: int, failed: Mapping[str, str]) -> dg.AssetCheckResult:
    """Whether all repositories could be read.

    Args:
        read: how many were in this run.
        failed: what could not, in this run or an earlier one that is not made good yet, and why.
    """
    problem = "; ".join(f"{scope}: {error}" for scope, error in failed.items())
    return _result(
        COMPLETE, asset, problem, dg.AssetCheckSeverity.ERROR, metadata={"read": read, "failed": len(failed)}
    )


def rows_kept(asset: dg.AssetKey, before: int | None, now: int) -> dg.AssetCheckResult:
    """Whether a table still has more than half of its rows.

    Args:
        before: rows that were there, and not gone upstream, after the load before; None before the first.
    """
    fell = before is not None and before >= LEAST_ROWS and now < before / 2
    problem = f"{before:,} rows became {now:,} since the last load" if fell else ""
    return _result(ROWS_KEPT, asset, problem, dg.AssetCheckSeverity.ERROR, metadata={"rows": now})


def budget_left(asset: dg.AssetKey, share: float | None) -> dg.AssetCheckResult:
    """Whether the next refresh has something to spend; so where the API does not say."""
    low = share is not None and share < LEAST_SHARE
    problem = f"{share:.1%} of the API's hourly budget was left: add a token, or refresh less often" if low else ""
    told = {} if share is None else {"share_left": round(share, 4)}
    return _result(BUDGET_LEFT, asset, problem, metadata=told)


def own_models(asset: dg.AssetKey, problems: Mapping[str, str]) -> dg.AssetCheckResult:
    """Whether all is well with the user's own models.

    Args:
        problems: by file.
    """
    said = "; ".join(f"{file}: {problem}" for file, problem in problems.items())
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=OWN_MODELS,
        passed=not problems,
        description=sentence(said, 10_000) or None,
        metadata={"problems": dg.MetadataValue.json(dict(problems))},
    )


def nothing_skipped(asset: dg.AssetKey, skipped: Mapping[str, int], examples: Iterable[str]) -> dg.AssetCheckResult:
    """Whether every object of a source could be read.

    Args:
        skipped: how many could not, by repository (team) and table.
        examples: one of each, with the reason.
    """
    counts = ", ".join(f"{count:,} of {name}" for name, count in skipped.items())
    problem = f"skipped, and asked for again: {counts}; e.g. {next(iter(examples), '')}" if skipped else ""
    return _result(NOTHING_SKIPPED, asset, problem, metadata={"skipped": sum(skipped.values())})


def read_on_time(
    asset: dg.AssetKey, rows: Iterable[Mapping[str, Any]], settings: Settings, now: datetime
) -> dg.AssetCheckResult:
    """Whether everything that is configured was read lately.

    Args:
        rows: of ``status.json``.
    """
    since = earliest(settings.incremental_cron, settings.stale_after, now)
    unread = late(rows, [entry.name for entry in SOURCES.values() if entry.is_read(settings)], since)
    problem = f"not read since {since:%Y-%m-%d %H:%M} UTC: {listed(unread)}" if unread else ""
    return _result(READ_ON_TIME, asset, problem, metadata={"late": len(unread)})


_UNKNOWN_SQL = """
    select count(*), coalesce(avg((author is null)::int), 0)
    from marts.fct_pull_requests
    where not is_bot and created_at > (select max(as_of) - to_days(90) from marts.dora_scorecard)
"""

# By the repository's own pace: what was merged so recently that it need not be out yet is not looked at.
_COLLAPSED_SQL = """
    with merged as (
        select
            repository_id,
            deployment_id is not null as is_shipped,
            (select max(as_of) from marts.dora_scorecard) - merged_at as age,
            coalesce(quantile_cont(deploy_hours, 0.95) over (partition by repository_id), 0) as pace
        from marts.fct_pull_requests
        where state = 'merged' and targets_default_branch and not coalesce(deployed_in_baseline, false)
    ),

    told as (
        select repository_id, is_shipped, age - to_seconds(pace * 3600) between to_days(7) and to_days(35) as is_recent
        from merged
        where age - to_seconds(pace * 3600) between to_days(7) and to_days(365)
    )

    select
        repository_id,
        avg(is_shipped::int) filter (where is_recent) as recent,
        avg(is_shipped::int) filter (where not is_recent) as earlier
    from told
    group by repository_id
    having count(*) filter (where is_recent) >= 10
        and count(*) filter (where not is_recent) >= 20
        and earlier >= 0.3
        and recent < earlier / 2
    order by repository_id
"""


def published_checks(asset: dg.AssetKey, published: Path) -> list[dg.AssetCheckResult]:
    """What the published numbers themselves make doubtful."""
    with read_published(published) as connection:
        [(opened, unknown)] = connection.execute(_UNKNOWN_SQL).fetchall()
        collapsed = connection.execute(_COLLAPSED_SQL).fetchall()
    too_many = opened >= LEAST_OPENED and unknown > MOST_UNKNOWN
    nobody = f"{unknown:.0%} of {opened:,} pull requests of the last 90 days have no known author" if too_many else ""
    fallen = listed([f"{name} {recent:.0%} after {earlier:.0%}" for name, recent, earlier in collapsed])
    fewer = (
        f"far fewer merged pull requests are shipped: {fallen}; see `veelocity check` for what counts as a deployment"
    )
    return [
        _result(AUTHORS_KNOWN, asset, nobody, metadata={"share_unknown": round(unknown, 4)}),
        _result(CHANGES_SHIPPED, asset, fewer if collapsed else "", metadata={"repositories": len(collapsed)}),
    ]


# ----------------------------------------------------------------------------------------------- freshness

NEW_DAY = timedelta(hours=25)
"""On the quietest day nothing is built but at its beginning; the longest day has an hour more."""


def freshness(settings: Settings) -> dict[str, dg.FreshnessPolicy]:
    """By asset group, how old it may get: raw tables by the schedule, what is built by that and the day.

    Nothing where nothing is configured: the schedules do not run then, and a demo may grow old.
    """
    try:
        settings.require_sources(())
    except SettingsError:
        return {}
    gap = longest_gap(settings.incremental_cron)
    fail, warn = gap * (settings.stale_after + 1), gap * min(2, settings.stale_after)
    loaded = dg.FreshnessPolicy.time_window(fail_window=fail, warn_window=warn)
    built = dg.FreshnessPolicy.time_window(fail_window=fail + NEW_DAY, warn_window=warn + NEW_DAY)
    raw = {entry.dataset: loaded for entry in SOURCES.values()}
    return {**raw, PUBLIC_SCHEMA: built, CUSTOM: built, "published": built}


def with_freshness(assets: Iterable[dg.AssetsDefinition], settings: Settings) -> list[dg.AssetsDefinition]:
    """The assets, those that people look at with their policies."""
    policies = freshness(settings)

    def mapped(one: dg.AssetSpec) -> dg.AssetSpec:
        policy = policies.get(one.group_name or "")
        return dg.apply_freshness_policy(one, policy) if policy else one

    return list(dg.map_asset_specs(mapped, assets))
