"""Workflows, runs and jobs in GitHub's REST."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from veelocity_pipeline.simulator.engine import timestamp
from veelocity_pipeline.simulator.github.addresses import SITE
from veelocity_pipeline.simulator.github.answers import Answer, Json, ProblemError
from veelocity_pipeline.simulator.github.repositories import Repositories
from veelocity_pipeline.simulator.github.trees import tree_id
from veelocity_pipeline.simulator.organization.code_host import (
    Account,
    Job,
    PullRequest,
    Repository,
    RunAttempt,
    Workflow,
    WorkflowRun,
)

FILTERED_LIMIT = 1_000
"""How many runs a filtered listing gives at most."""
_LIMITING = ("actor", "branch", "check_suite_id", "created", "event", "head_sha", "status")


class Actions:
    """Answers about Actions."""

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories

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
            "url": f"{self._repositories.root}/repos/{name}/actions/workflows/{workflow.id}",
            "html_url": f"{SITE}/{name}/blob/{workflow.repository.default_branch}/{workflow.path}",
            "badge_url": f"{SITE}/{name}/workflows/{workflow.name.replace(' ', '%20')}/badge.svg",
        }

    def workflows(self, query: Mapping[str, str], owner: str, repo: str) -> Answer:
        repository = self._repositories.find(owner, repo, "/actions/workflows")
        items = [each for each in repository.workflows if each.created_at <= self._repositories.organization.now]
        page, number, last = self._repositories.page(items, query)
        body = {"total_count": len(items), "workflows": [self._workflow(each) for each in page]}
        return Answer(body, number, last)

    def _actor(self, account: Account) -> Json:
        found = self._repositories
        return found.visible_user(account) or found.user(found.organization.account)

    def _minimal_pull_request(self, pull_request: PullRequest, head_sha: str) -> Json:
        repository = pull_request.repository
        url = f"{self._repositories.root}/repos/{repository.full_name}"
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
        url = f"{self._repositories.root}/repos/{name}/actions/runs/{run.id}"
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
            "actor": self._repositories.visible_user(run.actor)
            or self._repositories.user(self._repositories.organization.account),
            "run_attempt": attempt.number,
            "referenced_workflows": [],
            "run_started_at": timestamp(attempt.started_at),
            "triggering_actor": self._repositories.visible_user(attempt.actor)
            or self._repositories.user(self._repositories.organization.account),
            "jobs_url": f"{url}/jobs",
            "logs_url": f"{url}/logs",
            "check_suite_url": f"{self._repositories.root}/repos/{name}/check-suites/{suite}",
            "artifacts_url": f"{url}/artifacts",
            "cancel_url": f"{url}/cancel",
            "rerun_url": f"{url}/rerun",
            "previous_attempt_url": previous,
            "workflow_url": f"{self._repositories.root}/repos/{name}/actions/workflows/{run.workflow.id}",
            "head_commit": {
                "id": commit.sha,
                "tree_id": tree_id(commit),
                "message": commit.message,
                "timestamp": timestamp(commit.committed_at),
                "author": {"name": commit.author_name, "email": commit.author_email},
                "committer": {"name": commit.committer_name, "email": commit.committer_email},
            },
            "repository": self._repositories.repository(run.repository),
            "head_repository": self._repositories.repository(run.head_repository) if run.head_repository else None,
        }

    def runs(self, query: dict[str, str], owner: str, repo: str, workflow: str = "") -> Answer:
        path = f"/actions/workflows/{workflow}/runs" if workflow else "/actions/runs"
        repository = self._repositories.find(owner, repo, path)
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
        page, number, last = self._repositories.page(runs, query)
        hide = query.get("exclude_pull_requests", "").lower() == "true"
        body = {"total_count": total, "workflow_runs": [self.run(each, each.last, hide) for each in page]}
        return Answer(body, number, last)

    def workflow_runs(self, query: dict[str, str], owner: str, repo: str, workflow: str) -> Answer:
        return self.runs(query, owner, repo, workflow)

    def _found_run(self, repository: Repository, run: str) -> WorkflowRun:
        for each in repository.runs:
            if str(each.id) == run:
                return each
        raise ProblemError(404, "Not Found")

    def one(self, query: dict[str, str], owner: str, repo: str, run: str) -> Answer:
        found = self._found_run(self._repositories.find(owner, repo, f"/actions/runs/{run}"), run)
        return Answer(self.run(found, found.last, query.get("exclude_pull_requests", "").lower() == "true"))

    def _found_attempt(self, owner: str, repo: str, run: str, attempt: str, path: str = "") -> RunAttempt:
        repository = self._repositories.find(owner, repo, f"/actions/runs/{run}/attempts/{attempt}{path}")
        for each in self._found_run(repository, run).attempts:
            if str(each.number) == attempt:
                return each
        raise ProblemError(404, "Not Found")

    def attempt(self, query: dict[str, str], owner: str, repo: str, run: str, attempt: str) -> Answer:
        found = self._found_attempt(owner, repo, run, attempt)
        return Answer(self.run(found.run, found, query.get("exclude_pull_requests", "").lower() == "true"))

    def _job(self, job: Job) -> Json:
        run = job.attempt.run
        name = run.repository.full_name
        return {
            "id": job.id,
            "run_id": run.id,
            "run_url": f"{self._repositories.root}/repos/{name}/actions/runs/{run.id}",
            "run_attempt": job.attempt.number,
            "node_id": f"CR_{job.id}",
            "head_sha": run.head_commit.sha,
            "url": f"{self._repositories.root}/repos/{name}/actions/jobs/{job.id}",
            "html_url": f"{SITE}/{name}/actions/runs/{run.id}/job/{job.id}",
            "status": job.status,
            "conclusion": job.conclusion,
            "created_at": timestamp(job.created_at),
            "started_at": timestamp(job.started_at),
            "completed_at": timestamp(job.completed_at) if job.completed_at else None,
            "name": job.name,
            "steps": [],
            "check_run_url": f"{self._repositories.root}/repos/{name}/check-runs/{job.id}",
            "labels": ["ubuntu-latest"],
            "runner_id": 1,
            "runner_name": "runner-1",
            "runner_group_id": 1,
            "runner_group_name": "default",
            "workflow_name": run.workflow.name,
            "head_branch": run.head_branch,
        }

    def _job_page(self, jobs: list[Job], query: Mapping[str, str]) -> Answer:
        page, number, last = self._repositories.page(jobs, query)
        return Answer({"total_count": len(jobs), "jobs": [self._job(each) for each in page]}, number, last)

    def jobs(self, query: dict[str, str], owner: str, repo: str, run: str) -> Answer:
        found = self._found_run(self._repositories.find(owner, repo, f"/actions/runs/{run}/jobs"), run)
        attempts = found.attempts if query.get("filter") == "all" else [found.last]
        return self._job_page([job for attempt in attempts for job in attempt.jobs], query)

    def attempt_jobs(self, query: dict[str, str], owner: str, repo: str, run: str, attempt: str) -> Answer:
        return self._job_page(self._found_attempt(owner, repo, run, attempt, "/jobs").jobs, query)


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
