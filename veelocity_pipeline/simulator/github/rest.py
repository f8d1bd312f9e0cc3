"""GitHub's REST over the organisation: the part that GraphQL lacks, and what a token may be asked about.

Shapes are those of the official OpenAPI description. Addresses of the API begin with ``root``;
addresses for people begin with the public site, as they would in a recording.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from veelocity_pipeline.simulator.engine import timestamp
from veelocity_pipeline.simulator.github.graphql import (
    MOST_FILES,
    SITE,
    avatar,
    commit_path,
    find_commit,
    history,
    visible,
)
from veelocity_pipeline.simulator.github.trees import find_tree, listing, tree_of
from veelocity_pipeline.simulator.organization.code_host import (
    Account,
    Commit,
    Job,
    PullRequest,
    Repository,
    RunAttempt,
    Workflow,
    WorkflowRun,
)
from veelocity_pipeline.simulator.organization.whole import Organization

Json = Any
FILTERED_LIMIT = 1_000
"""How many runs a filtered listing gives at most."""
_LIMITING = ("actor", "branch", "check_suite_id", "created", "event", "head_sha", "status")
_DOCS = "https://docs.github.com/rest"


class ProblemError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None, **more: Json) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body = {"message": message, **more, "documentation_url": _DOCS, "status": str(status)}


@dataclass(frozen=True)
class Answer:
    """A body and the number of pages, where it is a page of a list."""

    body: Json
    page: int = 0
    last_page: int = 0


class Rest:
    """Answers to GET requests.

    Args:
        root: address of the API, without a slash at its end.
    """

    def __init__(self, organization: Organization, root: str) -> None:
        self.organization = organization
        self.root = root
        repository = r"/repos/(?P<owner>[^/]+)/(?P<repo>[^/]+)"
        run = repository + r"/actions/runs/(?P<run>\d+)"
        routes: list[tuple[str, Callable[..., Answer]]] = [
            (r"/user", self._user),
            (r"/orgs/(?P<org>[^/]+)/repos", self._org_repositories),
            (r"/users/(?P<user>[^/]+)/repos", self._user_repositories),
            (repository, self._repository),
            (repository + r"/commits/(?P<ref>[^/]+)", self._commit),
            (repository + r"/git/commits/(?P<sha>[0-9a-f]+)", self._git_commit),
            (repository + r"/git/trees/(?P<sha>[0-9a-f]+)", self._tree),
            (repository + r"/compare/(?P<basehead>.+\.\.\..+)", self._compare),
            (repository + r"/actions/workflows", self._workflows),
            (repository + r"/actions/workflows/(?P<workflow>[^/]+)/runs", self._workflow_runs),
            (repository + r"/actions/runs", self._runs),
            (run, self._run),
            (run + r"/attempts/(?P<attempt>\d+)", self._attempt),
            (run + r"/jobs", self._jobs),
            (run + r"/attempts/(?P<attempt>\d+)/jobs", self._attempt_jobs),
        ]
        self._routes = [(re.compile(pattern + "$"), handler) for pattern, handler in routes]

    def get(self, path: str, query: Mapping[str, str]) -> Answer:
        """The answer to a GET.

        Raises:
            ProblemError: an error, or a redirect from a former name.
        """
        moved = re.match(r"/repositories/(\d+)(/.*)?$", path)
        if moved:
            by_id = [each for each in self.organization.repositories if str(each.database_id) == moved[1]]
            if not by_id:
                raise ProblemError(404, "Not Found")
            path = f"/repos/{by_id[0].full_name}{moved[2] or ''}"
        for pattern, handler in self._routes:
            found = pattern.match(path)
            if found:
                return handler(dict(query), **{name: unquote(value) for name, value in found.groupdict().items()})
        raise ProblemError(404, "Not Found")

    def _find(self, owner: str, repo: str, path: str = "") -> Repository:
        repository = self.organization.repository(f"{owner}/{repo}")
        if repository is None:
            raise ProblemError(404, "Not Found")
        if repository.full_name.lower() != f"{owner}/{repo}".lower():
            address = f"{self.root}/repositories/{repository.database_id}{path}"
            raise ProblemError(301, "Moved Permanently", {"location": address}, url=address)
        return repository

    @staticmethod
    def page(items: list[Any], query: Mapping[str, str], default: int = 30) -> tuple[list[Any], int, int]:
        """The page of a list that was asked for, its number and the last one's."""

        def number(name: str, otherwise: int) -> int:
            value = query.get(name, "")
            return int(value) if value.isdigit() and int(value) > 0 else otherwise

        size = min(number("per_page", default), 100)
        page = number("page", 1)
        return items[(page - 1) * size : page * size], page, max(1, -(-len(items) // size))

    # -- people and repositories

    def user(self, account: Account) -> Json:
        """A simple user."""
        login = account.rest_login
        url = f"{self.root}/users/{login}"
        return {
            "login": login,
            "id": account.database_id,
            "node_id": account.id,
            "avatar_url": avatar(account),
            "gravatar_id": "",
            "url": url,
            "html_url": f"{SITE}/apps/{account.login}" if account.kind == "Bot" else f"{SITE}/{login}",
            "followers_url": f"{url}/followers",
            "following_url": f"{url}/following{{/other_user}}",
            "gists_url": f"{url}/gists{{/gist_id}}",
            "starred_url": f"{url}/starred{{/owner}}{{/repo}}",
            "subscriptions_url": f"{url}/subscriptions",
            "organizations_url": f"{url}/orgs",
            "repos_url": f"{url}/repos",
            "events_url": f"{url}/events{{/privacy}}",
            "received_events_url": f"{url}/received_events",
            "type": account.kind,
            "user_view_type": "public",
            "site_admin": False,
        }

    def _visible_user(self, account: Account | None) -> Json:
        account = visible(account)
        return self.user(account) if account else None

    def _user(self, query: Mapping[str, str]) -> Answer:
        viewer = self.organization.viewer
        created = timestamp(viewer.created_at)
        return Answer(
            {
                **self.user(viewer),
                "name": viewer.name,
                "company": None,
                "blog": "",
                "location": None,
                "email": viewer.email,
                "hireable": None,
                "bio": None,
                "public_repos": 0,
                "public_gists": 0,
                "followers": 0,
                "following": 0,
                "created_at": created,
                "updated_at": created,
            }
        )

    def repository(self, repository: Repository) -> Json:
        """A minimal repository."""
        url = f"{self.root}/repos/{repository.full_name}"
        body = {
            "id": repository.database_id,
            "node_id": repository.id,
            "name": repository.name,
            "full_name": repository.full_name,
            "private": repository.is_private,
            "owner": self.user(repository.owner),
            "html_url": f"{SITE}/{repository.full_name}",
            "description": repository.description,
            "fork": repository.is_fork,
            "url": url,
        }
        for name, end in _REPOSITORY_LINKS.items():
            body[name] = f"{url}/{end}"
        return body

    def _detailed(self, repository: Repository) -> Json:
        open_count = sum(each.state == "OPEN" for each in repository.issues)
        open_count += sum(each.state == "OPEN" for each in repository.pull_requests)
        return {
            **self.repository(repository),
            "git_url": f"git://github.com/{repository.full_name}.git",
            "ssh_url": f"git@github.com:{repository.full_name}.git",
            "clone_url": f"{SITE}/{repository.full_name}.git",
            "svn_url": f"{SITE}/{repository.full_name}",
            "mirror_url": None,
            "homepage": None,
            "language": "Python",
            "size": len(repository.commits) * 3,
            "stargazers_count": 0,
            "watchers_count": 0,
            "forks_count": 0,
            "open_issues_count": open_count,
            "default_branch": repository.default_branch,
            "has_issues": True,
            "has_projects": False,
            "has_wiki": False,
            "has_pages": False,
            "has_discussions": False,
            "archived": repository.archived_at is not None,
            "disabled": False,
            "visibility": "private" if repository.is_private else "public",
            "license": None,
            "pushed_at": timestamp(repository.pushed_at),
            "created_at": timestamp(repository.created_at),
            "updated_at": timestamp(repository.updated_at),
            "forks": 0,
            "open_issues": open_count,
            "watchers": 0,
        }

    def _repository(self, query: Mapping[str, str], owner: str, repo: str) -> Answer:
        repository = self._find(owner, repo)
        body = {
            **self._detailed(repository),
            "network_count": 0,
            "subscribers_count": 0,
            "permissions": {"admin": False, "maintain": False, "push": False, "triage": False, "pull": True},
        }
        body["license"] = {"key": "mit", "name": "MIT License", "url": None, "spdx_id": "MIT", "node_id": "L_mit"}
        return Answer(body)

    def _repositories_of(self, query: Mapping[str, str], owner: Account) -> Answer:
        items = [each for each in (*self.organization.repositories, *self.organization.forks) if each.owner is owner]
        items.sort(key=lambda each: each.created_at)
        page, number, last = self.page(items, query)
        minimal = [{key: value for key, value in self._detailed(each).items() if key != "license"} for each in page]
        return Answer(minimal, number, last)

    def _org_repositories(self, query: Mapping[str, str], org: str) -> Answer:
        account = self.organization.account
        if org.lower() != account.login.lower():
            raise ProblemError(404, "Not Found")
        return self._repositories_of(query, account)

    def _user_repositories(self, query: Mapping[str, str], user: str) -> Answer:
        for account in (self.organization.account, *self.organization.accounts):
            if account.login.lower() == user.lower() and account.deleted_at is None:
                return self._repositories_of(query, account)
        raise ProblemError(404, "Not Found")

    # -- commits

    def _git_user(self, name: str, email: str, moment: datetime) -> Json:
        return {"name": name, "email": email, "date": timestamp(moment)}

    def commit(self, commit: Commit) -> Json:
        """A commit without its files."""
        repository = commit.repository
        url = f"{self.root}/repos/{repository.full_name}"
        by_author = commit.author is not None and commit.committer_email == commit.author.email
        return {
            "sha": commit.sha,
            "node_id": commit.id,
            "commit": {
                "url": f"{url}/git/commits/{commit.sha}",
                "author": self._git_user(commit.author_name, commit.author_email, commit.authored_at),
                "committer": self._git_user(commit.committer_name, commit.committer_email, commit.committed_at),
                "message": commit.message,
                "tree": {"sha": _tree_id(commit), "url": f"{url}/git/trees/{_tree_id(commit)}"},
                "comment_count": 0,
                "verification": {
                    "verified": False,
                    "reason": "unsigned",
                    "signature": None,
                    "payload": None,
                    "verified_at": None,
                },
            },
            "url": f"{url}/commits/{commit.sha}",
            "html_url": SITE + commit_path(commit),
            "comments_url": f"{url}/commits/{commit.sha}/comments",
            "author": self._visible_user(commit.author),
            "committer": self._visible_user(commit.author if by_author else None),
            "parents": [
                {
                    "sha": parent.sha,
                    "url": f"{url}/commits/{parent.sha}",
                    "html_url": f"{SITE}/{repository.full_name}/commit/{parent.sha}",
                }
                for parent in commit.parents
            ],
        }

    def _file(self, commit: Commit, path: str) -> Json:
        repository = commit.repository
        place = f"{repository.full_name}/blob/{commit.sha}/{path}"
        return {
            "sha": _tree_id(commit),
            "filename": path,
            "status": "modified",
            "additions": 7,
            "deletions": 2,
            "changes": 9,
            "blob_url": f"{SITE}/{place}",
            "raw_url": f"{SITE}/{place.replace('/blob/', '/raw/')}",
            "contents_url": f"{self.root}/repos/{repository.full_name}/contents/{path}?ref={commit.sha}",
        }

    def _found_commit(self, repository: Repository, ref: str) -> Commit:
        commit = find_commit(repository, ref)
        if commit is None:
            if re.fullmatch(r"[0-9a-f]{40}", ref):
                raise ProblemError(422, f"No commit found for SHA: {ref}")
            raise ProblemError(404, "Not Found")
        return commit

    def _commit(self, query: Mapping[str, str], owner: str, repo: str, ref: str) -> Answer:
        commit = self._found_commit(self._find(owner, repo, f"/commits/{ref}"), ref)
        paths, page, last = self.page(commit.paths[:MOST_FILES], query, 300)
        files = [self._file(commit, path) for path in paths]
        stats = {
            "additions": commit.additions,
            "deletions": commit.deletions,
            "total": commit.additions + commit.deletions,
        }
        return Answer({**self.commit(commit), "stats": stats, "files": files}, page, last)

    def _git_commit(self, query: Mapping[str, str], owner: str, repo: str, sha: str) -> Answer:
        repository = self._find(owner, repo, f"/git/commits/{sha}")
        commit = find_commit(repository, sha)
        if commit is None:
            raise ProblemError(404, "Not Found")
        whole = self.commit(commit)
        tree = tree_of(commit).sha
        url = f"{self.root}/repos/{repository.full_name}/git"
        return Answer(
            {
                "sha": commit.sha,
                "node_id": commit.id,
                "url": f"{url}/commits/{commit.sha}",
                "html_url": whole["html_url"],
                **{name: whole["commit"][name] for name in ("author", "committer", "message", "verification")},
                "tree": {"sha": tree, "url": f"{url}/trees/{tree}"},
                "parents": whole["parents"],
            }
        )

    def _tree(self, query: Mapping[str, str], owner: str, repo: str, sha: str) -> Answer:
        repository = self._find(owner, repo, f"/git/trees/{sha}")
        tree = find_tree(repository, sha)
        if tree is None:
            raise ProblemError(404, "Not Found")
        return Answer(listing(tree, f"{self.root}/repos/{repository.full_name}", bool(query.get("recursive"))))

    def _compare(self, query: Mapping[str, str], owner: str, repo: str, basehead: str) -> Answer:
        repository = self._find(owner, repo, f"/compare/{basehead}")
        base_name, _, head_name = basehead.partition("...")
        base = find_commit(repository, base_name.rpartition(":")[2])
        head = find_commit(repository, head_name.rpartition(":")[2])
        if base is None or head is None:
            raise ProblemError(404, "Not Found")
        of_base = {commit.sha for commit in history(base)}
        of_head = {commit.sha for commit in history(head)}
        ahead = [commit for commit in reversed(history(head)) if commit.sha not in of_base]
        behind = len(of_base - of_head)
        common = [commit for commit in history(head) if commit.sha in of_base]
        if not common:
            raise ProblemError(404, f"No common ancestor between {base_name} and {head_name}.")
        page, number, last = self.page(ahead, query, 250)
        status = "diverged" if ahead and behind else "ahead" if ahead else "behind" if behind else "identical"
        paths = sorted({path for commit in ahead for path in commit.paths})[:300]
        url = f"{self.root}/repos/{repository.full_name}/compare/{basehead}"
        page_url = f"{SITE}/{repository.full_name}/compare/{basehead}"
        return Answer(
            {
                "url": url,
                "html_url": page_url,
                "permalink_url": page_url,
                "diff_url": f"{page_url}.diff",
                "patch_url": f"{page_url}.patch",
                "base_commit": self.commit(base),
                "merge_base_commit": self.commit(common[0]),
                "status": status,
                "ahead_by": len(ahead),
                "behind_by": behind,
                "total_commits": len(ahead),
                "commits": [self.commit(commit) for commit in page],
                "files": [self._file(head, path) for path in paths] if number == 1 else [],
            },
            number,
            last,
        )

    # -- Actions

    def _workflow(self, workflow: Workflow) -> Json:
        name = workflow.repository.full_name
        return {
            "id": workflow.id,
            "node_id": workflow.node_id,
            "name": workflow.name,
            "path": workflow.path,
            "state": workflow.state,
            "created_at": timestamp(workflow.created_at),
            "updated_at": timestamp(workflow.updated_at),
            "url": f"{self.root}/repos/{name}/actions/workflows/{workflow.id}",
            "html_url": f"{SITE}/{name}/blob/{workflow.repository.default_branch}/{workflow.path}",
            "badge_url": f"{SITE}/{name}/workflows/{workflow.name.replace(' ', '%20')}/badge.svg",
        }

    def _workflows(self, query: Mapping[str, str], owner: str, repo: str) -> Answer:
        repository = self._find(owner, repo, "/actions/workflows")
        items = [each for each in repository.workflows if each.created_at <= self.organization.now]
        page, number, last = self.page(items, query)
        body = {"total_count": len(items), "workflows": [self._workflow(each) for each in page]}
        return Answer(body, number, last)

    def _minimal_pull_request(self, pull_request: PullRequest, head_sha: str) -> Json:
        repository = pull_request.repository
        url = f"{self.root}/repos/{repository.full_name}"
        where = {"id": repository.database_id, "url": url, "name": repository.name}
        return {
            "url": f"{url}/pulls/{pull_request.number}",
            "id": pull_request.database_id,
            "number": pull_request.number,
            "head": {"ref": pull_request.head_branch, "sha": head_sha, "repo": where},
            "base": {"ref": pull_request.base_branch, "sha": pull_request.base_sha, "repo": where},
        }

    def run(self, run: WorkflowRun, attempt: RunAttempt, without_pull_requests: bool = False) -> Json:
        """A run as one of its attempts stands."""
        name = run.repository.full_name
        url = f"{self.root}/repos/{name}/actions/runs/{run.id}"
        is_last = attempt is run.last
        pull_requests: list[Json] | None = []
        if run.pull_request is not None and not run.pull_request.is_cross_repository:
            pull_requests = [self._minimal_pull_request(run.pull_request, run.head_commit.sha)]
        commit = run.head_commit
        previous = f"{url}/attempts/{attempt.number - 1}" if attempt.number > 1 else None
        suite = run.id * 2
        return {
            "id": run.id,
            "name": run.workflow.name,
            "node_id": run.node_id,
            "head_branch": run.head_branch,
            "head_sha": commit.sha,
            "path": run.workflow.path,
            "display_title": run.title,
            "run_number": run.number,
            "event": run.event,
            "status": attempt.status,
            "conclusion": attempt.conclusion,
            "workflow_id": run.workflow.id,
            "check_suite_id": suite,
            "check_suite_node_id": f"CS_{run.node_id}",
            "url": url,
            "html_url": f"{SITE}/{name}/actions/runs/{run.id}" + ("" if is_last else f"/attempts/{attempt.number}"),
            "pull_requests": [] if without_pull_requests else pull_requests,
            "created_at": timestamp(run.created_at),
            "updated_at": timestamp(attempt.updated_at),
            "actor": self._visible_user(run.actor) or self.user(self.organization.account),
            "run_attempt": attempt.number,
            "referenced_workflows": [],
            "run_started_at": timestamp(attempt.started_at),
            "triggering_actor": self._visible_user(attempt.actor) or self.user(self.organization.account),
            "jobs_url": f"{url}/jobs",
            "logs_url": f"{url}/logs",
            "check_suite_url": f"{self.root}/repos/{name}/check-suites/{suite}",
            "artifacts_url": f"{url}/artifacts",
            "cancel_url": f"{url}/cancel",
            "rerun_url": f"{url}/rerun",
            "previous_attempt_url": previous,
            "workflow_url": f"{self.root}/repos/{name}/actions/workflows/{run.workflow.id}",
            "head_commit": {
                "id": commit.sha,
                "tree_id": _tree_id(commit),
                "message": commit.message,
                "timestamp": timestamp(commit.committed_at),
                "author": {"name": commit.author_name, "email": commit.author_email},
                "committer": {"name": commit.committer_name, "email": commit.committer_email},
            },
            "repository": self.repository(run.repository),
            "head_repository": self.repository(run.head_repository) if run.head_repository else None,
        }

    def _runs(self, query: dict[str, str], owner: str, repo: str, workflow: str = "") -> Answer:
        path = f"/actions/workflows/{workflow}/runs" if workflow else "/actions/runs"
        repository = self._find(owner, repo, path)
        runs = repository.runs[::-1]
        if workflow:
            runs = [each for each in runs if workflow in (str(each.workflow.id), each.workflow.path.rpartition("/")[2])]
        tests: dict[str, Callable[[WorkflowRun, str], bool]] = {
            "actor": lambda run, value: run.actor.rest_login == value,
            "branch": lambda run, value: run.head_branch == value,
            "event": lambda run, value: run.event == value,
            "head_sha": lambda run, value: run.head_commit.sha == value,
            "check_suite_id": lambda run, value: str(run.id * 2) == value,
            "status": lambda run, value: value in (run.last.status, run.last.conclusion),
        }
        for name, test in tests.items():
            if query.get(name):
                runs = [each for each in runs if test(each, query[name])]
        if query.get("created"):
            within = created_range(query["created"])
            runs = [each for each in runs if within(each.created_at)]
        total = len(runs)
        if any(query.get(name) for name in _LIMITING):
            runs = runs[:FILTERED_LIMIT]
        page, number, last = self.page(runs, query)
        hide = query.get("exclude_pull_requests", "").lower() == "true"
        body = {"total_count": total, "workflow_runs": [self.run(each, each.last, hide) for each in page]}
        return Answer(body, number, last)

    def _workflow_runs(self, query: dict[str, str], owner: str, repo: str, workflow: str) -> Answer:
        return self._runs(query, owner, repo, workflow)

    def _found_run(self, repository: Repository, run: str) -> WorkflowRun:
        for each in repository.runs:
            if str(each.id) == run:
                return each
        raise ProblemError(404, "Not Found")

    def _run(self, query: dict[str, str], owner: str, repo: str, run: str) -> Answer:
        found = self._found_run(self._find(owner, repo, f"/actions/runs/{run}"), run)
        return Answer(self.run(found, found.last, query.get("exclude_pull_requests", "").lower() == "true"))

    def _found_attempt(self, owner: str, repo: str, run: str, attempt: str, path: str = "") -> RunAttempt:
        repository = self._find(owner, repo, f"/actions/runs/{run}/attempts/{attempt}{path}")
        for each in self._found_run(repository, run).attempts:
            if str(each.number) == attempt:
                return each
        raise ProblemError(404, "Not Found")

    def _attempt(self, query: dict[str, str], owner: str, repo: str, run: str, attempt: str) -> Answer:
        found = self._found_attempt(owner, repo, run, attempt)
        return Answer(self.run(found.run, found, query.get("exclude_pull_requests", "").lower() == "true"))

    def _job(self, job: Job) -> Json:
        run = job.attempt.run
        name = run.repository.full_name
        return {
            "id": job.id,
            "run_id": run.id,
            "run_url": f"{self.root}/repos/{name}/actions/runs/{run.id}",
            "run_attempt": job.attempt.number,
            "node_id": f"CR_{job.id}",
            "head_sha": run.head_commit.sha,
            "url": f"{self.root}/repos/{name}/actions/jobs/{job.id}",
            "html_url": f"{SITE}/{name}/actions/runs/{run.id}/job/{job.id}",
            "status": job.status,
            "conclusion": job.conclusion,
            "created_at": timestamp(job.created_at),
            "started_at": timestamp(job.started_at),
            "completed_at": timestamp(job.completed_at) if job.completed_at else None,
            "name": job.name,
            "steps": [],
            "check_run_url": f"{self.root}/repos/{name}/check-runs/{job.id}",
            "labels": ["ubuntu-latest"],
            "runner_id": 1,
            "runner_name": "runner-1",
            "runner_group_id": 1,
            "runner_group_name": "default",
            "workflow_name": run.workflow.name,
            "head_branch": run.head_branch,
        }

    def _job_page(self, jobs: list[Job], query: Mapping[str, str]) -> Answer:
        page, number, last = self.page(jobs, query)
        return Answer({"total_count": len(jobs), "jobs": [self._job(each) for each in page]}, number, last)

    def _jobs(self, query: dict[str, str], owner: str, repo: str, run: str) -> Answer:
        found = self._found_run(self._find(owner, repo, f"/actions/runs/{run}/jobs"), run)
        attempts = found.attempts if query.get("filter") == "all" else [found.last]
        return self._job_page([job for attempt in attempts for job in attempt.jobs], query)

    def _attempt_jobs(self, query: dict[str, str], owner: str, repo: str, run: str, attempt: str) -> Answer:
        return self._job_page(self._found_attempt(owner, repo, run, attempt, "/jobs").jobs, query)


_REPOSITORY_LINKS = {
    "archive_url": "{archive_format}{/ref}",
    "assignees_url": "assignees{/user}",
    "blobs_url": "git/blobs{/sha}",
    "branches_url": "branches{/branch}",
    "collaborators_url": "collaborators{/collaborator}",
    "comments_url": "comments{/number}",
    "commits_url": "commits{/sha}",
    "compare_url": "compare/{base}...{head}",
    "contents_url": "contents/{+path}",
    "contributors_url": "contributors",
    "deployments_url": "deployments",
    "downloads_url": "downloads",
    "events_url": "events",
    "forks_url": "forks",
    "git_commits_url": "git/commits{/sha}",
    "git_refs_url": "git/refs{/sha}",
    "git_tags_url": "git/tags{/sha}",
    "hooks_url": "hooks",
    "issue_comment_url": "issues/comments{/number}",
    "issue_events_url": "issues/events{/number}",
    "issues_url": "issues{/number}",
    "keys_url": "keys{/key_id}",
    "labels_url": "labels{/name}",
    "languages_url": "languages",
    "merges_url": "merges",
    "milestones_url": "milestones{/number}",
    "notifications_url": "notifications{?since,all,participating}",
    "pulls_url": "pulls{/number}",
    "releases_url": "releases{/id}",
    "stargazers_url": "stargazers",
    "statuses_url": "statuses/{sha}",
    "subscribers_url": "subscribers",
    "subscription_url": "subscription",
    "tags_url": "tags",
    "teams_url": "teams",
    "trees_url": "git/trees{/sha}",
}


def _tree_id(commit: Commit) -> str:
    """A hash that belongs to this commit alone, where nobody looks into the tree."""
    return commit.sha[::-1]


def created_range(value: str) -> Callable[[datetime], bool]:
    """The test that a ``created`` filter stands for, in the syntax of GitHub's search for dates.

    Raises:
        ProblemError: it is none.
    """
    value = value.replace(" ", "+")  # a plus sign that was not encoded
    if ".." in value:
        left, _, right = value.partition("..")
        low = None if left == "*" else _bound(left)[0]
        high = None if right == "*" else _bound(right)[1]
        return _within(low, high)
    for operator in (">=", "<=", ">", "<"):
        if value.startswith(operator):
            start, end = _bound(value[len(operator) :])
            # the bounds of every operator, as first moment and first moment after
            low, high = {">=": (start, None), "<=": (None, end), ">": (end, None), "<": (None, start)}[operator]
            return _within(low, high)
    start, end = _bound(value)
    return _within(start, end)


def _within(low: datetime | None, high: datetime | None) -> Callable[[datetime], bool]:
    return lambda moment: (low is None or moment >= low) and (high is None or moment < high)


def _bound(value: str) -> tuple[datetime, datetime]:
    """First moment of a day or second, and first moment after it."""
    try:
        parsed = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError as error:
        raise ProblemError(422, f"Validation Failed: {value} is not a date") from error
    parsed = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return parsed, parsed + (timedelta(days=1) if len(value) == 10 else timedelta(seconds=1))
