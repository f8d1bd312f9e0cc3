"""Failed deployments with their evidence, and what other deployments fixed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import duckdb

from veelocity_pipeline.published.formatting import http_url
from veelocity_pipeline.published.records import name_of, records, rounded
from veelocity_pipeline.published.rows import first_day_of_rows

#: A scope lists its newest failed deployments, so many at least.
FAILURES_KEPT = 50

_FAILURES = """
    with ranked as (
        select
            entity_id as deployment_id,
            position,
            measured_on,
            row_number() over (partition by position order by measured_at desc, entity_id) as place
        from marts.metric_measurements
        inner join report_scopes using (scope_type, scope)
        where metric = 'change_fail_rate' and value > 0
    ),
    shown as (
        select deployment_id, list(position order by position) as scopes
        from ranked
        where place <= $kept or measured_on >= $since
        group by deployment_id
    ),
    evidence as (
        select
            fct_deployment_failures.deployment_id,
            list({
                'evidence': fct_deployment_failures.evidence,
                'title': coalesce(fct_pull_requests.title, fct_issues.title),
                'shipped': fct_deployments.sha,
                'id': fct_deployment_failures.evidence_id,
                'url': coalesce(
                    fct_deployment_failures.evidence_url, fct_pull_requests.url, fct_issues.url, fct_deployments.url
                )
            } order by occurred_at, fct_deployment_failures.evidence, evidence_id) as evidence
        from marts.fct_deployment_failures
        left join marts.fct_pull_requests on fct_deployment_failures.evidence_id = fct_pull_requests.pull_request_id
        left join marts.fct_issues on fct_deployment_failures.evidence_id = fct_issues.issue_id
        left join marts.fct_deployments on fct_deployment_failures.evidence_id = fct_deployments.deployment_id
        where fct_deployment_failures.counts
        group by fct_deployment_failures.deployment_id
    )
    select
        entities.number,
        shown.scopes,
        deployments.deployment_id,
        deployments.repository_id,
        deployments.service,
        deployments.sha,
        deployments.ref,
        deployments.url,
        deployments.finished_at,
        deployments.recovery_hours,
        evidence.evidence
    from shown
    inner join marts.fct_deployments as deployments using (deployment_id)
    left join evidence using (deployment_id)
    left join report_entities as entities on shown.deployment_id = entities.entity_id
    order by deployments.finished_at desc, deployments.deployment_id
"""


def read_failures(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> dict[str, list[Any]]:
    """The newest failed deployments of every scope, each once, with the positions of the scopes that list it.

    All of those whose rows are on the page are among them; `entity` is their number there, else None.
    """
    columns: dict[str, list[Any]] = {
        name: []
        for name in ("entity", "deployment", "where", "url", "finished_at", "recovery_hours", "scopes", "evidence")
    }
    values = {"kept": FAILURES_KEPT, "since": first_day_of_rows(as_of)}
    for row in records(connection, _FAILURES, values):
        columns["entity"].append(row["number"])
        columns["deployment"].append((row["sha"] or "")[:7] or row["ref"] or name_of(row["deployment_id"]))
        columns["where"].append(name_of(row["service"] or row["repository_id"]))
        columns["url"].append(http_url(row["url"]))
        columns["finished_at"].append(row["finished_at"].isoformat(timespec="seconds") if row["finished_at"] else "")
        columns["recovery_hours"].append(rounded(row["recovery_hours"]))
        columns["scopes"].append(row["scopes"])
        columns["evidence"].append([_evidence(each) for each in row["evidence"] or ()])
    return columns


#: What each rework deployment fixed, as `veelocity explain rework_rate` tells it.
_REPAIRS = """
    with repairs as (
        select
            failures.fix_deployment_id as deployment_id,
            failures.evidence,
            case when failures.evidence <> 'rollback' then failures.evidence_id end as evidence_id,
            if(failures.evidence = 'rollback', failed.url, failures.evidence_url) as url,
            case when failures.evidence = 'rollback' then 'from ' || left(failed.sha, 7) end as title
        from marts.fct_deployment_failures as failures
        inner join marts.fct_deployments as failed using (deployment_id)
        where failures.evidence <> 'deployment_status'
        union
        select fix_deployment_id, 'incident', incident_id, url, null
        from marts.fct_incidents
    )
    select
        entities.number,
        list({
            'evidence': evidence,
            'title': coalesce(repairs.title, fct_pull_requests.title, fct_issues.title),
            'shipped': null,
            'id': evidence_id,
            'url': coalesce(repairs.url, fct_pull_requests.url, fct_issues.url)
        } order by evidence, evidence_id, repairs.title) as evidence
    from repairs
    inner join report_entities as entities on repairs.deployment_id = entities.entity_id
    left join marts.fct_pull_requests on repairs.evidence_id = fct_pull_requests.pull_request_id
    left join marts.fct_issues on repairs.evidence_id = fct_issues.issue_id
    group by entities.number
    order by entities.number
"""


def read_repairs(connection: duckdb.DuckDBPyConnection) -> dict[str, list[Any]]:
    """What the deployments whose rows are on the page fixed; `entity` is their number there."""
    rows = records(connection, _REPAIRS)
    return {
        "entity": [row["number"] for row in rows],
        "evidence": [[_evidence(each) for each in row["evidence"]] for row in rows],
    }


def _evidence(evidence: dict[str, Any]) -> list[str | None]:
    """Its kind, its text and its address."""
    return [evidence["evidence"], _evidence_text(evidence), http_url(evidence["url"])]


def _evidence_text(evidence: dict[str, Any]) -> str:
    """`acme/web#41 Undo the change`, `OPS-3 Checkout is down`, `acme/web@1a2b3c4`, and `to 1a2b3c4` for a rollback."""
    if evidence["shipped"]:
        return f"to {evidence['shipped'][:7]}"
    identity, at, sha = name_of(evidence["id"] or "").partition("@")
    return " ".join(part for part in (identity + at + sha[:7], evidence["title"]) if part) or "without a name"
