"""The raw tables of GitHub Actions: REST's names; ``repository_id`` is the GraphQL node id, as in ``github``.

REST's numbers are unique on one host alone, so a key holds the repository, too.
"""

from __future__ import annotations

from veelocity_pipeline.sources.kit.tables import BIGINT, TEXT, TIMESTAMP, Table, by_name

_RUN = {
    "name": TEXT,
    "path": TEXT,
    "display_title": TEXT,
    "run_number": BIGINT,
    "event": TEXT,
    "status": TEXT,
    "conclusion": TEXT,
    "head_sha": TEXT,
    "head_branch": TEXT,  # only a name: a tag, or a fork's own main, looks the same
    "head_repository_id": TEXT,
    "head_repository": TEXT,
    "actor_login": TEXT,
    "actor_type": TEXT,
    "url": TEXT,
    "created_at": TIMESTAMP,
    "run_started_at": TIMESTAMP,  # of this attempt
    "updated_at": TIMESTAMP,
    "deleted_at": TIMESTAMP,  # when a complete listing no longer had the run, though older ones were listed
}

TABLES = by_name(
    Table(
        "workflows",
        "One row per workflow.",
        {
            "id": BIGINT,
            "repository_id": TEXT,
            "name": TEXT,
            "path": TEXT,
            "state": TEXT,
            "url": TEXT,
            "created_at": TIMESTAMP,
            "updated_at": TIMESTAMP,
            "deleted_at": TIMESTAMP,
        },
        primary_key=("id", "repository_id"),
    ),
    Table(
        "runs",
        "One row per workflow run, as its latest attempt stands.",
        {"id": BIGINT, "repository_id": TEXT, "workflow_id": BIGINT, "run_attempt": BIGINT, **_RUN},
        primary_key=("id", "repository_id"),
    ),
    Table(
        "run_attempts",
        "One row per earlier attempt of a deploying run that was run again.",
        {"run_id": BIGINT, "run_attempt": BIGINT, "repository_id": TEXT, "workflow_id": BIGINT, **_RUN},
        primary_key=("run_id", "run_attempt", "repository_id"),
    ),
    Table(
        "jobs",
        "One row per job of an attempt; only of runs in which a rule looks at jobs.",
        {
            "id": BIGINT,
            "run_id": BIGINT,
            "run_attempt": BIGINT,
            "repository_id": TEXT,
            "name": TEXT,
            "status": TEXT,
            "conclusion": TEXT,
            "url": TEXT,
            "started_at": TIMESTAMP,
            "completed_at": TIMESTAMP,
            "deleted_at": TIMESTAMP,
        },
        primary_key=("id", "repository_id"),
    ),
)
