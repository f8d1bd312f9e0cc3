"""Which deployment took back a change that was live; veelocity_pipeline.transform.reverts decides it."""

import pyarrow as pa

from veelocity_pipeline.transform.reverts import Shipped, taken_back

SCHEMA = pa.schema(
    {
        "service": pa.string(),
        "change_id": pa.string(),
        "failed_deployment_id": pa.string(),
        "deployment_id": pa.string(),
        "revert_id": pa.string(),
    }
)


def model(dbt, session):
    dbt.config(materialized="table")
    reverts = dbt.ref("int_reverts").project("change_id, reverted_change_id").fetchall()
    concerned = {change for pair in reverts for change in pair}
    shipped = (
        dbt.ref("int_shipped_changes")
        .filter("is_first_of_service and not is_carrier")
        .project("service, change_id, deployment_id, deployed_at")
        .fetchall()
    )
    by_service = {}
    for service, change, deployment, deployed_at in shipped:
        if change in concerned:
            by_service.setdefault(service, []).append(Shipped(deployed_at, deployment, change))
    rows = [
        {
            "service": service,
            "change_id": found.change_id,
            "failed_deployment_id": found.failed_deployment_id,
            "deployment_id": found.deployment_id,
            "revert_id": found.revert_id,
        }
        for service, changes in by_service.items()
        for found in taken_back(reverts, changes)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)
