"""What the commit graph says of each successful production deployment (`transform.commit_graph` decides it)."""

import pyarrow as pa

from veelocity_pipeline.transform.commit_graph import CommitGraph, Finished, trace

SCHEMA = pa.schema(
    {
        "deployment_id": pa.string(),
        "is_sha_known": pa.bool_(),
        "rolls_back_deployment_id": pa.string(),
        "shipped_shas": pa.list_(pa.string()),
        "moved_shas": pa.list_(pa.string()),
    }
)


def model(dbt, session):
    dbt.config(materialized="table")
    told_by_paths = {
        service for (service,) in dbt.ref("int_services").filter("is_told_by_paths").project("service").fetchall()
    }
    deployments = (
        dbt.ref("int_deployments_chosen")
        .filter("is_production and status = 'success' and finished_at is not null")
        .project(
            "repository_id, deployment_id, service, environment, sha, started_at, finished_at, workflow, "
            "is_rollback_by_name"
        )
        .to_arrow_table()
        .to_pylist()
    )
    by_repository = {}
    for row in deployments:
        by_repository.setdefault(row["repository_id"], []).append(
            Finished(
                deployment_id=row["deployment_id"],
                lane=(row["service"], row["environment"]),
                sha=row["sha"],
                started_at=row["started_at"],
                finished_at=row["finished_at"],
                workflow=row["workflow"],
                takes_back_any=row["is_rollback_by_name"],
                is_told_by_changes=row["service"] in told_by_paths,
            )
        )

    parents = {repository: {} for repository in by_repository}
    for relation in (
        dbt.ref("int_commits"),
        dbt.ref("int_pull_request_commits"),
        dbt.ref("int_deployed_commits"),
    ):
        commits = relation.project("repository_id, sha, parent_shas").to_arrow_table()
        columns = (commits.column(column).to_pylist() for column in commits.column_names)
        for repository, sha, parent_shas in zip(*columns, strict=True):
            if repository in parents and not parents[repository].get(sha):
                parents[repository][sha] = (parent_shas or "").split()

    rows = [
        {
            "deployment_id": found.deployment_id,
            "is_sha_known": found.is_sha_known,
            "rolls_back_deployment_id": found.rolls_back,
            "shipped_shas": found.shipped,
            "moved_shas": found.moved,
        }
        for repository, finished in by_repository.items()
        for found in trace(CommitGraph(parents[repository]), finished)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)
