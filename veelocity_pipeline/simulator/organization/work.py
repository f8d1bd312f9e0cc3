"""Life in Linear: issues, their states, and how they meet pull requests; incidents."""

from __future__ import annotations

import random
from collections import deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from veelocity_pipeline.simulator.organization.code_host import Account, Issue, PullRequest
from veelocity_pipeline.simulator.organization.delivery import INCIDENT_WINDOW, Lane
from veelocity_pipeline.simulator.organization.plan import REMARKS, THINGS, VERBS, TeamPlan
from veelocity_pipeline.simulator.organization.tracker import (
    Attachment,
    Cycle,
    LinearComment,
    LinearIssue,
    LinearLabel,
    LinearTeam,
    LinearUser,
    Project,
    ProjectStatus,
    StateChange,
    WorkflowState,
    Workspace,
)
from veelocity_pipeline.simulator.organization.whole import Failure, IncidentRecord
from veelocity_pipeline.simulator.organization.worktime import Process, after_work_hours, is_workday

if TYPE_CHECKING:
    from veelocity_pipeline.simulator.organization.code import RepositoryLife
    from veelocity_pipeline.simulator.organization.life import Life

_STATES = (
    ("Triage", "triage"),
    ("Backlog", "backlog"),
    ("Todo", "unstarted"),
    ("In Progress", "started"),
    ("In Review", "started"),
    ("Done", "completed"),
    ("Canceled", "canceled"),
    ("Duplicate", "duplicate"),
)
_STATUSES = ("backlog", "planned", "started", "paused", "completed", "canceled")
_PROJECTS = ("Faster pages", "New checkout", "Fewer alerts", "Mobile launch", "Old office out")
_AUTO_ARCHIVE = timedelta(days=180)


