"""Workflows of a repository, and the runs of those that check pull requests."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from veelocity_pipeline.simulator.organization.code_host import (
    Account,
    Commit,
    Job,
    PullRequest,
    RunAttempt,
    Workflow,
    WorkflowRun,
)
from veelocity_pipeline.simulator.organization.worktime import Process

if TYPE_CHECKING:
    pass

from veelocity_pipeline.simulator.organization.acts import RepositoryActs


class Workflows:
    """The workflow files of one repository."""

    def __init__(self, home: RepositoryActs) -> None:
        self.life = home.life
        self.plan = home.plan
        self.repository = home.repository
        self.ci: Workflow | None = None
        self.preview: Workflow | None = None

    @property
    def now(self) -> datetime:
        """The present moment."""
        return self.life.now

    def begin_checks(self) -> None:
        """Have pull requests checked from the planned day on, if there is one."""
        if self.plan.ci_from_day is not None:
            begins = self.life.day(self.plan.ci_from_day)
            self.ci = self.workflow("CI", "ci.yml", begins)
            self.preview = self.workflow("Deploy preview", "preview.yml", begins)

    def workflow(self, name: str, file: str, created_at: datetime) -> Workflow:
        """A new workflow file; it is listed from ``created_at`` on."""
        number = self.life.ids.number("Workflow")
        node = self.life.ids.node("Workflow", number, self.repository.database_id)
        workflow = Workflow(
            number, node, self.repository, name, f".github/workflows/{file}", "active", created_at, created_at
        )
        self.repository.workflows.append(workflow)
        return workflow

    def start_run(
        self,
        workflow: Workflow,
        event: str,
        actor: Account,
        title: str,
        branch: str | None,
        commit: Commit,
        pull_request: PullRequest | None = None,
    ) -> WorkflowRun:
        """A run, with its first attempt in progress."""
        number = self.life.ids.number("WorkflowRun")
        workflow.run_count += 1
        head_repository = (pull_request and pull_request.head_repository) or self.repository
        run = WorkflowRun(
            id=number,
            node_id=self.life.ids.node("WorkflowRun", number, self.repository.database_id),
            repository=self.repository,
            workflow=workflow,
            number=workflow.run_count,
            event=event,
            actor=actor,
            title=title,
            head_branch=branch,
            head_commit=commit,
            head_repository=head_repository,
            pull_request=pull_request,
            created_at=self.now,
        )
        self.repository.runs.append(run)
        self.start_attempt(run, actor)
        return run

    def start_attempt(self, run: WorkflowRun, actor: Account) -> RunAttempt:
        """The first attempt, or one more after the last ended."""
        attempt = RunAttempt(run, len(run.attempts) + 1, actor, "in_progress", None, self.now, self.now)
        run.attempts.append(attempt)
        return attempt

    def finish_attempt(self, attempt: RunAttempt, conclusion: str, jobs: list[str]) -> None:
        """End an attempt; its jobs ran one after the other and the last one decided."""
        attempt.status, attempt.conclusion = "completed", conclusion
        attempt.updated_at = self.now
        span = (self.now - attempt.started_at) / max(len(jobs), 1)
        for index, name in enumerate(jobs):
            is_last = index == len(jobs) - 1
            attempt.jobs.append(
                Job(
                    id=self.life.ids.number("Job"),
                    attempt=attempt,
                    name=name,
                    status="completed",
                    conclusion=conclusion if is_last else "success",
                    created_at=attempt.started_at,
                    started_at=attempt.started_at + timedelta(seconds=int((span * index).total_seconds())),
                    completed_at=attempt.started_at + timedelta(seconds=int((span * (index + 1)).total_seconds())),
                )
            )

    def check(self, pull_request: PullRequest) -> None:
        """Start the workflows that a pull request triggers; none of them deploys."""
        if self.ci is None or self.preview is None or self.now < self.ci.created_at:
            return
        rng = self.life.random(self.plan.name, "checks", pull_request.number)
        if rng.random() > self.plan.ci_share:
            return
        outcome = "success" if rng.random() < 0.85 else "failure"
        self._start_check(self.ci, pull_request, rng.randint(120, 900), outcome)
        if rng.random() < 0.1:
            self._start_check(self.preview, pull_request, rng.randint(60, 200), "success")

    def _start_check(self, workflow: Workflow, pull_request: PullRequest, seconds: int, outcome: str) -> None:
        run = self.start_run(
            workflow,
            "pull_request",
            pull_request.author,
            pull_request.title,
            pull_request.head_branch,
            pull_request.head,
            pull_request,
        )
        self.life.start(self._finish_check(run, outcome), self.now + timedelta(seconds=seconds))

    def _finish_check(self, run: WorkflowRun, outcome: str) -> Process:
        self.finish_attempt(run.last, outcome, ["test"])
        return
        yield
