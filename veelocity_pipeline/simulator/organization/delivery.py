"""Life after the merge: workflow runs, deployments, releases, what breaks and how it is mended."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from veelocity_pipeline.simulator.organization.code_host import (
    Account,
    Commit,
    Deployment,
    DeploymentStatus,
    Environment,
    PullRequest,
    Release,
    Repository,
    Tag,
    Workflow,
    WorkflowRun,
)
from veelocity_pipeline.simulator.organization.whole import DeploymentRecord, Failure
from veelocity_pipeline.simulator.organization.worktime import Process, after_work_hours, is_workday

if TYPE_CHECKING:
    from veelocity_pipeline.simulator.organization.code import RepositoryLife

REVERT_WINDOW = timedelta(hours=720)
INCIDENT_WINDOW = timedelta(hours=168)


@dataclass(slots=True, eq=False)
class Lane:
    """What goes to one environment of one service, one attempt after the other."""

    service: str
    environment: str
    workflow: Workflow | None
    prefix: str = ""
    is_production: bool = True
    waiting: list[tuple[int, PullRequest | None, Commit]] = field(default_factory=list)
    """(landing, pull request or None, commit) of changes that did not reach it yet."""
    done: list[DeploymentRecord] = field(default_factory=list)
    """Successful ones, in order."""
    free_at: datetime | None = None
    shipped_by: dict[str, DeploymentRecord] = field(default_factory=dict)
    """By the pull request's id."""
    last_asked: int = -1
    """The newest landing that an attempt was started for."""

    @property
    def running(self) -> DeploymentRecord | None:
        """What runs there now."""
        return self.done[-1] if self.done else None

    def takes(self, paths: list[str]) -> bool:
        """Whether a change of these paths is the service's."""
        return not self.prefix or any(path.startswith(self.prefix + "/") for path in paths)


