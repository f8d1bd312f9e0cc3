"""Every GraphQL document that is sent to GitHub, built from fragments; valid against its public schema.

Cost, by GitHub's rule (one request per node that a nested list is asked of, by 100): a page of 50 pull requests is 1,
50 by 7 lists, 50 by 30 reviews (their comments) and 50 by 20 commits (their parents): 2,851 requests, so 29 points.
Lists that are longer than their first page here are followed by ``overflow``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

RATE_LIMIT = "rateLimit { cost remaining resetAt }"
PAGE_INFO = "pageInfo { hasNextPage endCursor }"

PULL_REQUESTS_PER_PAGE = 50
COMMITS_PER_PAGE = 100
ISSUES_PER_PAGE = 100
RELEASES_PER_PAGE = 100
DEPLOYMENTS_PER_PAGE = 100
TAGS_PER_PAGE = 100
REPOSITORIES_PER_REQUEST = 50
OVERFLOWS_PER_REQUEST = 20
IDS_PER_REQUEST = 100

NEWEST = 10
"""How many of the newest releases, deployments and tags are looked at to see whether there is anything new."""


def on_one_line(text: str) -> str:
    """A selection on one line; documents are sent thousands of times."""
    return " ".join(text.split())


ACTOR = on_one_line(
    """
    fragment actor on Actor {
      __typename login avatarUrl
      ... on Node { id }
      ... on User { name }
    }
    """
)

COMMIT_FIELDS = "id oid message authoredDate committedDate author { name email user { __typename login } }"


@dataclass(frozen=True)
class Nested:
    """A list inside a node, which may have more than fits into the page that it came with.

    Attributes:
        owner: type of the node that has the list.
        field: the list's name.
        nodes: what is asked of each of its items.
        first: how many come with the owner's page.
        arguments: more arguments of the list.
        fragments: fragments that ``nodes`` needs.
    """

    owner: str
    field: str
    nodes: str
    first: int
    arguments: str = ""
    fragments: tuple[str, ...] = ()

    @property
    def selection(self) -> str:
        """The list as it stands in its owner's page."""
        return self._list(f"first: {self.first}")

    def rest(self, cursor: str) -> str:
        """The list from a cursor on; ``cursor`` is the name of a variable."""
        return self._list(f"first: 100, after: ${cursor}")

    def _list(self, arguments: str) -> str:
        more = f", {self.arguments}" if self.arguments else ""
        return f"{self.field}({arguments}{more}) {{ {PAGE_INFO} nodes {{ {self.nodes} }} }}"


REVIEW_COMMENTS = Nested(
    "PullRequestReview", "comments", "id body createdAt updatedAt author { ...actor }", 30, fragments=(ACTOR,)
)
REVIEWS = Nested(
    "PullRequest",
    "reviews",
    f"id state url submittedAt author {{ ...actor }} {REVIEW_COMMENTS.selection}",
    30,
    fragments=(ACTOR,),
)
COMMENTS = Nested("PullRequest", "comments", "id body createdAt updatedAt author { ...actor }", 50, fragments=(ACTOR,))
PARENTS = Nested("Commit", "parents", "oid", 5)
PULL_REQUEST_COMMITS = Nested("PullRequest", "commits", f"commit {{ {COMMIT_FIELDS} {PARENTS.selection} }}", 20)
PULL_REQUEST_LABELS = Nested("PullRequest", "labels", "name", 20)
FILES = Nested("PullRequest", "files", "path", 100)
DRAFT_EVENTS = Nested(
    "PullRequest",
    "timelineItems",
    "__typename ... on ReadyForReviewEvent { id createdAt actor { login } } "
    "... on ConvertToDraftEvent { id createdAt actor { login } }",
    20,
    arguments="itemTypes: [READY_FOR_REVIEW_EVENT, CONVERT_TO_DRAFT_EVENT]",
)
CLOSING_REFERENCES = Nested("PullRequest", "closingIssuesReferences", "id number repository { id nameWithOwner }", 10)
ASSOCIATED_PULL_REQUESTS = Nested("Commit", "associatedPullRequests", "id number", 5)
ISSUE_LABELS = Nested("Issue", "labels", "name", 20)
STATUSES = Nested(
    "Deployment",
    "statuses",
    "id state environment logUrl environmentUrl description createdAt updatedAt creator { login }",
    20,
)

NESTED_IN_PULL_REQUEST = (
    REVIEWS,
    COMMENTS,
    PULL_REQUEST_COMMITS,
    PULL_REQUEST_LABELS,
    DRAFT_EVENTS,
    CLOSING_REFERENCES,
)
"""The lists of a pull request, but for its files, which are asked of some repositories only."""


