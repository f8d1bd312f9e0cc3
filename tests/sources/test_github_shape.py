"""GitHub: rows from hand-written nodes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from veelocity_pipeline.sources.github import ENTRY, shape

ADA = {"__typename": "User", "login": "ada", "avatarUrl": "https://a/1", "id": "U_1", "name": "Ada L"}
WHOLE = {"hasNextPage": False, "endCursor": None}

PULL_REQUEST: dict[str, Any] = {
    "id": "PR_1",
    "fullDatabaseId": "5000000001",
    "number": 41,
    "title": "Fix `UTF-8` names — naïve 🚀",
    "body": "Closes #7",
    "url": "https://github.test/acme/web/pull/41",
    "state": "MERGED",
    "isDraft": False,
    "author": None,
    "baseRefName": "main",
    "headRefName": "fix/names",
    "headRefOid": "c2",
    "headRepository": None,
    "isCrossRepository": True,
    "mergeCommit": {"oid": "m1"},
    "additions": 10,
    "deletions": 2,
    "changedFiles": 3,
    "commitCount": {"totalCount": 2},
    "createdAt": "2026-03-01T09:00:00Z",
    "updatedAt": "2026-03-02T10:00:00Z",
    "mergedAt": "2026-03-02T10:00:00Z",
    "closedAt": "2026-03-02T10:00:00Z",
    "labels": {"pageInfo": WHOLE, "nodes": [{"name": "bug"}, {"name": "bug"}, None]},
    "closingIssuesReferences": {
        "pageInfo": WHOLE,
        "nodes": [{"id": "I_7", "number": 7, "repository": {"id": "R_1", "nameWithOwner": "acme/web"}}],
    },
    "timelineItems": {
        "pageInfo": WHOLE,
        "nodes": [
            {"__typename": "ReadyForReviewEvent", "id": "E_1", "createdAt": "2026-03-01T11:00:00Z", "actor": None},
            {},
        ],
    },
    "reviews": {
        "pageInfo": WHOLE,
        "nodes": [
            {
                "id": "RV_1",
                "state": "PENDING",
                "url": "u",
                "submittedAt": None,
                "author": ADA,
                "comments": {
                    "pageInfo": WHOLE,
                    "nodes": [
                        {
                            "id": "RC_1",
                            "body": "why?",
                            "createdAt": "2026-03-01T12:00:00+02:00",
                            "updatedAt": "2026-03-01T12:00:00+02:00",
                            "author": {"__typename": "Bot", "login": "copilot", "avatarUrl": "", "id": "B_1"},
                        }
                    ],
                },
            }
        ],
    },
    "comments": {"pageInfo": WHOLE, "nodes": []},
    "commits": {
        "pageInfo": WHOLE,
        "nodes": [
            {
                "commit": {
                    "id": "C_1",
                    "oid": "c1",
                    "message": "One",
                    "authoredDate": "2026-02-28T09:00:00Z",
                    "committedDate": "2026-02-28T10:00:00Z",
                    "author": {"name": "Ada", "email": "ada@x", "user": {"__typename": "User", "login": "ada"}},
                    "parents": {"pageInfo": WHOLE, "nodes": [{"oid": "b0"}]},
                }
            },
            {
                "commit": {
                    "id": "C_2",
                    "oid": "c2",
                    "message": "Merge main",
                    "authoredDate": "2026-03-01T09:00:00Z",
                    "committedDate": "2026-03-01T09:00:00Z",
                    "author": None,
                    "parents": {"pageInfo": WHOLE, "nodes": [{"oid": "c1"}, {"oid": "b1"}]},
                }
            },
        ],
    },
}


def test_a_pull_request_of_a_deleted_account_from_a_deleted_fork() -> None:
    row = shape.pull_request_row(PULL_REQUEST, "R_1")
    assert row == {
        "id": "PR_1",
        "database_id": 5_000_000_001,
        "repository_id": "R_1",
        "number": 41,
        "title": "Fix `UTF-8` names — naïve 🚀",
        "body": "Closes #7",
        "url": "https://github.test/acme/web/pull/41",
        "state": "MERGED",
        "is_draft": False,
        "author_id": None,
        "author_login": None,
        "author_type": None,
        "author_name": None,
        "author_avatar_url": None,
        "base_ref_name": "main",
        "head_ref_name": "fix/names",
        "head_sha": "c2",
        "head_repository_id": None,
        "is_cross_repository": True,
        "merge_commit_sha": "m1",
        "additions": 10,
        "deletions": 2,
        "changed_files": 3,
        "commit_count": 2,
        "created_at": datetime(2026, 3, 1, 9, tzinfo=UTC),
        "updated_at": datetime(2026, 3, 2, 10, tzinfo=UTC),
        "merged_at": datetime(2026, 3, 2, 10, tzinfo=UTC),
        "closed_at": datetime(2026, 3, 2, 10, tzinfo=UTC),
        "deleted_at": None,
    }


def test_the_children_of_a_pull_request() -> None:
    sets = shape.pull_request_sets(PULL_REQUEST, "R_1")
    ids = {"pull_request_id": "PR_1", "repository_id": "R_1"}
    assert sets["pull_request_labels"] == [{**ids, "name": "bug"}]
    assert sets["pull_request_closing_references"] == [
        {
            **ids,
            "issue_id": "I_7",
            "issue_number": 7,
            "issue_repository_id": "R_1",
            "issue_repository": "acme/web",
        }
    ]
    assert sets["pull_request_draft_events"] == [
        {
            **ids,
            "id": "E_1",
            "event": "ready_for_review",
            "actor_login": None,
            "occurred_at": datetime(2026, 3, 1, 11, tzinfo=UTC),
        }
    ]
    (review,) = sets["pull_request_reviews"]
    assert (review["state"], review["submitted_at"], review["author_name"]) == ("PENDING", None, "Ada L")
    (comment,) = sets["pull_request_review_comments"]
    assert (comment["review_id"], comment["author_type"], comment["author_name"]) == ("RV_1", "Bot", None)
    assert comment["created_at"] == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert sets["pull_request_comments"] == []
    columns = ("position", "sha", "parent_shas", "author_login")
    assert [tuple(row[column] for column in columns) for row in sets["pull_request_commits"]] == [
        (0, "c1", "b0", "ada"),
        (1, "c2", "c1 b1", None),
    ]
    assert "pull_request_files" not in sets


def test_every_row_fits_its_table() -> None:
    for table, rows in shape.pull_request_sets(PULL_REQUEST, "R_1").items():
        ENTRY.tables[table].arrow(rows)
        for row in rows:
            assert set(row) == set(ENTRY.tables[table].columns)
    node = {"id": "x", "oid": "s", "nameWithOwner": "a/b", "number": 1}
    for table, row in {
        "repositories": shape.repository_row(node, "a/*"),
        "pull_requests": shape.pull_request_row(node, "R"),
        "commits": shape.commit_row(node, "R"),
        "issues": shape.issue_row(node, "R"),
        "releases": shape.release_row(node, "R"),
        "deployments": shape.deployment_row(node, "R"),
    }.items():
        assert set(row) == set(ENTRY.tables[table].columns)


def test_a_tag_of_a_tag_leads_to_its_commit() -> None:
    annotated = {"id": "T1", "name": "v1", "target": {"oid": "t1", "target": {"oid": "t2", "target": {"oid": "c"}}}}
    light = {"id": "T2", "name": "v2", "target": {"oid": "d"}}
    assert [(row["name"], row["sha"]) for row in shape.tag_rows([annotated, light], "R")] == [("v1", "c"), ("v2", "d")]


def test_an_annotated_tag_has_a_date_of_its_own() -> None:
    commit = {"oid": "c", "committedDate": "2026-03-02T12:00:00Z"}
    annotated = {"oid": "t", "tagger": {"date": "2026-03-03T12:00:00+02:00"}, "target": commit}
    refs = [
        {"id": "T1", "name": "v1", "target": annotated},
        {"id": "T2", "name": "v2", "target": commit},
        {"id": "T3", "name": "v3", "target": {"oid": "t", "tagger": None, "target": {"oid": "tree"}}},
    ]
    rows = shape.tag_rows(refs, "R")
    committed = datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert [(row["tagged_at"], row["committed_at"]) for row in rows] == [
        (datetime(2026, 3, 3, 10, tzinfo=UTC), committed),
        (None, committed),
        (None, None),
    ]
    for row in rows:
        assert set(row) == set(ENTRY.tables["tags"].columns)


def test_an_unmerged_pull_request_has_no_merge_commit() -> None:
    assert shape.pull_request_row({**PULL_REQUEST, "mergedAt": None}, "R_1")["merge_commit_sha"] is None


def test_a_rename_touches_both_paths() -> None:
    files = [{"filename": "b", "previous_filename": "a"}, {"filename": "c"}]
    assert [row["path"] for row in shape.commit_file_rows(files, "C", "R", "s")] == ["b", "a", "c"]