class Delivery:
    """How one repository reaches its users."""

    def __init__(self, repository_life: RepositoryLife) -> None:
        self.home = repository_life
        self.life = repository_life.life
        self.workflows = repository_life.workflows
        self.plan = repository_life.plan
        self.repository: Repository = repository_life.repository
        self.rng = self.life.random(self.plan.name, "delivery")
        self.lanes: list[Lane] = []
        self.attempts = 0
        start = self.life.plan.start
        full_name = f"{self.repository.owner.login}/{self.plan.name}"
        kind = self.plan.delivery
        if kind == "services":
            for service in self.plan.services:
                workflow = self.workflows.workflow(service.workflow, service.file, start)
                self.lanes.append(Lane(service.name, "production", workflow, service.prefix))
        elif kind == "external":
            self.lanes = [Lane(full_name, "production", None), Lane(full_name, "production-eu", None)]
            self.lanes.append(Lane(full_name, "staging", None, is_production=False))
        else:
            self.lanes = [Lane(full_name, "production", self.workflows.workflow(*self.plan.workflow, start))]
            if kind == "train":
                self.lanes.append(Lane(full_name, "staging", self.lanes[0].workflow, is_production=False))
        if kind in ("train", "external"):
            for lane in self.lanes:
                self._environment(lane.environment)
        if self.life.plan.is_quiet:
            return
        founding = list(self.repository.commits.values())
        for lane in self.lanes:
            lane.waiting = [(commit.landing, None, commit) for commit in founding if lane.takes(commit.paths)]
        if kind == "train":
            self.life.start(self._trains(), start)
        elif kind == "releases":
            self.notes = self.workflows.workflow("Draft release notes", "release-notes.yml", start)
            self.life.start(self._releases(), start)
        elif kind == "gitflow":
            self.life.start(self._release_pull_requests(), start)
        elif kind == "external":
            self.life.start(self._external(), start)
        if self.home.is_first:
            nightly = self.workflows.workflow("Nightly deploy test", "nightly-deploy-test.yml", start)
            self.life.start(self._nightly(nightly), start)

    @property
    def now(self) -> datetime:
        """The present moment."""
        return self.life.now

    @property
    def main(self) -> Commit:
        """The default branch's last commit."""
        return self.repository.branches["main"]

    def _environment(self, name: str) -> None:
        number = self.life.ids.number("Environment")
        node = self.life.ids.node("Environment", number, self.repository.database_id)
        environment = Environment(node, number, name)
        self.repository.environments.append(environment)
        self.life.organization.nodes[node] = environment

    def _nightly(self, workflow: Workflow) -> Process:
        """A scheduled workflow with deploy in its name that deploys nothing."""
        moment = self.life.plan.start + timedelta(days=5, hours=2)
        while True:
            yield moment
            run = self.workflows.start_run(workflow, "schedule", self.life.actions, workflow.name, "main", self.main)
            yield self.now + timedelta(minutes=25)
            self.workflows.finish_attempt(run.last, "success", ["test"])
            moment += timedelta(days=7)

    # -- what landed, and how it gets out

    def landed(self, commit: Commit, changes: list[PullRequest]) -> None:
        """A commit is the default branch's new head, with these pull requests (none: it was pushed)."""
        if self.life.plan.is_quiet:
            return
        for lane in self.lanes:
            if not changes and lane.takes(commit.paths):
                lane.waiting.append((commit.landing, None, commit))
            for change in changes:
                if lane.takes(change.paths):
                    lane.waiting.append((commit.landing, change, commit))
        kind = self.plan.delivery
        if kind in ("push", "gitflow"):
            self.life.start(self._by_run(self.lanes[0], commit, "push"), self.now)
        elif kind == "services":
            touched = commit.paths if not changes else [path for each in changes for path in each.paths]
            for lane in self.lanes:
                if lane.takes(touched):
                    self.life.start(self._by_run(lane, commit, "push"), self.now)

    def _record(self, lane: Lane, kind: str, commit: Commit) -> DeploymentRecord:
        record = DeploymentRecord(
            self.repository, lane.service, lane.environment, lane.is_production, kind, commit, self.now
        )
        self.life.organization.deployments.append(record)
        return record

    def _finish(self, lane: Lane, record: DeploymentRecord, status: str) -> None:
        """Write down what the attempt did: which changes it shipped first, and what it proves about earlier ones."""
        record.status, record.finished_at = status, self.now
        if status != "success":
            return
        running = lane.running
        record.previous = running
        record.is_baseline = running is None
        record.is_redeploy = running is not None and running.commit is record.commit
        if lane.environment == "production-eu":
            main_lane = self.lanes[0]
            record.is_redeploy = any(each.commit is record.commit for each in main_lane.done)
        record.is_rollback = running is not None and record.commit.landing < running.commit.landing
        lane.done.append(record)
        if not lane.is_production:
            return
        if record.is_rollback and running is not None and not running.is_baseline:
            running.failures.append(Failure("rollback", record.started_at, self.now, rollback=record))
        if record.is_rollback:
            return
        rest = []
        for entry in lane.waiting:
            landing, change, commit = entry
            if landing > record.commit.landing:
                rest.append(entry)
            elif record.is_redeploy:
                continue
            elif change is None:
                record.shipped_commits.append(commit)
            else:
                record.shipped.append(change)
                lane.shipped_by[change.id] = record
        lane.waiting = rest
        for change in record.shipped:
            self._judge(lane, record, running, change)

    def _judge(
        self, lane: Lane, record: DeploymentRecord, running: DeploymentRecord | None, change: PullRequest
    ) -> None:
        """A revert or a hotfix that ships says that something earlier had failed."""
        if change.reverts is not None and change.reverts.reverts is None:
            original = lane.shipped_by.get(change.reverts.id)
            is_late = original is not None and self.now - (original.finished_at or self.now) > REVERT_WINDOW
            if original is not None and original is not record and not original.is_baseline and not is_late:
                original.failures.append(Failure("revert", change.created_at, self.now, change))
        if change.is_hotfix and running is not None and not running.is_baseline:
            running.failures.append(Failure("hotfix", change.created_at, self.now, change))

    def _wait_for(self, lane: Lane) -> datetime:
        return max(self.now, lane.free_at) if lane.free_at else self.now

    def _by_run(self, lane: Lane, commit: Commit, event: str) -> Process:
        """A workflow run deploys a commit of the default branch."""
        assert lane.workflow is not None
        yield self._wait_for(lane) + timedelta(seconds=self.rng.randint(5, 20))
        while lane.free_at is not None and lane.free_at > self.now:
            yield lane.free_at + timedelta(seconds=self.rng.randint(5, 20))
        if commit.landing < lane.last_asked:
            return  # a newer commit is on its way already
        lane.last_asked = commit.landing
        seconds = self.rng.randint(200, 700)
        lane.free_at = self.now + timedelta(seconds=seconds + 1)
        title = commit.message.split("\n")[0]
        author = commit.author if commit.author and commit.author.deleted_at is None else self.life.ci
        run = self.workflows.start_run(lane.workflow, event, author, title, "main", commit)
        record = self._record(lane, "workflow_run", commit)
        record.attempt = run.last
        yield self.now + timedelta(seconds=seconds)
        chance = self.rng.random()
        conclusion = "success" if chance < 0.92 else "failure" if chance < 0.97 else "cancelled"
        self.workflows.finish_attempt(run.last, conclusion, ["build", "deploy"])
        self._finish(lane, record, conclusion)
        if conclusion == "failure" and self.rng.random() < 0.7:
            yield from self._run_again(lane, run, commit)
        if lane.running is not None and lane.running.commit is commit:
            self._maybe_trouble(lane, lane.running)

    def _run_again(self, lane: Lane, run: WorkflowRun, commit: Commit) -> Process:
        """Another attempt of a run: its own start, its own end, the same commit."""
        yield self.now + timedelta(minutes=self.rng.randint(3, 25))
        while lane.free_at is not None and lane.free_at > self.now:
            yield lane.free_at + timedelta(seconds=9)
        if lane.last_asked > commit.landing:
            return  # overtaken
        seconds = self.rng.randint(200, 700)
        lane.free_at = self.now + timedelta(seconds=seconds + 1)
        attempt = self.workflows.start_attempt(run, self.rng.choice(self.life.present(self.home.members)))
        record = self._record(lane, "workflow_run", commit)
        record.attempt = attempt
        yield self.now + timedelta(seconds=seconds)
        conclusion = "success" if self.rng.random() < 0.85 else "failure"
        self.workflows.finish_attempt(attempt, conclusion, ["build", "deploy"])
        self._finish(lane, record, conclusion)

    def _trains(self) -> Process:
        """A few times a day somebody sends what is merged to staging, then to production."""
        day = self.life.plan.start
        while True:
            if is_workday(day):
                for hour in (10, 15):
                    yield day + timedelta(hours=hour, minutes=self.rng.randint(0, 50))
                    if self.main.landing > self.lanes[0].last_asked and self.rng.random() < 0.75:
                        self.life.start(self._by_deployment(self.main), self.now)
            day += timedelta(days=1)
            yield day

    def _by_deployment(self, commit: Commit) -> Process:
        """A run that makes GitHub Deployments: staging, then production."""
        production, staging = self.lanes
        assert production.workflow is not None
        while production.free_at is not None and production.free_at > self.now:
            yield production.free_at + timedelta(seconds=30)
        is_rollback = production.running is not None and commit.landing < production.running.commit.landing
        production.last_asked = max(production.last_asked, commit.landing)
        seconds = [self.rng.randint(60, 240) for _ in range(3)]
        production.free_at = self.now + timedelta(seconds=sum(seconds) + 10)
        actor = self.rng.choice(self.life.present(self.home.members))
        title = f"Roll back to {commit.sha[:7]}" if is_rollback else "Deploy"
        # a run that is started by hand runs on the branch's head, whatever commit it was told to deploy
        run = self.workflows.start_run(production.workflow, "workflow_dispatch", actor, title, "main", self.main)
        yield self.now + timedelta(seconds=seconds[0])
        jobs = ["build"]
        conclusion = "success"
        lanes = [production] if is_rollback else [staging, production]
        for lane, span in zip(lanes, seconds[1:], strict=False):
            jobs.append(f"deploy {lane.environment}")
            record = self._record(lane, "deployment", commit)
            url = f"{self._url}/actions/runs/{run.id}/job/{run.id * 3}"
            deployment = self._deployment(lane.environment, commit, "main", self.life.actions, record)
            self._status(deployment, "in_progress", self.life.actions, url)
            yield self.now + timedelta(seconds=span)
            failed = self.rng.random() < (0.01 if is_rollback else 0.05)
            conclusion = "failure" if failed else "success"
            self._end_deployment(lane, record, deployment, conclusion, self.life.actions, url)
            if failed:
                break
        self.workflows.finish_attempt(run.last, conclusion, jobs)
        if production.running is not None and production.running.commit is commit and not is_rollback:
            self._maybe_trouble(production, production.running)

    @property
    def _url(self) -> str:
        return f"https://github.com/{self.repository.full_name}"

    def _deployment(
        self, environment: str, commit: Commit, ref: str, creator: Account, record: DeploymentRecord
    ) -> Deployment:
        number = self.life.ids.number("Deployment")
        deployment = Deployment(
            self.life.ids.node("Deployment", number, self.repository.database_id),
            number,
            self.repository,
            environment,
            "deploy",
            ref,
            commit,
            creator,
            "",
            self.now,
            self.now,
        )
        self.repository.deployments.append(deployment)
        self.life.organization.nodes[deployment.id] = deployment
        record.deployment = deployment
        return deployment

    def _status(self, deployment: Deployment, state: str, creator: Account, log_url: str = "") -> None:
        number = self.life.ids.number("DeploymentStatus")
        status = DeploymentStatus(
            self.life.ids.node("DeploymentStatus", number, self.repository.database_id),
            number,
            deployment,
            state,
            creator,
            "",
            log_url,
            f"https://{deployment.environment}.acme.example" if state == "success" else "",
            self.now,
            self.now,
        )
        deployment.statuses.append(status)
        deployment.updated_at = self.now
        self.life.organization.nodes[status.id] = status

    def _end_deployment(
        self,
        lane: Lane,
        record: DeploymentRecord,
        deployment: Deployment,
        state: str,
        creator: Account,
        log_url: str = "",
    ) -> None:
        """The last status; a success makes the one before it in the environment inactive."""
        before = lane.running
        self._status(deployment, state, creator, log_url)
        self._finish(lane, record, "success" if state == "success" else "failure")
        if state == "success" and before is not None and before.deployment is not None:
            self._status(before.deployment, "inactive", creator, log_url)

    def _external(self) -> Process:
        """A tool outside Actions makes GitHub Deployments with its own account."""
        production, europe, staging = self.lanes
        creator = self.life.ci
        day = self.life.plan.start
        while True:
            yield day + timedelta(hours=11, minutes=self.rng.randint(0, 240))
            commit = self.main
            if is_workday(day) and commit.landing > production.last_asked and self.rng.random() < 0.7:
                production.last_asked = commit.landing
                production.free_at = self.now + timedelta(hours=2)
                for lane in (staging, production, europe):
                    record = self._record(lane, "deployment", commit)
                    deployment = self._deployment(lane.environment, commit, commit.sha, creator, record)
                    if self.rng.random() < 0.5:
                        self._status(deployment, "queued", creator)
                        yield self.now + timedelta(seconds=40)
                    self._status(deployment, "in_progress", creator)
                    yield self.now + timedelta(minutes=self.rng.randint(3, 12))
                    chance = self.rng.random()
                    state = "failure" if chance < 0.04 else "error" if chance < 0.06 else "success"
                    self._end_deployment(lane, record, deployment, state, creator)
                    if state != "success":
                        break
                    if lane is production and lane.running is not None:
                        self._maybe_trouble(lane, lane.running)
                    yield self.now + timedelta(minutes=20)
            day += timedelta(days=1)

    def _release_pull_requests(self) -> Process:
        """Twice a week what waits on develop goes to main by a pull request of its own."""
        day = self.life.plan.start
        while True:
            if day.weekday() in (1, 3):
                yield day + timedelta(hours=13, minutes=self.rng.randint(0, 59))
                pull_request = self.home.release_develop(self.rng)
                if pull_request is not None:
                    yield self.now + timedelta(minutes=self.rng.randint(5, 40))
                    self.home.merge(pull_request, pull_request.author)
            day += timedelta(days=1)
            yield day

    # -- releases

    def _releases(self) -> Process:
        """A release every so many days, Tuesdays; before it a release candidate."""
        day = self.life.plan.start + timedelta(days=1)
        minor = 4
        yield day + timedelta(hours=7)
        self._release("v9.0.0", is_draft=True)  # somebody's plan that is never published
        while True:
            yield day + timedelta(hours=9, minutes=self.rng.randint(0, 30))
            self._release(f"v1.{minor}.0-rc.1", is_prerelease=True)
            yield day + timedelta(hours=13, minutes=self.rng.randint(0, 59))
            draft = self._release(f"v1.{minor}.0", is_draft=True)
            yield self.now + timedelta(minutes=self.rng.randint(10, 50))
            self._publish(draft, self.main)
            minor += 1
            day += timedelta(days=self.plan.release_every_days)

    def _release(self, tag: str, is_prerelease: bool = False, is_draft: bool = False) -> Release:
        number = self.life.ids.number("Release")
        author = self.rng.choice(self.life.present(self.home.members))
        release = Release(
            self.life.ids.node("Release", number, self.repository.database_id),
            number,
            self.repository,
            tag,
            tag,
            None,
            author,
            f"What is new in {tag}",
            True,
            is_prerelease,
            self.now,
            self.now,
            None,
        )
        self.repository.releases.append(release)
        self.life.organization.nodes[release.id] = release
        if is_draft:
            run = self.workflows.start_run(
                self.notes, "workflow_dispatch", author, "Draft release notes", "main", self.main
            )
            self.workflows.finish_attempt(run.last, "success", ["notes"])
        elif is_prerelease:
            self._tag(release, self.main)
        return release

    def _tag(self, release: Release, commit: Commit) -> None:
        number = self.life.ids.number("Tag")
        is_annotated = number % 2 == 0
        node = self.life.ids.node("Tag", number, self.repository.database_id)
        tag = Tag(node, self.repository, release.tag_name, commit, is_annotated, release.author, self.now)
        self.repository.tags.append(tag)
        release.tag = tag
        release.is_draft = False
        release.published_at = release.updated_at = self.now

    def _publish(self, release: Release, commit: Commit) -> None:
        """Publish: tag the commit; the release is the deployment, the workflow it starts only builds."""
        lane = self.lanes[0]
        self._tag(release, commit)
        record = self._record(lane, "release", commit)
        record.release = release
        self._finish(lane, record, "success")
        assert lane.workflow is not None
        run = self.workflows.start_run(lane.workflow, "release", release.author, release.name, release.tag_name, commit)
        self.life.start(self._built(run), self.now + timedelta(minutes=self.rng.randint(8, 30)))
        self._maybe_trouble(lane, record)

    def _built(self, run: WorkflowRun) -> Process:
        self.workflows.finish_attempt(
            run.last, "success" if self.rng.random() < 0.95 else "failure", ["build", "publish"]
        )
        return
        yield

    def patch_release(self) -> None:
        """A release outside the row, for a repair that landed."""
        last = max(
            (each for each in self.repository.releases if not each.is_prerelease), key=lambda each: each.created_at
        )
        if last.is_draft:
            return  # the next release is being made: it takes the repair along
        head, _, patch = last.tag_name.rpartition(".")
        self._publish_now(f"{head}.{int(patch) + 1}")

    def _publish_now(self, tag: str) -> None:
        release = self._release(tag)
        self._publish(release, self.main)

    # -- trouble

    def _maybe_trouble(self, lane: Lane, record: DeploymentRecord) -> None:
        """Some deployments break something; people see it after a while."""
        if len(lane.done) > 5 and self.rng.random() < self.plan.trouble:
            delay = timedelta(minutes=self.rng.randint(10, 180))
            self.attempts += 1
            self.life.start(self._trouble(lane, record, self.attempts), self.now + delay)

    def _trouble(self, lane: Lane, record: DeploymentRecord, number: int) -> Process:
        """Notice, tell (an incident, mostly), then roll back, revert, fix at once, or fix in time."""
        if self.home.is_closed:
            return
        rng = self.life.random(self.plan.name, "trouble", number)
        cause = rng.choice(record.shipped) if record.shipped else None
        way = rng.choice(("rollback", "rollback", "revert", "revert", "hotfix", "hotfix", "patience"))
        if way == "revert" and (cause is None or cause.merge_commit is None):
            way = "hotfix"
        if self.plan.delivery in ("releases", "gitflow") and way == "rollback":
            way = "hotfix"
        incident = None
        if rng.random() < 0.65 or way == "patience":
            incident = self.life.work.incident(self.home, lane, cause if rng.random() < 0.5 else None, rng)
        yield self.now + timedelta(minutes=rng.randint(5, 45))
        fix = None
        if way == "rollback":
            yield from self._roll_back(lane, rng)
        elif way in ("revert", "hotfix"):
            topic = f"Mend {lane.service.rpartition('/')[2]}"
            fix = self.home.repair(cause, way, topic, lane.prefix or None, f"{number}")
            if incident is not None:
                self.life.work.fix(incident, fix)
            while fix.state == "OPEN":
                yield self.now + timedelta(minutes=10)
                if self.home.is_closed:
                    return
            if self.plan.delivery == "releases" and fix.state == "MERGED":
                yield self.now + timedelta(minutes=20)
                if fix.id not in lane.shipped_by:
                    self.patch_release()
            elif self.plan.delivery == "train":
                self.life.start(self._by_deployment(self.main), self.now)
        else:
            yield after_work_hours(self.now, rng.uniform(1, 12))
        if incident is not None:
            yield self.now + timedelta(minutes=rng.randint(15, 120))
            self.life.work.resolve(incident, rng)

    def _roll_back(self, lane: Lane, rng: random.Random) -> Process:
        """Put back what ran before what runs now."""
        while lane.free_at is not None and lane.free_at > self.now:
            yield lane.free_at + timedelta(seconds=15)
        running = lane.running
        older = [each for each in lane.done if running and each.commit.landing < running.commit.landing]
        if running is None or not older or running.is_rollback or running.is_baseline:
            return
        target = older[-1]
        if self.plan.delivery == "train":
            yield from self._by_deployment(target.commit)
            return
        if self.plan.delivery == "external":
            record = self._record(lane, "deployment", target.commit)
            deployment = self._deployment(lane.environment, target.commit, target.commit.sha, self.life.ci, record)
            self._status(deployment, "in_progress", self.life.ci)
            yield self.now + timedelta(minutes=rng.randint(2, 9))
            self._end_deployment(lane, record, deployment, "success", self.life.ci)
            return
        if target.attempt is None or self.now - target.attempt.run.created_at > timedelta(days=29):
            return  # GitHub lets nobody run it again
        if target.attempt.run.last.status != "completed":
            return
        seconds = rng.randint(150, 500)
        lane.free_at = self.now + timedelta(seconds=seconds + 1)
        attempt = self.workflows.start_attempt(target.attempt.run, rng.choice(self.life.present(self.home.members)))
        record = self._record(lane, "workflow_run", target.commit)
        record.attempt = attempt
        yield self.now + timedelta(seconds=seconds)
        self.workflows.finish_attempt(attempt, "success", ["build", "deploy"])
        self._finish(lane, record, "success")
