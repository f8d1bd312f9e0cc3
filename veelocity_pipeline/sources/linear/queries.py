"""The GraphQL documents that are sent to Linear, and what each may cost.

Linear counts 0.1 for a scalar, 1 for an object, and multiplies what is inside a connection by its
``first`` (https://linear.app/developers/rate-limiting): 10,000 a query, 250,000 an hour. ``first`` is paid for
whether or not there are as many, so nested lists come with their issue in small pages, whose size follows from how
long these lists have been so far (``cheapest_first``), and the longer ones are followed, many to a request
(``more_of_issues``). Ids are asked for instead of objects wherever there is such a field: label names and state types
come from the workspace's own lists.

Filters that are sent: ``team: {id: {eq}}``, ``updatedAt: {gte}``, ``createdAt: {lte}``, ``id: {in}``, ``id: {eq}``;
with a start date ``or: [{completedAt: {gte}}, {canceledAt: {gte}}, {completedAt: {null: true}, canceledAt: {null:
true}}]``. Everything is asked for with ``includeArchived: true``: an archived issue vanishes otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

ISSUES_PER_PAGE = 100
"""At most 8,300 points a page of issues with their children, however long these lists are; mostly half of that."""

CHANGED_PER_PAGE = 50
"""The first page of what changed in the workspace, which is mostly all but empty: at most 640 points."""

IDS_PER_PAGE = 250
"""The most that Linear gives at once; for lists of ids."""

WORKSPACE_PER_PAGE = 100
"""Of each of the workspace's lists, six to a request: at most 2,700 points."""

NESTED_PER_PAGE = {"history": 8, "attachments": 2, "comments": 3}
"""Children that come with their issue, where nothing is known yet of how many issues have."""

MOST_NESTED = {"history": 15, "attachments": 3, "comments": 5}
"""Children that come with their issue at most."""

MORE_PER_PAGE = {"history": 20, "attachments": 5, "comments": 10}
"""Children of one issue when a list is followed to its end."""

MORE_LISTS_PER_QUERY = 100
"""Lists that are followed in one request: at most 3,900 points."""

_PAGE_INFO = "pageInfo { hasNextPage endCursor }"

_NESTED = {
    "history": "id createdAt actorId fromStateId toStateId",
    "attachments": "id url title sourceType createdAt updatedAt archivedAt",
    "comments": "id createdAt updatedAt archivedAt user { id }",
}


_CHILD_POINTS = {"history": 1.5, "attachments": 1.7, "comments": 2.5}
_LIST_POINTS = 3.4


