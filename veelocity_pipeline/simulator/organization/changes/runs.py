"""Changes to workflows and their runs."""

from __future__ import annotations

from datetime import timedelta

from veelocity_pipeline.simulator.organization.changes.base import NotNowError, Picks, Scene, change, made
from veelocity_pipeline.simulator.organization.code import RepositoryLife
from veelocity_pipeline.simulator.organization.code_host import (
    Workflow,
    WorkflowRun,
)


def _workflow(scene: Scene, home: RepositoryLife, picks: Picks) -> Workflow:
    active = [each for each in home.repository.workflows if each.state == "active"]
    if len(active) < 2 and (not active or picks.flag()):
        number = len(home.repository.workflows) + 1
        return home.workflows.workflow(("Deploy", "Check")[number % 2], f"work-{number}.yml", scene.now)
    return picks.one(active)


@change("start a run")
def _start_run(scene: Scene, picks: Picks, fork: bool = False) -> str:
    home = picks.one(scene.homes())
    repository = home.repository
    commit = scene.default_head(repository)
    workflow = _workflow(scene, home, picks)
    event = ("push", "workflow_dispatch", "release", "schedule")[picks.number(4)]
    pull_request = None
    if fork:
        found = [each for each in repository.pull_requests if each.is_cross_repository and each.head_repository]
        pull_request = picks.one(found)
        event, commit = "pull_request", pull_request.head
    branch = repository.default_branch
    run = home.workflows.start_run(
        workflow, event, scene.person(picks), scene.topic(picks), branch, commit, pull_request
    )
    if picks.flag():
        run.last.status = "queued"
    return f"run {run.id} of {repository.full_name} is {run.last.status}{' (from a fork)' if fork else ''}"


@change("start a run from a fork")
def _start_fork_run(scene: Scene, picks: Picks) -> str:
    return _start_run(scene, picks, fork=True)


def _runs(scene: Scene, *states: str) -> list[WorkflowRun]:
    found = [each for home in scene.life.repositories for each in home.repository.runs]
    return [each for each in sorted(found, key=made) if each.last.status in states]


@change("go on with a run")
def _go_on(scene: Scene, picks: Picks) -> str:
    run = picks.one(_runs(scene, "queued", "in_progress", "waiting"))
    attempt = run.last
    if attempt.status == "queued":
        attempt.status, attempt.updated_at = ("in_progress", "waiting")[picks.number(2)], scene.now
    else:
        conclusion = ("success", "failure", "cancelled", "timed_out")[picks.number(4)]
        jobs = [f"deploy {number}" for number in range(1 + picks.number(3))]
        scene.home(run.repository).workflows.finish_attempt(attempt, conclusion, jobs)
    return f"run {run.id} of {run.repository.full_name} is {attempt.conclusion or attempt.status}"


@change("run again")
def _run_again(scene: Scene, picks: Picks) -> str:
    """For 30 days after it was created, and no more than 50 times."""
    month = timedelta(days=30)
    run = picks.one(each for each in _runs(scene, "completed") if scene.now - each.created_at <= month)
    attempt = scene.home(run.repository).workflows.start_attempt(run, scene.person(picks))
    return f"run {run.id} of {run.repository.full_name} is run again (attempt {attempt.number})"


@change("cancel a run")
def _cancel(scene: Scene, picks: Picks) -> str:
    run = picks.one(_runs(scene, "queued", "in_progress", "waiting"))
    scene.home(run.repository).workflows.finish_attempt(run.last, "cancelled", [])
    return f"run {run.id} of {run.repository.full_name} is cancelled"


@change("delete a run")
def _delete_run(scene: Scene, picks: Picks) -> str:
    run = picks.one(_runs(scene, "completed"))
    run.repository.runs.remove(run)
    return f"run {run.id} of {run.repository.full_name} is deleted"


@change("let old runs expire")
def _expire(scene: Scene, picks: Picks) -> str:
    """GitHub keeps runs for 400 days, or for fewer as the repository says."""
    days = (400, 90)[picks.number(2)]
    repository = picks.one(scene.life.repositories).repository
    kept = [each for each in repository.runs if scene.now - each.created_at < timedelta(days=days)]
    gone = len(repository.runs) - len(kept)
    if not gone:
        raise NotNowError
    repository.runs = kept
    return f"{gone} runs of {repository.full_name} expire, which are older than {days} days"


def _workflows(scene: Scene) -> list[Workflow]:
    return [each for home in scene.homes() for each in home.repository.workflows]


@change("rename a workflow")
def _rename_workflow(scene: Scene, picks: Picks) -> str:
    workflow = picks.one(_workflows(scene))
    workflow.name, workflow.updated_at = f"{workflow.name.split()[0]} {scene.life.ids.number('Edit')}", scene.now
    return f"a workflow of {workflow.repository.full_name} is renamed to {workflow.name}"


@change("disable a workflow")
def _disable_workflow(scene: Scene, picks: Picks) -> str:
    workflow = picks.one(each for each in _workflows(scene) if each.state == "active")
    workflow.state, workflow.updated_at = ("disabled_manually", "deleted")[picks.number(2)], scene.now
    return f"workflow {workflow.name} of {workflow.repository.full_name} is {workflow.state}"


@change("delete a workflow")
def _delete_workflow(scene: Scene, picks: Picks) -> str:
    """It is listed for as long as it has runs."""
    with_runs = {run.workflow.id for home in scene.life.repositories for run in home.repository.runs}
    workflow = picks.one(each for each in _workflows(scene) if each.id not in with_runs)
    workflow.repository.workflows.remove(workflow)
    return f"workflow {workflow.name} of {workflow.repository.full_name} is no longer listed"
