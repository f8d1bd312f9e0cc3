"""What a launch from the UI may configure: which repositories are read, from when on, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
from dagster._config import ConfigType, ConfigTypeKind

from veelocity_pipeline.defs.assets.ingest import ingest_assets
from veelocity_pipeline.defs.assets.publish import export_asset
from veelocity_pipeline.defs.ended import failed_steps
from veelocity_pipeline.defs.resources import Warehouse
from veelocity_pipeline.operations.jobs import FULL, INCREMENTAL, REBUILD
from veelocity_pipeline.sources import SOURCES

JOBS = (INCREMENTAL, FULL, REBUILD, "__ASSET_JOB")
"""The last is what the UI launches for a selection of assets."""

OPEN = {
    "loggers.console.config.log_level": "LogLevel",
    **{f"ops.ingest_{source}.config.full": "Bool" for source in SOURCES},
    **{f"ops.ingest_{source}.config.repositories.[]": "String" for source in SOURCES},
    **{f"ops.ingest_{source}.config.since": "String" for source in SOURCES},
}
"""Every value that a launch may set, with its type. What is added here must be checked before anything uses it."""


def job_of(defs: dg.Definitions, name: str) -> dg.JobDefinition:
    return defs.resolve_implicit_global_asset_job_def() if name == JOBS[-1] else defs.resolve_job_def(name)


def values(kind: ConfigType, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Every place of a configuration that takes a value, or keys of any name, and what it takes."""
    match kind.kind:
        case ConfigTypeKind.STRICT_SHAPE | ConfigTypeKind.SELECTOR | ConfigTypeKind.PERMISSIVE_SHAPE:
            if kind.kind == ConfigTypeKind.PERMISSIVE_SHAPE:
                yield ".".join(path), "any keys"
            for name, field in kind.fields.items():  # type: ignore[attr-defined]
                yield from values(field.config_type, (*path, name))
        case ConfigTypeKind.ARRAY:
            yield from values(kind.inner_type, (*path, "[]"))  # type: ignore[attr-defined]
        case ConfigTypeKind.NONEABLE:
            yield from values(kind.inner_type, path)  # type: ignore[attr-defined]
        case ConfigTypeKind.SCALAR_UNION:
            yield from values(kind.scalar_type, path)  # type: ignore[attr-defined]
            yield from values(kind.non_scalar_type, path)  # type: ignore[attr-defined]
        case _:
            yield ".".join(path), str(kind.key)


@pytest.mark.parametrize("name", JOBS)
def test_a_launch_can_set_nothing_but_what_is_read(defs: dg.Definitions, name: str) -> None:
    found = dict(values(job_of(defs, name).run_config_schema.config_type))
    if name == JOBS[-1]:
        # what is no part of a selection may be named, and is then nobody's
        assert [found.pop("resources"), found.pop("ops")] == ["any keys"] * 2
    expected = {path: kind for path, kind in OPEN.items() if name != REBUILD or not path.startswith("ops.")}
    assert found == expected


def test_the_export_takes_no_folder_from_a_launch() -> None:
    defs = dg.Definitions(
        assets=[export_asset("csv")],
        jobs=[dg.define_asset_job("export")],
        resources={"warehouse": Warehouse()},
    )
    found = values(defs.resolve_job_def("export").run_config_schema.config_type)
    assert [path for path, _ in found if path.startswith(("ops.", "resources.warehouse"))] == []


@pytest.mark.parametrize("name", JOBS)
@pytest.mark.parametrize(
    "config",
    [
        {"resources": {"warehouse": {"config": {"settings": {}}}}},
        {"resources": {"io_manager": {"config": {"base_dir": "/tmp"}}}},
        {"execution": {"config": {"marker_to_close": "x"}}},
        {"execution": {"config": {"multiprocess": {}}}},
        {"loggers": {"console": {"config": {"name": "root"}}}},
        {"ops": {"published__report": {"config": {"path": "/tmp"}}}},
        {"ops": {"operations__sync_status": {"config": "anything"}}},
    ],
)
def test_a_launch_that_says_more_is_refused(defs: dg.Definitions, name: str, config: dict[str, Any]) -> None:
    with pytest.raises(dg.DagsterInvalidConfigError):
        dg.validate_run_config(job_of(defs, name), config)


def test_no_launch_names_the_executable_of_dbt(defs: dg.Definitions) -> None:
    for name in JOBS:
        assert "dbt" not in job_of(defs, name).resource_defs
    for name in JOBS[:-1]:
        config = {"resources": {"dbt": {"config": {"dbt_executable": "/tmp/planted"}}}}
        with pytest.raises(dg.DagsterInvalidConfigError, match="dbt"):
            dg.validate_run_config(job_of(defs, name), config)


@pytest.mark.parametrize("field", ["full", "since", "repositories"])
def test_a_launch_reads_no_variable_of_the_environment(
    defs: dg.Definitions, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster's own types of text and numbers do, and an error would then show a token in the UI."""
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_s3cret")
    value: Any = {"env": "GITHUB_TOKEN"}
    config = {"ops": {"ingest_github": {"config": {field: [value] if field == "repositories" else value}}}}
    with pytest.raises(dg.DagsterInvalidConfigError) as refused:
        dg.validate_run_config(job_of(defs, INCREMENTAL), config)
    assert "ghp_s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (
            {"repositories": ["globex/secret"]},
            "repositories: 'globex/secret' is not in GITHUB_REPOSITORIES; add it there",
        ),
        ({"full": True, "since": "tomorrow"}, "since: 'tomorrow' is not a day; write it as 2026-01-31"),
    ],
)
def test_a_run_that_may_not_read_what_it_names_ends_before_it_begins(
    config: dict[str, Any], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "t")
    monkeypatch.setenv("GITHUB_REPOSITORIES", "acme/web")
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    result = dg.materialize(
        [ingest_assets(SOURCES["github"])],
        resources={"warehouse": Warehouse()},
        run_config={"ops": {"ingest_github": {"config": config}}},
        raise_on_error=False,
    )
    assert not result.success
    assert failed_steps(result.all_events)["start"].startswith(sentence)