def cheapest_first(name: str, lengths: Mapping[int, int]) -> int:
    """How many children to ask for with each issue, so that these and the rest of longer lists cost least.

    Args:
        lengths: how many issues have had how many children; empty where none was read yet.
    """
    if not lengths:
        return NESTED_PER_PAGE[name]
    points, more = _CHILD_POINTS[name], MORE_PER_PAGE[name]

    def cost(first: int) -> float:
        followed = sum(issues * -(-(length - first) // more) for length, issues in lengths.items() if length > first)
        return first * points * sum(lengths.values()) + followed * (_LIST_POINTS + more * points)

    return min(range(1, MOST_NESTED[name] + 1), key=cost)


def _nested(name: str, first: int | str, after: str = "") -> str:
    cursor = f", after: {after}" if after else ""
    return f"{name}(first: {first}{cursor}, includeArchived: true) {{ nodes {{ {_NESTED[name]} }} {_PAGE_INFO} }}"


_ISSUE = f"""
fragment IssueWithChildren on Issue {{
  id identifier number title description url branchName priority estimate trashed previousIdentifiers labelIds
  createdAt updatedAt startedAt completedAt canceledAt archivedAt
  team {{ id }} state {{ id }} assignee {{ id }} creator {{ id }} cycle {{ id }} project {{ id }} parent {{ id }}
  {" ".join(_nested(name, f"${name}") for name in NESTED_PER_PAGE)}
}}
"""


def _list(name: str, filter_variable: str, fields: str, after: str = ", after: $after") -> str:
    return f"""{name}(filter: {filter_variable}, first: $first{after}, orderBy: createdAt, includeArchived: true) {{
    nodes {{ {fields} }} {_PAGE_INFO}
  }}"""


ISSUES = f"""
query Issues(
  $filter: IssueFilter!, $first: Int!, $after: String, {", ".join(f"${name}: Int!" for name in NESTED_PER_PAGE)}
) {{
  {_list("issues", "$filter", "...IssueWithChildren")}
}}
{_ISSUE}"""
"""A page of issues with their children. Ordered by creation, which does not move while pages are read."""

ISSUES_ALONE = f"""
query IssuesAlone($filter: IssueFilter!, $first: Int!, $after: String) {{
  {_list("issues", "$filter", "id")}
}}"""
"""Which issues are on such a page, where one of them cannot be had whole."""

_CHANGED = {
    "issues": ("IssueFilter", "id updatedAt team { id }"),
    "comments": ("CommentFilter", "id updatedAt issue { id team { id } }"),
    "attachments": ("AttachmentFilter", "id updatedAt issue { id team { id } }"),
}

CHANGED_LISTS = tuple(_CHANGED)
"""What changes in a team: its issues; and comments and attachments, which need not move their issue's ``updatedAt``."""

CHANGED = f"""
query Changed({", ".join(f"${name}: {kind}!" for name, (kind, _) in _CHANGED.items())}, $first: Int!) {{
  {" ".join(_list(name, f"${name}", fields, after="") for name, (_, fields) in _CHANGED.items())}
}}"""
"""What changed in the whole workspace, without its content: that nothing did is one request for all teams."""


def changed_page(name: str) -> str:
    """The document for further pages of one of ``CHANGED_LISTS``."""
    kind, fields = _CHANGED[name]
    return f"""query ChangedPage(${name}: {kind}!, $first: Int!, $after: String!) {{
      {_list(name, f"${name}", fields)}
    }}"""


EXISTING = f"""
query ExistingIssues($filter: IssueFilter!, $first: Int!, $after: String) {{
  issues(filter: $filter, first: $first, after: $after, includeArchived: true) {{
    nodes {{ id team {{ id }} }} {_PAGE_INFO}
  }}
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

WORKSPACE_ALONE = "query WorkspaceAlone { organization { id name urlKey createdAt } viewer { id name } }"
"""The workspace without its lists, which are asked for one by one then."""


def workspace_page(name: str) -> str:
    """The document for further pages of one of ``WORKSPACE_LISTS``; its variables are ``first`` and ``after``."""
    return f"query WorkspacePage($first: Int!, $after: String) {{ {_workspace_list(name, 'after: $after, ')} }}"


def workspace_alone(name: str) -> str:
    """The document for ids alone of one of ``WORKSPACE_LISTS``; its variables are ``first`` and ``after``."""
    arguments, _ = _WORKSPACE[name]
    return (
        f"query WorkspaceAlone($first: Int!, $after: String) {{ "
        f"{name}({arguments}first: $first, after: $after, includeArchived: true) {{ nodes {{ id }} {_PAGE_INFO} }} }}"
    )


VIEWER = "query Viewer { viewer { id } }"
"""The document that any key may ask."""

_LOOKUP_FILTERS = {"workflowStates": "WorkflowStateFilter", "issueLabels": "IssueLabelFilter"}


def lookup(name: str) -> str:
    """The document that reads some of the workspace's states or labels; variables ``first``, ``after``, ``filter``."""
    return f"""query Lookup($first: Int!, $after: String, $filter: {_LOOKUP_FILTERS[name]}!) {{
      {_workspace_list(name, "after: $after, filter: $filter, ")}
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
            f"{{ nodes {{ id {_nested(name, MORE_PER_PAGE[name], f'$after{number}')} }} }}"
        )
    return f"query MoreOfIssues({', '.join(declared)}) {{\n  " + "\n  ".join(fields) + "\n}", variables
