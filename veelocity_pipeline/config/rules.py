"""The settings' rules as the rows of ``config.*``, through which SQL knows them and can name the one that decided.

Pure: settings in, Arrow tables out. A repository with its own rules has its whole set of rows, the general
ones included, under its name; every other repository uses the rows whose ``repository`` is null.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from veelocity_pipeline.config import environments
from veelocity_pipeline.config.cron import longest_gap
from veelocity_pipeline.config.patterns import contains_regex, glob_regex
from veelocity_pipeline.config.sections import Deployments, Failures
from veelocity_pipeline.config.settings import Settings

TEXT = pa.string()

SCHEMAS: dict[str, pa.Schema] = {
    "settings": pa.schema({"name": TEXT, "value": TEXT}),
    "repositories": pa.schema({"name": TEXT}),
    "repository_settings": pa.schema(
        {
            "repository": TEXT,
            "deployment_source": TEXT,
            "count_redeploys": pa.bool_(),
            "incident_window_hours": pa.int64(),
            "revert_window_hours": pa.int64(),
            "hotfix_window_hours": pa.int64(),
        }
    ),
    "deployment_rules": pa.schema(
        {"repository": TEXT, "service": TEXT, "kind": TEXT, "pattern": TEXT, "pattern_regex": TEXT, "rule": TEXT}
    ),
    "failure_rules": pa.schema(
        {"repository": TEXT, "kind": TEXT, "pattern": TEXT, "pattern_regex": TEXT, "rule": TEXT}
    ),
    "environment_words": pa.schema({"word": TEXT, "is_production": pa.bool_()}),
    "bots": pa.schema({"login": TEXT, "rule": TEXT}),
    "people_aliases": pa.schema({"login": TEXT, "also": TEXT}),
    "services": pa.schema({"service": TEXT, "repository": TEXT}),
    "teams": pa.schema({"team": TEXT}),
    "team_members": pa.schema({"team": TEXT, "login": TEXT, "valid_from": pa.date32(), "valid_until": pa.date32()}),
    "team_repositories": pa.schema({"team": TEXT, "repository": TEXT}),
    "team_services": pa.schema({"team": TEXT, "service": TEXT}),
    "team_linear_teams": pa.schema({"team": TEXT, "team_key": TEXT}),
}

Rows = list[dict[str, Any]]


def config_tables(settings: Settings) -> dict[str, pa.Table]:
    """Every table of the schema ``config``, by name, as the settings have it."""
    general = settings.rules_for(None)
    scopes: list[tuple[str | None, tuple[Deployments, Failures]]] = [(None, general)]
    scopes += [(override.name, settings.rules_for(override.name)) for override in settings.repositories]

    rows: dict[str, Rows] = {name: [] for name in SCHEMAS}
    rows["settings"] = [
        {"name": "timezone", "value": settings.timezone},
        {"name": "start_date", "value": settings.start_date.isoformat() if settings.start_date else None},
        {"name": "pseudonyms", "value": str(settings.people.pseudonyms).lower()},
        {"name": "stale_after_hours", "value": str(_hours_until_stale(settings))},
    ]
    rows["repositories"] = [{"name": name} for name in settings.repository_entries]
    for repository, (deployments, failures) in scopes:
        rows["repository_settings"].append(
            {
                "repository": repository,
                "deployment_source": deployments.source,
                "count_redeploys": deployments.count_redeploys,
                "incident_window_hours": failures.incident_window_hours,
                "revert_window_hours": failures.revert_window_hours,
                "hotfix_window_hours": failures.hotfix_window_hours,
            }
        )
        rows["deployment_rules"] += [
            {"repository": repository, "service": None, **rule} for rule in _deployment_rules(deployments)
        ]
        rows["failure_rules"] += [{"repository": repository, **rule} for rule in _failure_rules(failures)]
    for service in settings.services:
        rows["services"].append({"service": service.name, "repository": service.repository})
        prefix = f"services.{service.name}"
        rows["deployment_rules"] += [
            {"repository": service.repository, "service": service.name, **rule}
            for rule in [
                *_patterns("workflow", f"{prefix}.workflow_patterns", service.workflow_patterns, contains=True),
                *_patterns("job", f"{prefix}.job_patterns", service.job_patterns, contains=True),
                *_patterns("service_environment", f"{prefix}.environments", service.environments),
                *_patterns("tag", f"{prefix}.tags", service.tags),
                *_patterns("path", f"{prefix}.paths", service.paths, is_path=True),
            ]
        ]
    rows["environment_words"] = [
        {"word": word, "is_production": word in environments.PRODUCTION}
        for word in sorted(environments.PRODUCTION | environments.OTHER)
    ]
    rows["bots"] = [{"login": login, "rule": f"people.bots: {login}"} for login in settings.people.bots]
    rows["people_aliases"] = [
        {"login": alias.login, "also": also} for alias in settings.people.aliases for also in alias.also
    ]
    for team in settings.teams:
        rows["teams"].append({"team": team.name})
        rows["team_members"] += [
            {"team": team.name, "login": member.login, "valid_from": member.from_, "valid_until": member.until}
            for member in team.members
        ]
        rows["team_repositories"] += [{"team": team.name, "repository": name} for name in team.repositories]
        rows["team_services"] += [{"team": team.name, "service": name} for name in team.services]
        rows["team_linear_teams"] += [{"team": team.name, "team_key": key} for key in team.linear_teams]
    return {name: pa.Table.from_pylist(rows[name], schema=schema) for name, schema in SCHEMAS.items()}


def _hours_until_stale(settings: Settings) -> float:
    """How long before the newest read another one may be until it is stale: so many turns of the schedule."""
    return settings.stale_after * longest_gap(settings.incremental_cron).total_seconds() / 3600


def _patterns(
    kind: str, setting: str, patterns: Iterable[str], *, contains: bool = False, is_path: bool = False
) -> Rows:
    return [
        {
            "kind": kind,
            "pattern": pattern,
            "pattern_regex": contains_regex(pattern) if contains else glob_regex(pattern, is_path=is_path),
            "rule": f"{setting}: {pattern}",
        }
        for pattern in patterns
    ]


def _deployment_rules(rules: Deployments) -> Rows:
    return [
        *_patterns("workflow", "deployments.workflow_patterns", rules.workflow_patterns, contains=True),
        *_patterns("exclude", "deployments.exclude_patterns", rules.exclude_patterns, contains=True),
        *_patterns("job", "deployments.job_patterns", rules.job_patterns, contains=True),
        *_patterns("branch", "deployments.branches", rules.branches),
        *_patterns("deployment_tag", "deployments.tag_patterns", rules.tag_patterns),
        *_patterns("environment", "deployments.production_environments", rules.production_environments),
    ]


def _failure_rules(rules: Failures) -> Rows:
    return [
        *_patterns("evidence", "failures.evidence", rules.evidence),
        *_patterns("hotfix_label", "failures.hotfix_labels", rules.hotfix_labels),
        *_patterns("hotfix_branch", "failures.hotfix_branches", rules.hotfix_branches),
        *_patterns("incident_label", "failures.incident_labels", rules.incident_labels),
    ]
