"""Documents that ask which items a list has and nothing else of them, where one of them cannot be had whole."""

from __future__ import annotations

from veelocity_pipeline.sources.github.queries import (
    ASSOCIATED_PULL_REQUESTS,
    COMMIT_FIELDS,
    COMMITS,
    DEPLOYMENTS,
    HISTORY,
    ISSUES,
    NESTED,
    OWNER,
    PAGE_INFO,
    PULL_REQUESTS,
    RATE_LIMIT,
    RELEASES,
    REPOSITORY,
    TAGS,
    on_one_line,
)


def _light(field: str, arguments: str = "", variables: str = "", nodes: str = "id") -> str:
    """A list in the order of its own document, with what tells its items apart alone."""
    return on_one_line(
        f"""
        query {field}Alone($owner: String!, $name: String!, $first: Int!, $after: String{variables}) {{
          {RATE_LIMIT}
          repository(owner: $owner, name: $name) {{
            id {field}(first: $first, after: $after{arguments}) {{ totalCount {PAGE_INFO} nodes {{ {nodes} }} }}
          }}
        }}
        """
    )


_BY_CHANGE = ", orderBy: {field: UPDATED_AT, direction: DESC}"
_BY_CREATION = ", orderBy: {field: CREATED_AT, direction: DESC}"
_TAGS = ', refPrefix: "refs/tags/", orderBy: {field: TAG_COMMIT_DATE, direction: DESC}'

COMMITS_ALONE = COMMITS.replace("query commits", "query commitsAlone").replace(
    HISTORY,
    HISTORY.replace(COMMIT_FIELDS, "id oid authoredDate committedDate")
    .replace(" additions deletions", "")
    .replace(ASSOCIATED_PULL_REQUESTS.selection, ""),
)

ALONE = {
    PULL_REQUESTS: _light("pullRequests", f", states: $states{_BY_CHANGE}", ", $states: [PullRequestState!]"),
    ISSUES: _light("issues", f", states: $states{_BY_CHANGE}", ", $states: [IssueState!]"),
    RELEASES: _light("releases", _BY_CREATION),
    DEPLOYMENTS: _light("deployments", _BY_CREATION),
    TAGS: _light("refs", _TAGS, nodes="name"),
    COMMITS: COMMITS_ALONE,
}
"""By document, what tells which items it has where some of them cannot be had whole."""

LISTS_WITHIN = frozenset(nested.field for nested in NESTED)
"""Names of lists inside nodes: one that failed is not an empty one."""

OWNER_ALONE = on_one_line(OWNER.replace(REPOSITORY, "").replace("...repository", "id nameWithOwner")).replace(
    "query owner(", "query ownerAlone("
)
"""Their names alone, where one of them cannot be had."""

DOCUMENTS = {document.split("(")[0].split()[1]: document for document in (*ALONE.values(), OWNER_ALONE)}
"""By name, to be validated as ``queries.DOCUMENTS`` are."""