class WorkspaceLife:
    """The workspace and everything that happens in it."""

    def __init__(self, life: Life) -> None:
        self.life = life
        start = life.plan.start
        founded = start - timedelta(days=30)
        rng = life.random("workspace")
        self.workspace = Workspace(life.ids.uuid("workspace"), "Acme", "acme", founded)
        life.organization.workspace = self.workspace
        self.users: dict[str, LinearUser] = {}
        for person in life.people:
            user = LinearUser(
                life.ids.uuid("user"), person.name, person.login, person.email, False, founded, founded, person
            )
            self.users[person.id] = user
            self.workspace.users.append(user)
        self.integration = LinearUser(
            life.ids.uuid("user"), "GitHub", "github", "github@linear.example", True, founded, founded
        )
        self.workspace.users.append(self.integration)
        self.teams: dict[str, LinearTeam] = {}
        self.ready: dict[str, deque[LinearIssue]] = {}
        self.by_pull_request: dict[str, list[LinearIssue]] = {}
        self.incidents_by_fix: dict[str, IncidentRecord] = {}
        self.labels: dict[str, LinearLabel] = {}
        for name in ("Incident", "Bug", "Feature", "Chore", "Service"):
            self._label(name, founded, is_group=name == "Service")
        for repository in life.plan.repositories:
            for name in [service.name for service in repository.services] or [repository.name]:
                self._label(name, founded, self.labels["Service"])
        for position, kind in enumerate(_STATUSES):
            self.workspace.statuses.append(
                ProjectStatus(life.ids.uuid("status"), kind.capitalize(), kind, float(position), founded)
            )
        for plan in life.plan.teams:
            self._found_team(plan, founded, rng)
        self._projects(founded, rng)
        for index, day in life.plan.leavers:
            life.start(self._deactivate(self.users[life.people[index].id]), life.day(day))

    @property
    def now(self) -> datetime:
        """The present moment."""
        return self.life.now

    def _label(self, name: str, moment: datetime, parent: LinearLabel | None = None, is_group: bool = False) -> None:
        label = LinearLabel(self.life.ids.uuid("label"), name, "#5e6ad2", None, parent, is_group, moment, moment)
        self.labels[name] = label
        self.workspace.labels.append(label)

    def _found_team(self, plan: TeamPlan, founded: datetime, rng: random.Random) -> None:
        ids = self.life.ids
        team = LinearTeam(ids.uuid("team"), plan.former_key or plan.key, plan.name, founded, founded)
        for position, (name, kind) in enumerate(_STATES):
            team.states.append(WorkflowState(ids.uuid("state"), team, name, kind, float(position), founded, founded))
        members = rng.sample(self.life.people, max(2, len(self.life.people) // len(self.life.plan.teams)))
        team.members = [self.users[person.id] for person in members]
        self.teams[plan.key] = team
        self.ready[plan.key] = deque()
        self.workspace.teams.append(team)
        if self.life.plan.is_quiet:
            return
        self.life.start(self._cycles(team), self.life.plan.start)
        self.life.start(self._arrivals(plan, team), self.life.plan.start)
        if plan.key_changed_on_day is not None:
            self.life.start(self.change_key(team, plan.key), self.life.day(plan.key_changed_on_day))

    def _projects(self, founded: datetime, rng: random.Random) -> None:
        for number, topic in enumerate(_PROJECTS):
            status = self.workspace.statuses[rng.choice((1, 2, 2, 4, 5))]
            begun = None if status.type == "planned" else self.life.plan.start
            project = Project(
                self.life.ids.uuid("project"),
                topic,
                f"{topic.lower().replace(' ', '-')}-{number}",
                status,
                [rng.choice(self.workspace.teams)],
                rng.choice(self.workspace.users[:-1]),
                founded,
                founded,
                started_at=begun,
                completed_at=self.life.plan.start + timedelta(days=25) if status.type == "completed" else None,
                canceled_at=self.life.plan.start + timedelta(days=20) if status.type == "canceled" else None,
                target_date=(self.life.plan.start + timedelta(days=120)).date(),
            )
            self.workspace.projects.append(project)

    def _deactivate(self, user: LinearUser) -> Process:
        user.is_active, user.updated_at = False, self.now
        return
        yield

    def change_key(self, team: LinearTeam, key: str) -> Process:
        """The team gets another key; its issues are still found by the former one."""
        for issue in self.workspace.issues:
            if issue.team is team:
                issue.previous_identifiers.append(issue.identifier)
        team.former_keys.append(team.key)
        team.key, team.updated_at = key, self.now
        return
        yield

    def _cycles(self, team: LinearTeam) -> Process:
        number = 0
        while True:
            number += 1
            ends = self.now + timedelta(days=14)
            cycle = Cycle(self.life.ids.uuid("cycle"), team, number, None, self.now, ends, self.now, self.now)
            team.cycles.append(cycle)
            yield ends
            cycle.completed_at = cycle.updated_at = self.now

    # -- issues

    def create(
        self,
        team: LinearTeam,
        title: str,
        creator: LinearUser | None,
        state: str,
        description: str | None = None,
        priority: int = 0,
        labels: tuple[str, ...] = (),
    ) -> LinearIssue:
        """A new issue."""
        team.last_number += 1
        issue = LinearIssue(
            self.life.ids.uuid("issue"),
            team,
            team.last_number,
            title,
            description,
            team.state(state),
            priority,
            None,
            creator,
            None,
            self.now,
            self.now,
            labels=[self.labels[name] for name in labels],
        )
        self.workspace.issues.append(issue)
        return issue

    def move(self, issue: LinearIssue, name: str, actor: LinearUser | None) -> None:
        """Change an issue's state, with the times that Linear keeps."""
        state = issue.team.state(name)
        if state is issue.state:
            return
        issue.history.append(
            StateChange(self.life.ids.uuid("history"), issue, actor, self.now, from_state=issue.state, to_state=state)
        )
        issue.state, issue.updated_at = state, self.now
        if state.type == "started" and issue.started_at is None:
            issue.started_at = self.now
        issue.completed_at = self.now if state.type == "completed" else None
        issue.canceled_at = self.now if state.type in ("canceled", "duplicate") else None
        if state.type in ("completed", "canceled", "duplicate"):
            self.life.start(self._archive(issue, state), self.now + _AUTO_ARCHIVE)

    def _archive(self, issue: LinearIssue, state: WorkflowState) -> Process:
        """What was finished long ago is archived by itself."""
        if issue.state is state and issue.archived_at is None:
            issue.archived_at = issue.auto_archived_at = issue.updated_at = self.now
        return
        yield

    def _arrivals(self, plan: TeamPlan, team: LinearTeam) -> Process:
        rng = self.life.random("linear", plan.key)
        day = self.life.plan.start
        while True:
            if is_workday(day):
                count = int(plan.issues_per_day) + (rng.random() < plan.issues_per_day % 1)
                for offset in sorted(rng.randrange(9 * 3600) for _ in range(count)):
                    yield day + timedelta(hours=8, seconds=offset)
                    self._new_issue(plan, team, rng)
            day += timedelta(days=1)
            yield day

    def _new_issue(self, plan: TeamPlan, team: LinearTeam, rng: random.Random) -> None:
        active = [user for user in team.members if user.is_active]
        topic = f"{rng.choice(VERBS)} {rng.choice(THINGS)}"
        description = rng.choice((None, f"{topic}. Seen with UTF-8 input.", topic, topic, topic))
        kinds = (rng.choice(("Bug", "Feature", "Chore")),) if rng.random() < 0.7 else ()
        state = "Todo" if rng.random() < 0.6 else "Backlog"
        issue = self.create(team, topic, rng.choice(active), state, description, rng.randint(0, 4), kinds)
        issue.estimate = rng.choice((None, 1.0, 2.0, 3.0, 5.0))
        if rng.random() < 0.5:
            issue.cycle = team.cycles[-1]
        if rng.random() < 0.2:
            issue.project = rng.choice(self.workspace.projects)
        if rng.random() < 0.05:
            mates = [each for each in self.workspace.issues[-40:] if each.team is team and each is not issue]
            if mates:
                issue.parent = rng.choice(mates)
                issue.parent.children.append(issue)
        fate = rng.random()
        later = after_work_hours(self.now, rng.uniform(2, 120))
        name = (plan.key, issue.id)
        if fate < 0.70:
            self.ready[plan.key].append(issue)
        elif fate < 0.80:
            self.life.start(self._end(issue, "Canceled", rng.choice(active)), later)
        elif fate < 0.83:
            self.life.start(self._end(issue, "Duplicate", rng.choice(active)), later)
        elif fate < 0.845:
            self.life.start(self._trash(issue), later)
        elif fate < 0.87 and len(self.workspace.teams) > 1:
            other = rng.choice([each for each in self.workspace.teams if each is not team])
            self.life.start(self._change_team(issue, other, rng.choice(active)), later)
        elif fate < 0.95:
            self.life.start(self._done_by_hand(issue, rng.choice(active), name), later)
        if rng.random() < 0.25:
            self.life.start(self._remark(issue, rng.choice(active), rng.choice(REMARKS)), later)

    def _end(self, issue: LinearIssue, state: str, actor: LinearUser) -> Process:
        self.move(issue, state, actor)
        return
        yield

    def _trash(self, issue: LinearIssue) -> Process:
        issue.is_trashed = True
        issue.archived_at = issue.updated_at = self.now
        return
        yield

    def _change_team(self, issue: LinearIssue, team: LinearTeam, actor: LinearUser) -> Process:
        """The issue gets the other team's next number and remembers its former identifier."""
        before = issue.team
        issue.previous_identifiers.append(issue.identifier)
        state = team.state(issue.state.name)
        issue.history.append(
            StateChange(
                self.life.ids.uuid("history"),
                issue,
                actor,
                self.now,
                from_state=issue.state,
                to_state=state,
                from_team=before,
                to_team=team,
            )
        )
        team.last_number += 1
        issue.team, issue.number, issue.state, issue.updated_at = team, team.last_number, state, self.now
        issue.cycle = None
        key = next(plan for plan, each in self.teams.items() if each is team)
        self.ready[key].append(issue)
        return
        yield

    def _done_by_hand(self, issue: LinearIssue, actor: LinearUser, name: tuple[str, str]) -> Process:
        """Work that needs no pull request."""
        rng = self.life.random("by hand", *name)
        issue.assignee = actor
        self.move(issue, "In Progress", actor)
        yield after_work_hours(self.now, rng.lognormvariate(2.2, 0.9))
        self.move(issue, "Done", actor)

    def _remark(self, issue: LinearIssue, user: LinearUser, body: str) -> Process:
        self.comment(issue, user, body)
        return
        yield

    def comment(self, issue: LinearIssue, user: LinearUser | None, body: str) -> None:
        """Say something on an issue."""
        issue.comments.append(LinearComment(self.life.ids.uuid("comment"), issue, user, body, self.now, self.now))
        issue.updated_at = self.now

    # -- issues and pull requests

    def take(self, team_key: str, author: Account) -> LinearIssue | None:
        """The team's oldest issue that is ready; the author starts on it."""
        ready = self.ready.get(team_key)
        if not ready:
            return None
        issue = ready.popleft()
        user = self.users.get(author.id)
        issue.assignee = user
        issue.history.append(StateChange(self.life.ids.uuid("history"), issue, user, self.now, to_assignee=user))
        self.move(issue, "In Progress", user)
        return issue

    def link(self, issue: LinearIssue, pull_request: PullRequest, attached: bool) -> None:
        """The pull request is for this issue; mostly the integration sees that and attaches it."""
        issue.pull_requests.append(pull_request)
        self.by_pull_request.setdefault(pull_request.id, []).append(issue)
        if attached:
            self.attach(issue, pull_request)
        if issue.state.name == "In Progress":
            self.move(issue, "In Review", self.integration if attached else issue.assignee)

    def attach(self, issue: LinearIssue, pull_request: PullRequest) -> None:
        """An attachment whose URL is the pull request."""
        url = f"https://github.com/{pull_request.repository.full_name}/pull/{pull_request.number}"
        issue.attachments.append(
            Attachment(
                self.life.ids.uuid("attachment"),
                issue,
                url,
                pull_request.title,
                "github",
                {"number": pull_request.number, "title": pull_request.title, "url": url},
                self.now,
                self.now,
            )
        )
        issue.updated_at = self.now

    def merged(self, pull_request: PullRequest) -> None:
        """Issues whose pull requests are all merged are done; an incident knows its fix now."""
        for issue in self.by_pull_request.get(pull_request.id, ()):
            if issue.state.type == "started" and all(each.state == "MERGED" for each in issue.pull_requests):
                if any(label.name == "Incident" for label in issue.labels):
                    continue  # over when production works again
                self.move(issue, "Done", self.integration)
        record = self.incidents_by_fix.get(pull_request.id)
        if record is not None:
            record.fix = pull_request
            if record.service is None:
                self._blame(record, self._lane_of(pull_request))

    # -- incidents

    def incident(
        self, home: RepositoryLife, lane: Lane, cause: PullRequest | None, rng: random.Random
    ) -> IncidentRecord:
        """People report that something broke. The cause may be known; a label may name the service."""
        service = lane.service.rpartition("/")[2]
        title = f"{service}: {rng.choice(THINGS)} fails"
        # what caused it does not say which of several services broke
        labelled = rng.random() < 0.7 if cause is None else self._lane_of(cause) is None
        issue: LinearIssue | Issue
        if home.plan.issues_per_week and rng.random() < 0.2:
            issue = home.open_issue(title, "Users see errors.", rng.choice(self.life.present(home.members)))
            issue.labels.append(home.repository.labels["incident"])
            cause, labelled = None, False
        else:
            team = self.teams[home.plan.team]
            reporter = rng.choice([user for user in team.members if user.is_active])
            labels = ("Incident", service) if labelled else ("Incident",)
            issue = self.create(team, title, reporter, "Triage", "Users see errors.", 1, labels)
            if cause is not None:
                issue.pull_requests.append(cause)
                self.attach(issue, cause)
        record = IncidentRecord(issue, home.repository, None, cause, None, self.now)
        self.life.organization.incidents.append(record)
        self._blame(record, lane if cause is not None or labelled else self._lane_of_tracker(home, issue))
        if isinstance(issue, LinearIssue):
            responder = rng.choice([user for user in issue.team.members if user.is_active])
            issue.assignee = responder
            soon = self.now + timedelta(minutes=rng.randint(2, 20))
            self.life.start(self._end(issue, "In Progress", responder), soon)
        return record

    def _lane_of(self, pull_request: PullRequest) -> Lane | None:
        """The lane of the only service that the pull request touches; None where it touches several."""
        for home in self.life.repositories:
            if home.repository is pull_request.repository:
                return _of_only_service([lane for lane in home.delivery.lanes if lane.takes(pull_request.paths)])
        return None

    def _lane_of_tracker(self, home: RepositoryLife, issue: LinearIssue | Issue) -> Lane | None:
        """The lane of the only service that the issue's repository, or Linear team, has; None where it has several."""
        homes = [home]
        if isinstance(issue, LinearIssue):
            homes = [each for each in self.life.repositories if each.plan.team == home.plan.team]
        return _of_only_service([lane for each in homes for lane in each.delivery.lanes])

    def _blame(self, record: IncidentRecord, lane: Lane | None) -> None:
        """The deployment that the incident says had failed: its cause's, else the latest before it of the service."""
        if lane is None:
            return
        record.service = lane.service
        failed = None
        if record.cause is not None:
            failed = lane.shipped_by.get(record.cause.id)
        else:
            for candidate in reversed(lane.done):
                if candidate.finished_at is not None and candidate.finished_at <= record.created_at:
                    is_near = record.created_at - candidate.finished_at <= INCIDENT_WINDOW
                    failed = candidate if is_near else None
                    break
        if failed is not None and not failed.is_baseline:
            record.failed = failed
            failed.failures.append(Failure("incident", record.created_at, None, record.cause, record.issue))

    def fix(self, record: IncidentRecord, pull_request: PullRequest) -> None:
        """This pull request mends it; it is the fix once it is merged."""
        self.incidents_by_fix[pull_request.id] = record
        if isinstance(record.issue, LinearIssue):
            record.issue.pull_requests.append(pull_request)
            self.by_pull_request.setdefault(pull_request.id, []).append(record.issue)
            self.attach(record.issue, pull_request)
        else:
            pull_request.closing_issues.append(record.issue)
            record.issue.closed_by.append(pull_request)
            pull_request.body += f"\n\nFixes #{record.issue.number}"
            pull_request.updated_at = self.now

    def resolve(self, record: IncidentRecord, rng: random.Random) -> None:
        """It is over; or it was no incident after all."""
        issue = record.issue
        false_alarm = record.fix is None and rng.random() < 0.12
        if isinstance(issue, Issue):
            for home in self.life.repositories:
                if home.repository is issue.repository:
                    home.close_issue(issue, "NOT_PLANNED" if false_alarm else "COMPLETED")
            record.completed_at = None if false_alarm else issue.closed_at
        else:
            self.comment(issue, issue.assignee, "Back to normal.")
            self.move(issue, "Canceled" if false_alarm else "Done", issue.assignee)
            record.completed_at = issue.completed_at
        if record.failed is not None:
            failures = record.failed.failures
            for failure in [each for each in failures if each.incident is issue]:
                failure.resolved_at = record.completed_at
                if false_alarm:
                    failures.remove(failure)
            if false_alarm:
                record.failed = None


def _of_only_service(lanes: list[Lane]) -> Lane | None:
    """The first production lane, if all of them are one service's."""
    production = [lane for lane in lanes if lane.is_production]
    return production[0] if len({lane.service for lane in production}) == 1 else None
