"""What the project promises as a whole: its layers, its documentation, its public columns."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from veelocity_pipeline.sources import SOURCES
from veelocity_pipeline.transform.project import MODELS

from .harness import build
from .project import Project
from .raw import raw_schemas

OWN = {"config", "operations"}
"""Sources that are the pipeline's own: its settings as rows, and what it knows of its work."""

PUBLIC_TYPES = {"varchar", "bigint", "integer", "double", "boolean", "date", "timestamp"}

_SPREAD = ("median", "p75", "p90")


def _durations(*names: str) -> str:
    return " ".join(f"{name}_sample {' '.join(f'{name}_hours_{part}' for part in _SPREAD)}" for name in names)


PUBLIC_COLUMNS = {
    "fct_pull_requests": """
        pull_request_id source_key repository_id number title url author is_bot state is_draft base_branch head_branch
        targets_default_branch merge_commit_sha additions deletions changed_files commit_count review_count
        comment_count is_revert is_hotfix created_at ready_at first_commit_at first_review_at first_response_at
        first_approval_at merged_at closed_at deployment_id deployed_at deployed_in_baseline match_method coding_hours
        time_to_first_review_hours pickup_hours review_hours merge_time_hours deploy_hours lead_time_hours
        carries_pull_requests""",
    "fct_reviews": "review_id source_key pull_request_id reviewer is_bot is_author state submitted_at",
    "fct_deployments": """
        deployment_id source_key repository_id service environment is_production source rule status sha ref url
        started_at finished_at previous_deployment_id is_baseline is_redeploy is_rollback is_failed is_rework
        recovered_at recovery_hours change_count""",
    "fct_deployed_changes": """
        deployment_id repository_id change_type pull_request_id commit_sha match_method in_baseline first_commit_at
        merged_at deployed_at lead_time_hours""",
    "fct_deployment_failures": """
        deployment_id evidence evidence_id evidence_url occurred_at resolved_at counts reason""",
    "fct_issues": """
        issue_id source_key key source title url team type state state_category priority estimate assignee is_incident
        is_archived created_at started_at completed_at canceled_at linked_pull_request_count linked_pull_request_id
        cycle_time_hours started_to_completed_hours""",
    "bridge_pull_requests_issues": "pull_request_id issue_id link_method is_closing confidence evidence",
    "fct_incidents": "incident_id source_key title url service created_at",
    "dim_repositories": "repository_id source_key name url is_archived is_removed",
    "dim_people": "person is_bot",
    "dim_teams": "team",
    "dim_dates": "date_day week_start month_start quarter_start",
    "dora_metrics": f"""
        period period_start scope_type scope deployment_count deployment_day_count redeploy_count
        failed_deployment_count change_fail_rate rework_deployment_count rework_rate metric_version is_complete
        {_durations("lead_time", "commit_lead_time", "recovery", "time_to_restore")}""",
    "dev_metrics": f"""
        period period_start scope_type scope pull_requests_opened pull_requests_merged pull_requests_merged_by_bots
        issues_completed metric_version is_complete
        {_durations("time_to_first_review", "pickup", "review", "merge_time", "cycle_time", "started_to_completed")}""",
    "dora_scorecard": """
        window_days scope_type scope throughput_score stability_score overall_score""",
    "fct_commits": "commit_id connection repository_id sha url author is_bot authored_at committed_at",
    "fct_releases": "release_id connection source_key repository_id tag sha url is_prerelease published_at",
    "dim_services": "service connection repository_id name",
    "dim_metrics": "id title unit kind direction entity table definition order",
    "metric_windows": "window_days scope_type scope metric value sample previous_value previous_sample",
    "metric_coverage": "metric eligible measured excluded",
    "metric_exclusions": "metric entity_id code reason",
    "about": "program_version metric_version schema_version built_at",
    "sync_status": "source table_name repository rows watermark error",
}
"""The least columns of each published table, as the interface fixes them."""


def _models(project: Project, *folders: str) -> Iterator[Any]:
    for node in project.manifest["nodes"].values():
        if node["resource_type"] == "model" and (not folders or node["fqn"][1] in folders):
            yield node


def _layer(node: Any) -> str:
    return str(node["fqn"][2] if node["fqn"][2] == "unioned" else node["fqn"][1])


def test_marts_are_what_the_interface_names(project: Project) -> None:
    assert {node["name"] for node in _models(project, "marts")} >= set(PUBLIC_COLUMNS)


@pytest.mark.parametrize("name", sorted(PUBLIC_COLUMNS))
def test_public_columns_are_there(project: Project, name: str) -> None:
    node = next(node for node in _models(project, "marts") if node["name"] == name)
    assert set(PUBLIC_COLUMNS[name].split()) - set(node["columns"]) == set()


def test_marts_have_enforced_contracts_of_public_types_and_every_column_described(project: Project) -> None:
    for node in _models(project, "marts"):
        assert node["config"]["contract"]["enforced"], node["name"]
        assert node["columns"], node["name"]
        for column in node["columns"].values():
            assert str(column["data_type"]).lower() in PUBLIC_TYPES, f"{node['name']}.{column['name']}"
            assert column["description"], f"{node['name']}.{column['name']} is not described"