# ----------------------------------------------------------------------------------------- repositories

REPOSITORY = on_one_line(
    f"""
    fragment repository on Repository {{
      id databaseId nameWithOwner url description isArchived isFork isPrivate createdAt updatedAt pushedAt
      defaultBranchRef {{ name target {{ oid }} }}
      pullRequests(first: 1, orderBy: {{field: UPDATED_AT, direction: DESC}}) {{ totalCount nodes {{ id updatedAt }} }}
      issues(first: 1, orderBy: {{field: UPDATED_AT, direction: DESC}}) {{ totalCount nodes {{ id updatedAt }} }}
      releases(first: {NEWEST}, orderBy: {{field: CREATED_AT, direction: DESC}}) {{
        totalCount nodes {{ id updatedAt isDraft }}
      }}
      deployments(first: {NEWEST}, orderBy: {{field: CREATED_AT, direction: DESC}}) {{
        totalCount nodes {{ id updatedAt state latestStatus {{ id state updatedAt }} }}
      }}
      refs(refPrefix: "refs/tags/", first: {NEWEST}, orderBy: {{field: TAG_COMMIT_DATE, direction: DESC}}) {{
        totalCount nodes {{ name target {{ oid }} }}
      }}
    }}
    """
)
"""A repository, and the newest of everything in it: enough to see that nothing is new."""


def repositories(count: int) -> str:
    """``count`` repositories by name, as ``r0`` …; variables ``o0`` (owner), ``n0`` (name) …"""
    variables = ", ".join(f"$o{i}: String!, $n{i}: String!" for i in range(count))
    aliases = " ".join(f"r{i}: repository(owner: $o{i}, name: $n{i}) {{ ...repository }}" for i in range(count))
    return f"query repositories({variables}) {{ {RATE_LIMIT} {aliases} }} {REPOSITORY}"


OWNER = on_one_line(
    f"""
    query owner($login: String!, $first: Int!, $after: String) {{
      {RATE_LIMIT}
      repositoryOwner(login: $login) {{
        login
        repositories(
          first: $first, after: $after, ownerAffiliations: [OWNER], orderBy: {{field: CREATED_AT, direction: ASC}}
        ) {{ {PAGE_INFO} nodes {{ ...repository }} }}
      }}
    }}
    {REPOSITORY}
    """
)
"""All repositories of an owner, by pages."""

VIEWER = f"query viewer {{ {RATE_LIMIT} viewer {{ login }} }}"
"""Whose token it is."""


# ---------------------------------------------------------------------------------------- pull requests

_PULL_REQUEST = on_one_line(
    f"""
    fragment pullRequest on PullRequest {{
      id fullDatabaseId number title body url state isDraft
      author {{ ...actor }}
      baseRefName baseRefOid headRefName headRefOid headRepository {{ id }} isCrossRepository mergeCommit {{ oid }}
      additions deletions changedFiles commitCount: commits {{ totalCount }}
      createdAt updatedAt mergedAt closedAt
      {" ".join(nested.selection for nested in NESTED_IN_PULL_REQUEST)}
      {FILES.selection.replace(" {", " @include(if: $files) {", 1)}
    }}
    {ACTOR}
    """
)

PULL_REQUESTS = on_one_line(
    f"""
    query pullRequests(
      $owner: String!, $name: String!, $first: Int!, $after: String, $states: [PullRequestState!], $files: Boolean!
    ) {{
      {RATE_LIMIT}
      repository(owner: $owner, name: $name) {{
        id
        pullRequests(
          first: $first, after: $after, states: $states, orderBy: {{field: UPDATED_AT, direction: DESC}}
        ) {{
          totalCount {PAGE_INFO} nodes {{ ...pullRequest }}
        }}
      }}
    }}
    {_PULL_REQUEST}
    """
)

PULL_REQUESTS_BY_ID = on_one_line(
    f"""
    query pullRequestsById($ids: [ID!]!, $files: Boolean!) {{
      {RATE_LIMIT} nodes(ids: $ids) {{ ...pullRequest }}
    }}
    {_PULL_REQUEST}
    """
)

PULL_REQUEST_IDS = on_one_line(
    f"""
    query pullRequestIds($owner: String!, $name: String!, $first: Int!, $after: String) {{
      {RATE_LIMIT}
      repository(owner: $owner, name: $name) {{
        id
        pullRequests(first: $first, after: $after, orderBy: {{field: CREATED_AT, direction: ASC}}) {{
          {PAGE_INFO} nodes {{ id }}
        }}
      }}
    }}
    """
)
"""Only the ids, in an order that does not move."""


