"""The GraphQL documents that are sent to Linear, and what each may cost.

Linear counts 0.1 for a scalar, 1 for an object, and multiplies what is inside a connection by its
``first`` (https://linear.app/developers/rate-limiting): 10,000 a query, 250,000 an hour. ``first`` is paid for
whether or not there are as many, so nested lists are asked for in small pages and the few longer ones
are followed, many issues to a request (``more_of_issues``). Ids are asked for instead of objects wherever
there is such a field: label names and state types come from the workspace's own lists.

Filters that are sent: ``team: {id: {eq}}``, ``updatedAt: {gte}``, ``createdAt: {lte}``, ``id: {in}``, ``id: {eq}``; of
comments ``issue: {team: {id: {eq}}}``; with a start date ``or: [{completedAt: {gte}}, {canceledAt: {gte}},
{completedAt: {null: true}, canceledAt: {null: true}}]``. Everything is asked for with ``includeArchived: true``: an
archived issue vanishes otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

ISSUES_PER_PAGE = 100
"""At most 8,300 points a page of issues with their children."""

CHANGES_PER_PAGE = 25
"""The first page of an increment, which is mostly all but empty: at most 2,200 points."""

IDS_PER_PAGE = 250
"""The most that Linear gives at once; for lists of ids."""

WORKSPACE_PER_PAGE = 100
"""Of each of the workspace's lists, six to a request: at most 2,700 points."""

NESTED_PER_PAGE = {"history": 15, "attachments": 3, "comments": 5}
"""Children that come with their issue, which is all of them for most issues."""

MORE_PER_PAGE = 50
"""Children of one issue when a list is followed to its end."""

MORE_LISTS_PER_QUERY = 40
"""Lists that are followed in one request: at most 6,400 points."""

_PAGE_INFO = "pageInfo { hasNextPage endCursor }"

_NESTED = {
    "history": "id createdAt actorId fromStateId toStateId",
    "attachments": "id url title sourceType createdAt updatedAt archivedAt",
    "comments": "id createdAt updatedAt archivedAt user { id }",
}


def _nested(name: str, first: int, after: str = "") -> str:
    cursor = f", after: {after}" if after else ""
    return f"{name}(first: {first}{cursor}, includeArchived: true) {{ nodes {{ {_NESTED[name]} }} {_PAGE_INFO} }}"


_ISSUE = f"""
fragment IssueWithChildren on Issue {{
  id identifier number title description url branchName priority estimate trashed previousIdentifiers labelIds
  createdAt updatedAt startedAt completedAt canceledAt archivedAt
  team {{ id }} state {{ id }} assignee {{ id }} creator {{ id }} cycle {{ id }} project {{ id }} parent {{ id }}
  {" ".join(_nested(name, first) for name, first in NESTED_PER_PAGE.items())}
}}
"""


def _list(name: str, filter_variable: str, fields: str, after: str = ", after: $after") -> str:
    return f"""{name}(filter: {filter_variable}, first: $first{after}, orderBy: createdAt, includeArchived: true) {{
    nodes {{ {fields} }} {_PAGE_INFO}
  }}"""


_COMMENT = "id updatedAt issueId"

ISSUES = f"""
query Issues($filter: IssueFilter!, $first: Int!, $after: String) {{
  {_list("issues", "$filter", "...IssueWithChildren")}
}}
{_ISSUE}"""
"""A page of issues with their children. Ordered by creation, which does not move while pages are read."""

CHANGES = f"""
query Changes($filter: IssueFilter!, $comments: CommentFilter!, $first: Int!) {{
  {_list("issues", "$filter", "...IssueWithChildren", after="")}
  {_list("comments", "$comments", _COMMENT, after="")}
}}
{_ISSUE}"""
"""The first page of a team's increment: issues that changed, and comments that did (a comment need not move its
issue's ``updatedAt``)."""