def test_the_published_file_names_the_version_of_the_program() -> None:
    released = tomllib.loads((MODELS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    said = (MODELS / "macros" / "versions.sql").read_text(encoding="utf-8")
    assert re.findall(r"macro program_version\(\) -%}\s+'(.+)'", said) == [released]


def test_layers_read_only_the_layer_below(project: Project) -> None:
    nodes = project.manifest["nodes"]
    allowed = {
        "staging": {"source"},
        "conformed": {"staging"},
        "unioned": {"conformed"},
        "intermediate": {"unioned", "intermediate", "config", "seed"},
        "marts": {"intermediate", "marts", "config", "seed"},
    }
    for node in _models(project):
        for parent in node["depends_on"]["nodes"]:
            if parent in nodes:
                kind = _layer(nodes[parent]) if nodes[parent]["resource_type"] == "model" else "seed"
            else:
                kind = "config" if project.manifest["sources"][parent]["source_name"] in OWN else "source"
            assert kind in allowed[_layer(node)], f"{node['name']} reads {parent}"
        if _layer(node) == "conformed":
            vendors = {nodes[parent]["fqn"][2] for parent in node["depends_on"]["nodes"]}
            assert vendors == {node["fqn"][2]}, f"{node['name']} reads another vendor's rows"


def test_a_union_is_one_macro_over_what_every_vendor_conforms(project: Project) -> None:
    conformed = Counter(node["name"].partition("__")[2] for node in _models(project, "conformed"))
    unioned = {node["name"]: node for node in _models(project) if _layer(node) == "unioned"}
    assert set(unioned) == {f"int_{noun}_unioned" for noun in conformed}
    assert set(unioned) == {node["name"] for node in _models(project) if node["name"].endswith("_unioned")}
    for noun, vendors in conformed.items():
        node = unioned[f"int_{noun}_unioned"]
        assert node["raw_code"].strip() == f"{{{{ union_conformed('{noun}') }}}}", node["name"]
        assert len(node["depends_on"]["nodes"]) == vendors, f"{noun}: is each vendor's listed in dbt_project.yml?"


def test_all_vendors_say_the_same_thing_in_the_same_type(project: Project) -> None:
    with build(project, {}) as connection:
        for noun in sorted({node["name"].partition("__")[2] for node in _models(project, "conformed")}):
            kinds: dict[str, set[str]] = {}
            for node in _models(project, "conformed"):
                if node["name"].partition("__")[2] == noun:
                    for column, kind, *_ in connection.execute(f"describe {node['compiled_code']}").fetchall():
                        kinds.setdefault(column, set()).add(kind)
            assert {"connection", "source"} <= set(kinds), noun
            assert [column for column, found in kinds.items() if len(found) > 1] == [], noun


def test_only_its_own_models_name_a_vendor(project: Project) -> None:
    vendors = {node["fqn"][2] for node in _models(project, "staging")}
    assert vendors >= {"github", "linear"}
    names = re.compile(rf"\b({'|'.join(vendors)})\b", re.IGNORECASE)
    for node in _models(project, "intermediate", "marts"):
        assert not names.search(re.sub(r"--[^\n]*", "", node["raw_code"])), node["name"]


def test_staging_joins_nothing(project: Project) -> None:
    for node in _models(project, "staging"):
        assert not re.search(r"\b(join|group by|union)\b", node["raw_code"], re.IGNORECASE), node["name"]


def test_every_model_says_its_grain_and_proves_it(project: Project) -> None:
    proven = {
        parent
        for node in project.manifest["nodes"].values()
        if node["resource_type"] == "test" and {"unique", "one_row"} & set(node["test_metadata"]["kwargs"])
        for parent in [node["attached_node"] or node["depends_on"]["nodes"][0]]
    }
    for node in _models(project):
        assert re.match(r"One row(:| per | for )", node["description"]), f"{node['name']}: {node['description']!r}"
        # what is not stored keeps the rows of the raw tables that it reads, so that their keys are proven there
        is_stored = node["config"]["materialized"] == "table"
        for grain in [node["unique_id"]] if is_stored else _sources(project, node):
            assert grain in proven, f"{node['name']} has no test of its grain"


def _sources(project: Project, node: Any) -> Iterator[str]:
    for parent in node["depends_on"]["nodes"]:
        if parent in project.manifest["sources"]:
            yield parent
        else:
            yield from _sources(project, project.manifest["nodes"][parent])


def test_every_raw_table_is_declared_and_read(project: Project) -> None:
    sources = project.manifest["sources"].values()
    declared = {f"{source['schema']}.{source['name']}": source["unique_id"] for source in sources}
    assert set(declared) == set(raw_schemas())
    read = {parent for node in _models(project) for parent in node["depends_on"]["nodes"]}
    unread = {name for name, unique_id in declared.items() if unique_id not in read}
    assert unread == set()


def test_raw_tables_are_described_as_their_sources_describe_them(project: Project) -> None:
    for source in project.manifest["sources"].values():
        if source["source_name"] in SOURCES:
            assert source["description"] == SOURCES[source["source_name"]].tables[source["name"]].description


def test_every_metric_has_a_title_a_place_and_a_doc_block_of_its_own(project: Project) -> None:
    listed = project.node("dim_metrics").code
    with duckdb.connect() as connection:
        metrics, titles, places = map(
            set, zip(*connection.sql(listed).project('id, title, "order"').fetchall(), strict=True)
        )
    assert len(metrics) == len(titles) == len(places)
    blocks = {path.stem for path in (MODELS / "docs").glob("*.md")}
    assert len(metrics) > 20
    assert metrics <= blocks


def test_every_model_has_a_yml_of_its_own(project: Project) -> None:
    for node in _models(project):
        path = node["original_file_path"]
        assert node["patch_path"] == f"{node['package_name']}://{path.rpartition('.')[0]}.yml", path
    for unit_test in project.manifest["unit_tests"].values():
        assert unit_test["original_file_path"].endswith(f"/{unit_test['model']}.yml"), unit_test["name"]