# ----------------------------------------------------------------------------------------------- commits

HISTORY = on_one_line(
    f"""
    ... on Commit {{
      history(first: $first, after: $after) {{
        {PAGE_INFO}
        nodes {{ {COMMIT_FIELDS} url additions deletions {PARENTS.selection} {ASSOCIATED_PULL_REQUESTS.selection} }}
      }}
    }}
    """
)

COMMITS = on_one_line(
    f"""
    query commits($owner: String!, $name: String!, $oid: GitObjectID!, $first: Int!, $after: String) {{
      {RATE_LIMIT}
      repository(owner: $owner, name: $name) {{ id object(oid: $oid) {{ {HISTORY} }} }}
    }}
    """
)
"""The history of one commit, newest first: pages do not move when the branch does."""

HEAD_COMMITS = on_one_line(
    f"""
    query headCommits($owner: String!, $name: String!, $first: Int!, $after: String) {{
      {RATE_LIMIT}
      repository(owner: $owner, name: $name) {{ id defaultBranchRef {{ target {{ oid {HISTORY} }} }} }}
    }}
    """
)
"""The same of the default branch's head, for servers that do not look up objects."""


# -------------------------------------------------------------------------- tags, releases, deployments

TAGS = on_one_line(
    f"""
    query tags($owner: String!, $name: String!, $first: Int!, $after: String) {{
      {RATE_LIMIT}
      repository(owner: $owner, name: $name) {{
        id
        refs(
          refPrefix: "refs/tags/", first: $first, after: $after, orderBy: {{field: TAG_COMMIT_DATE, direction: DESC}}
        ) {{
          totalCount {PAGE_INFO}
          nodes {{
            id name
            target {{
              oid ...date
              ... on Tag {{
                tagger {{ date }}
                target {{
                  oid ...date
                  ... on Tag {{ target {{ oid ...date ... on Tag {{ target {{ __typename id oid ...date }} }} }} }}
                }}
              }}
            }}
          }}
        }}
      }}
    }}
    fragment date on Commit {{ committedDate }}
    """
)
"""Tags; an annotated one is peeled, and one that tags a tag twice more. What is still a tag then is asked for by id."""

BRANCHES = on_one_line(
    f"""
    query branches($owner: String!, $name: String!, $first: Int!, $after: String) {{
      {RATE_LIMIT}
      repository(owner: $owner, name: $name) {{
        id
        refs(refPrefix: "refs/heads/", first: $first, after: $after) {{ {PAGE_INFO} nodes {{ name target {{ oid }} }} }}
      }}
    }}
    """
)
"""Branches and the commits that they lead to; asked where the settings name branches beside the default one."""

TAG_TARGETS = on_one_line(
    f"""
    query tagTargets($ids: [ID!]!) {{
      {RATE_LIMIT} nodes(ids: $ids) {{ ... on Tag {{ id target {{ __typename id oid ...date }} }} }}
    }}
    fragment date on Commit {{ committedDate }}
    """
)

TAGS_BY_NAME_PER_REQUEST = 100


def tags_named(count: int) -> str:
    """Which of ``count`` names are tags, as ``t0`` …: null where there is none; variables ``q0`` … (refs/tags/…)."""
    variables = ", ".join(f"$q{i}: String!" for i in range(count))
    aliases = " ".join(f"t{i}: ref(qualifiedName: $q{i}) {{ name }}" for i in range(count))
    return (
        f"query tagsNamed($owner: String!, $name: String!, {variables}) "
        f"{{ {RATE_LIMIT} repository(owner: $owner, name: $name) {{ id {aliases} }} }}"
    )


_RELEASE = on_one_line(
    f"""
    fragment release on Release {{
      id databaseId name tagName tagCommit {{ oid }} url isDraft isPrerelease author {{ ...actor }}
      createdAt updatedAt publishedAt
    }}
    {ACTOR}
    """
)

RELEASES = on_one_line(
    f"""
    query releases($owner: String!, $name: String!, $first: Int!, $after: String) {{
      {RATE_LIMIT}
      repository(owner: $owner, name: $name) {{
        id
        releases(first: $first, after: $after, orderBy: {{field: CREATED_AT, direction: DESC}}) {{
          totalCount {PAGE_INFO}
          nodes {{ ...release }}
        }}
      }}
    }}
    {_RELEASE}
    """
)

RELEASES_BY_ID = on_one_line(
    f"""
    query releasesById($ids: [ID!]!) {{ {RATE_LIMIT} nodes(ids: $ids) {{ ...release }} }}
    {_RELEASE}
    """
)