COMMENTS = f"""
query ChangedComments($comments: CommentFilter!, $first: Int!, $after: String) {{
  {_list("comments", "$comments", _COMMENT)}
}}"""
"""Further pages of the comments that changed."""

ATTACHMENTS = f"""
query ChangedAttachments($filter: AttachmentFilter!, $first: Int!, $after: String) {{
  {_list("attachments", "$filter", "id updatedAt issue { id team { id } }")}
}}"""
"""Attachments of the whole workspace that changed: they cannot be filtered by team."""

EXISTING = f"""
query ExistingIssues($filter: IssueFilter!, $first: Int!) {{
  issues(filter: $filter, first: $first, includeArchived: true) {{ nodes {{ id team {{ id }} }} {_PAGE_INFO} }}
}}"""
"""Which of some issues are still there, and in which team."""

_WORKSPACE = {
    "teams": ("", "id key name private createdAt updatedAt archivedAt"),
    "users": ("includeDisabled: true, ", "id name displayName email avatarUrl active app createdAt updatedAt"),
    "workflowStates": ("", "id name type position updatedAt archivedAt team { id }"),
    "issueLabels": ("", "id name updatedAt archivedAt team { id } parent { id }"),
    "cycles": ("", "id number name startsAt endsAt completedAt updatedAt archivedAt team { id }"),
    "projects": (
        "",
        "id name url startedAt completedAt canceledAt createdAt updatedAt archivedAt status { type }",
    ),
}

WORKSPACE_LISTS = tuple(_WORKSPACE)
"""The root connections that hold what the whole workspace shares."""


def _workspace_list(name: str, extra: str = "") -> str:
    arguments, fields = _WORKSPACE[name]
    return f"{name}({arguments}first: $first, {extra}includeArchived: true) {{ nodes {{ {fields} }} {_PAGE_INFO} }}"


WORKSPACE = f"""
query Workspace($first: Int!) {{
  organization {{ id name urlKey createdAt }}
  viewer {{ id name }}
  {" ".join(_workspace_list(name) for name in WORKSPACE_LISTS)}
}}"""
"""The first page of everything that the workspace shares, in one request."""


def workspace_page(name: str) -> str:
    """The document for further pages of one of ``WORKSPACE_LISTS``; its variables are ``first`` and ``after``."""
    return f"query WorkspacePage($first: Int!, $after: String!) {{ {_workspace_list(name, 'after: $after, ')} }}"


_LOOKUP_FILTERS = {"workflowStates": "WorkflowStateFilter", "issueLabels": "IssueLabelFilter"}


def lookup(name: str) -> str:
    """The document that reads some of the workspace's states or labels; its variables are ``first`` and ``filter``."""
    return f"""query Lookup($first: Int!, $filter: {_LOOKUP_FILTERS[name]}!) {{
      {_workspace_list(name, "filter: $filter, ")}
    }}"""


def more_of_issues(lists: Sequence[tuple[str, str, str]]) -> tuple[str, Mapping[str, Any]]:
    """The document, and its variables, that goes on with lists of several issues.

    Asked through ``issues(filter:)`` rather than ``issue(id:)``, whose answer is an error for all of them once one
    issue is gone.

    Args:
        lists: for each an issue's id, the list's name and the cursor; list ``n`` is answered under the alias
            ``more{n}``.
    """
    declared: list[str] = []
    fields: list[str] = []
    variables: dict[str, Any] = {}
    for number, (issue, name, cursor) in enumerate(lists):
        declared.append(f"$issue{number}: ID!, $after{number}: String!")
        variables |= {f"issue{number}": issue, f"after{number}": cursor}
        fields.append(
            f"more{number}: issues(filter: {{id: {{eq: $issue{number}}}}}, first: 1, includeArchived: true) "
            f"{{ nodes {{ id {_nested(name, MORE_PER_PAGE, f'$after{number}')} }} }}"
        )
    return f"query MoreOfIssues({', '.join(declared)}) {{\n  " + "\n  ".join(fields) + "\n}", variables
