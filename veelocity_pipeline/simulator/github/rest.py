"""GitHub's REST over the organisation: the part that GraphQL lacks, and what a token may be asked about.

Shapes are those of the official OpenAPI description. Addresses of the API begin with ``root``;
addresses for people begin with the public site, as they would in a recording.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import unquote

from veelocity_pipeline.simulator.github.actions import Actions
from veelocity_pipeline.simulator.github.answers import Answer, ProblemError
from veelocity_pipeline.simulator.github.commits import Commits
from veelocity_pipeline.simulator.github.repositories import Repositories
from veelocity_pipeline.simulator.organization.whole import Organization


class Rest:
    """Answers to GET requests.

    Args:
        root: address of the API, without a slash at its end.
    """

    def __init__(self, organization: Organization, root: str) -> None:
        self.repositories = Repositories(organization, root)
        commits, actions = Commits(self.repositories), Actions(self.repositories)
        repository = r"/repos/(?P<owner>[^/]+)/(?P<repo>[^/]+)"
        run = repository + r"/actions/runs/(?P<run>\d+)"
        routes: list[tuple[str, Callable[..., Answer]]] = [
            (r"/user", self.repositories.me),
            (r"/orgs/(?P<org>[^/]+)/repos", self.repositories.of_organization),
            (r"/users/(?P<user>[^/]+)/repos", self.repositories.of_user),
            (repository, self.repositories.one),
            (repository + r"/commits/(?P<ref>[^/]+)", commits.one),
            (repository + r"/git/commits/(?P<sha>[0-9a-f]+)", commits.git_commit),
            (repository + r"/git/trees/(?P<sha>[0-9a-f]+)", commits.tree),
            (repository + r"/compare/(?P<basehead>.+\.\.\..+)", commits.compare),
            (repository + r"/actions/workflows", actions.workflows),
            (repository + r"/actions/workflows/(?P<workflow>[^/]+)/runs", actions.workflow_runs),
            (repository + r"/actions/runs", actions.runs),
            (run, actions.one),
            (run + r"/attempts/(?P<attempt>\d+)", actions.attempt),
            (run + r"/jobs", actions.jobs),
            (run + r"/attempts/(?P<attempt>\d+)/jobs", actions.attempt_jobs),
        ]
        self._routes = [(re.compile(pattern + "$"), handler) for pattern, handler in routes]

    def get(self, path: str, query: Mapping[str, str]) -> Answer:
        """The answer to a GET.

        Raises:
            ProblemError: an error, or a redirect from a former name.
        """
        moved = re.match(r"/repositories/(\d+)(/.*)?$", path)
        if moved:
            by_id = [each for each in self.repositories.organization.repositories if str(each.database_id) == moved[1]]
            if not by_id:
                raise ProblemError(404, "Not Found")
            path = f"/repos/{by_id[0].full_name}{moved[2] or ''}"
        for pattern, handler in self._routes:
            found = pattern.match(path)
            if found:
                return handler(dict(query), **{name: unquote(value) for name, value in found.groupdict().items()})
        raise ProblemError(404, "Not Found")
