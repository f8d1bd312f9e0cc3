"""The settings as rows that SQL joins."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.config.rules import SCHEMAS, config_tables


def test_every_table_is_there_without_any_setting() -> None:
    tables = config_tables(load_settings())
    assert {name: table.schema for name, table in tables.items()} == SCHEMAS


def test_a_repository_with_its_own_rules_has_its_whole_set(config: Callable[[str], None]) -> None:
    config(
        """
        [deployments]
        workflow_patterns = ["ship"]
        exclude_patterns = ["docs"]
        production_environments = ["production"]
        [[repositories]]
        name = "acme/shop"
        deployments.workflow_patterns = ["go-live"]
        """
    )
    rows = config_tables(load_settings())["deployment_rules"].to_pylist()
    found = {(row["repository"], row["kind"], row["pattern"]) for row in rows}
    assert found == {
        (None, "workflow", "ship"),
        (None, "exclude", "docs"),
        (None, "deployment_tag", "v*"),
        (None, "environment", "production"),
        ("acme/shop", "workflow", "go-live"),
        ("acme/shop", "exclude", "docs"),
        ("acme/shop", "deployment_tag", "v*"),
        ("acme/shop", "environment", "production"),
    }


def test_services_teams_and_aliases_become_rows(config: Callable[[str], None]) -> None:
    config(
        """
        [[people.aliases]]
        login = "ada"
        also = ["ada-old", "ada@example.com"]
        [[services]]
        name = "checkout"
        repository = "acme/mono"
        paths = ["services/checkout/**"]
        tags = ["checkout@*"]
        [[teams]]
        name = "Platform"
        members = ["ada", {login = "grace", from = 2026-01-01, until = 2026-06-30}]
        services = ["checkout"]
        linear_teams = ["ENG"]
        """
    )
    tables = {name: table.to_pylist() for name, table in config_tables(load_settings()).items()}
    assert tables["people_aliases"] == [
        {"login": "ada", "also": "ada-old"},
        {"login": "ada", "also": "ada@example.com"},
    ]
    assert tables["services"] == [{"service": "checkout", "repository": "acme/mono"}]
    assert [
        (row["kind"], row["pattern_regex"], row["rule"])
        for row in tables["deployment_rules"]
        if row["service"] == "checkout"
    ] == [
        ("tag", "^checkout@.*$", "services.checkout.tags: checkout@*"),
        ("path", "^services/checkout/.*$", "services.checkout.paths: services/checkout/**"),
    ]
    assert tables["team_members"] == [
        {"team": "Platform", "login": "ada", "valid_from": None, "valid_until": None},
        {"team": "Platform", "login": "grace", "valid_from": date(2026, 1, 1), "valid_until": date(2026, 6, 30)},
    ]
    assert tables["team_services"] == [{"team": "Platform", "service": "checkout"}]
    assert tables["team_linear_teams"] == [{"team": "Platform", "team_key": "ENG"}]
