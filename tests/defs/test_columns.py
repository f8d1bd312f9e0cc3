"""What each column is made from, as Dagster shows it: from the raw tables to the marts."""

from __future__ import annotations

import dagster as dg
import pytest

from veelocity_pipeline.sources import SOURCES

Column = tuple[str, str]
"""An asset's key and a column."""


@pytest.fixture(scope="module")
def lineage(defs: dg.Definitions) -> dict[Column, set[Column]]:
    """All columns of tables that are loaded or built, each with its parents."""
    graph = defs.resolve_asset_graph()
    found: dict[Column, set[Column]] = {}
    for key in graph.get_all_asset_keys():
        metadata, asset = graph.get(key).metadata, "/".join(key.path)
        schema = metadata.get("dagster/column_schema")
        found |= {(asset, column.name): set() for column in (schema.columns if schema else ())}
        for name, parents in getattr(metadata.get("dagster/column_lineage"), "deps_by_column", {}).items():
            found[asset, name] = {("/".join(parent.asset_key.path), parent.column_name) for parent in parents}
    return found


@pytest.mark.parametrize(
    ("column", "parents"),
    [
        (
            "intermediate/int_pull_requests_unioned.state",  # through two models that are no tables
            "github/pull_requests.merged_at github/pull_requests.closed_at github/pull_requests.state",
        ),
        (
            "intermediate/int_issue_labels_unioned.label",  # of two vendors
            "github/issue_labels.name linear/issue_labels.name",
        ),
        ("intermediate/int_pull_requests.state", "intermediate/int_pull_requests_unioned.state"),
        (
            "intermediate/int_deployments_traced.is_sha_known",  # of the model in Python
            " ".join(
                f"intermediate/{table}.{column}"
                for table in (
                    "int_deployments_chosen",
                    "int_commits",
                    "int_pull_request_commits",
                    "int_deployed_commits",
                )
                for column in ("repository_id", "sha")
            ),
        ),
        (
            "marts/fct_reviews.reviewer",
            """intermediate/int_reviews.reviewer intermediate/int_reviews.is_bot
            intermediate/int_settings.has_pseudonyms""",
        ),
        (
            "marts/dora_metrics.change_fail_rate",
            # of a struct's fields, whose third counts days
            """marts/metric_measurements.metric marts/metric_measurements.value
            marts/metric_measurements.measured_on""",
        ),
        (
            "marts/dora_metrics.is_complete",
            "intermediate/int_periods.next_period_start intermediate/int_now.timezone intermediate/int_scopes.as_of",
        ),
        ("marts/sync_status.error", "intermediate/int_sync_status.error"),
    ],
)
def test_columns_worked_out_by_hand(lineage: dict[Column, set[Column]], column: str, parents: str) -> None:
    def split(name: str) -> Column:
        asset, _, said = name.rpartition(".")
        return asset, said

    assert lineage[split(column)] == {split(parent) for parent in parents.split()}


def test_a_number_is_followed_to_the_raw_tables(lineage: dict[Column, set[Column]]) -> None:
    found: set[Column] = set()
    waiting = [("marts/dora_metrics", "change_fail_rate")]
    while waiting:
        for parent in lineage[waiting.pop()] - found:
            found.add(parent)
            waiting.append(parent)
    layers = {asset.split("/")[0] for asset, _ in found}
    assert layers - SOURCES.keys() == {"marts", "intermediate", "config", "operations"}
    assert {
        ("github/deployments", "sha"),
        ("github_actions/runs", "conclusion"),
        ("linear/issues", "created_at"),
    } <= found


def test_every_parent_is_a_column_that_there_is(lineage: dict[Column, set[Column]]) -> None:
    assert {parent for parents in lineage.values() for parent in parents} - set(lineage) == set()


MADE_OF_NOTHING = {
    "dev_metrics.metric_version",
    "dim_teams.repository_count",
    "dora_metrics.metric_version",
    "dora_scorecard.metric_version",
    "dora_scorecard.window_days",
    "about.metric_version",
    "about.program_version",
    "about.schema_version",
    "fct_deployments.change_count",
    "lead_time_stages.pull_request_count",
    "lead_time_stages.stage",
    "lead_time_stages.window_days",
    "metric_coverage.eligible",
    "metric_entities.entity_type",
    "metric_measurements.scope_type",
    "metric_windows.window_days",
    "work_in_progress.pull_requests_open",
}
"""Published columns that are counts of rows, or say the same in every row or every part of a union; versions, too."""


def test_every_published_column_comes_from_somewhere(defs: dg.Definitions, lineage: dict[Column, set[Column]]) -> None:
    marts = {column: parents for column, parents in lineage.items() if column[0].startswith("marts/")}
    assert len({asset for asset, _ in marts}) == sum(
        key.path[0] == "marts" for key in defs.resolve_asset_graph().get_all_asset_keys()
    )
    # the list of metrics is written in the project itself
    assert {
        parent for (asset, _), parents in marts.items() if asset == "marts/dim_metrics" for parent in parents
    } == set()
    orphans = {
        f"{asset.removeprefix('marts/')}.{name}"
        for (asset, name), parents in marts.items()
        if not parents and asset != "marts/dim_metrics"
    }
    assert orphans == MADE_OF_NOTHING