_DEPLOYMENT = on_one_line(
    f"""
    fragment deployment on Deployment {{
      id databaseId environment task commitOid ref {{ name }} state description
      creator {{ __typename login }} createdAt updatedAt
      {STATUSES.selection}
    }}
    """
)

DEPLOYMENTS = on_one_line(
    f"""
    query deployments($owner: String!, $name: String!, $first: Int!, $after: String) {{
      {RATE_LIMIT}
      repository(owner: $owner, name: $name) {{
        id
        deployments(first: $first, after: $after, orderBy: {{field: CREATED_AT, direction: DESC}}) {{
          totalCount {PAGE_INFO} nodes {{ ...deployment }}
        }}
      }}
    }}
    {_DEPLOYMENT}
    """
)

DEPLOYMENTS_BY_ID = on_one_line(
    f"""
    query deploymentsById($ids: [ID!]!) {{ {RATE_LIMIT} nodes(ids: $ids) {{ ...deployment }} }}
    {_DEPLOYMENT}
    """
)


# ------------------------------------------------------------------------------------------------ issues

_ISSUE = on_one_line(
    f"""
    fragment issue on Issue {{
      id fullDatabaseId number title body url state stateReason author {{ ...actor }}
      assignees(first: 1) {{ nodes {{ login }} }}
      createdAt updatedAt closedAt {ISSUE_LABELS.selection}
    }}
    {ACTOR}
    """
)

ISSUES = on_one_line(
    f"""
    query issues($owner: String!, $name: String!, $first: Int!, $after: String, $states: [IssueState!]) {{
      {RATE_LIMIT}
      repository(owner: $owner, name: $name) {{
        id
        issues(
          first: $first, after: $after, states: $states, orderBy: {{field: UPDATED_AT, direction: DESC}}
        ) {{
          totalCount {PAGE_INFO} nodes {{ ...issue }}
        }}
      }}
    }}
    {_ISSUE}
    """
)

ISSUES_BY_ID = on_one_line(
    f"""
    query issuesById($ids: [ID!]!) {{ {RATE_LIMIT} nodes(ids: $ids) {{ ...issue }} }}
    {_ISSUE}
    """
)

ISSUE_IDS = on_one_line(
    f"""
    query issueIds($owner: String!, $name: String!, $first: Int!, $after: String) {{
      {RATE_LIMIT}
      repository(owner: $owner, name: $name) {{
        id
        issues(first: $first, after: $after, orderBy: {{field: CREATED_AT, direction: ASC}}) {{
          {PAGE_INFO} nodes {{ id }}
        }}
      }}
    }}
    """
)


# ---------------------------------------------------------------------------------------------- overflow


def overflow(lists: Sequence[Nested]) -> str:
    """The rest of some nested lists, as ``n0`` …; variables ``i0`` (the owner's id), ``c0`` (the cursor) …"""
    variables = ", ".join(f"$i{i}: ID!, $c{i}: String" for i in range(len(lists)))
    aliases = " ".join(
        f"n{i}: node(id: $i{i}) {{ ... on {nested.owner} {{ {nested.rest(f'c{i}')} }} }}"
        for i, nested in enumerate(lists)
    )
    fragments = " ".join(dict.fromkeys(fragment for nested in lists for fragment in nested.fragments))
    return f"query overflow({variables}) {{ {RATE_LIMIT} {aliases} }} {fragments}".rstrip()


NESTED = (*NESTED_IN_PULL_REQUEST, FILES, REVIEW_COMMENTS, PARENTS, ASSOCIATED_PULL_REQUESTS, ISSUE_LABELS, STATUSES)

DOCUMENTS: dict[str, str] = {
    "repositories": repositories(2),
    "owner": OWNER,
    "viewer": VIEWER,
    "pullRequests": PULL_REQUESTS,
    "pullRequestsById": PULL_REQUESTS_BY_ID,
    "pullRequestIds": PULL_REQUEST_IDS,
    "commits": COMMITS,
    "headCommits": HEAD_COMMITS,
    "tags": TAGS,
    "branches": BRANCHES,
    "tagTargets": TAG_TARGETS,
    "tagsNamed": tags_named(2),
    "releases": RELEASES,
    "releasesById": RELEASES_BY_ID,
    "deployments": DEPLOYMENTS,
    "deploymentsById": DEPLOYMENTS_BY_ID,
    "issues": ISSUES,
    "issuesById": ISSUES_BY_ID,
    "issueIds": ISSUE_IDS,
    "overflow": overflow(NESTED),
}
"""One of each, to be validated against the public schema and run by the simulator's tests."""
