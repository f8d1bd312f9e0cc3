"""What the simulated organisation's own records say, worked out in plain Python by the definitions of the metrics.

Nothing here knows a model of the pipeline: the input is the organisation (its pull requests, reviews, issues, the
deployments and incidents that its people wrote down) and the settings that describe its teams; the output are rows
to compare with published marts. Times are naive UTC, as in the marts; durations are hours.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from veelocity_pipeline.simulator import Organization
from veelocity_pipeline.simulator.organization.code_host import Account, Commit, Issue, PullRequest, Repository
from veelocity_pipeline.simulator.organization.tracker import LinearIssue
from veelocity_pipeline.simulator.organization.whole import DeploymentRecord

INCIDENT_WINDOW = timedelta(hours=168)
FOREVER = datetime.max.replace(tzinfo=UTC)


def hours(start: datetime | None, end: datetime | None) -> float | None:
    """Elapsed hours; None where an end is unknown, or before its start."""
    if start is None or end is None or end < start:
        return None
    return (end - start).total_seconds() / 3600


def quantile(values: list[float], share: float) -> float | None:
    """The quantile between the two nearest values, in proportion."""
    if not values:
        return None
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


@dataclass(frozen=True, repr=False)
class Milestones:
    """When a pull request got how far."""

    first_commit_at: datetime | None
    ready_at: datetime | None
    first_review_at: datetime | None
    first_response_at: datetime | None
    first_approval_at: datetime | None


@dataclass(frozen=True, repr=False)
class Change:
    """A merged pull request or a direct commit; ``record`` is None while its service has not been deployed since."""

    id: str
    repository: str
    service: str | None
    pull_request: PullRequest | None
    commit: Commit
    first_commit_at: datetime
    merged_at: datetime
    record: DeploymentRecord | None
    is_bot: bool

    @property
    def deployed_at(self) -> datetime | None:
        return self.record.finished_at if self.record else None

    @property
    def lead_time(self) -> float | None:
        return hours(self.first_commit_at, self.deployed_at)


@dataclass(frozen=True, repr=False)
class Evidence:
    """Why a deployment had failed."""

    record: DeploymentRecord
    kind: str
    id: str
    resolved_at: datetime | None


@dataclass(frozen=True, repr=False)
class Incident:
    """An issue that was an incident; ``failed`` is the deployment that it tells of."""

    issue: LinearIssue | Issue
    service: str | None
    cause: PullRequest | None
    fixes: tuple[PullRequest, ...]
    failed: DeploymentRecord | None
    fixed_at: datetime | None
    completed_at: datetime | None

    @property
    def fix(self) -> PullRequest | None:
        return self.fixes[-1] if self.fixes else None


@dataclass(frozen=True, repr=False)
class Measurement:
    """A metric of one thing, with all scopes that it belongs to."""

    metric: str
    id: str
    at: datetime
    value: float
    repository: str | None
    service: str | None
    teams: frozenset[str]


@dataclass(repr=False)
class Truth:
    """An organisation's records, read by the definitions of the metrics.

    Args:
        organization: the simulated organisation.
        configuration: the ``veelocity.toml`` that the marts were made with.
    """

    organization: Organization
    configuration: str
    settings: dict[str, Any] = field(init=False)
    _measured: dict[tuple[str, tuple[str, str]], list[Measurement]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.settings = tomllib.loads(self.configuration)

    # -- names

    def repository_id(self, repository: Repository) -> str:
        return f"github:{repository.full_name}"

    def pull_request_id(self, pull_request: PullRequest) -> str:
        return f"github:{pull_request.repository.full_name}#{pull_request.number}"

    def issue_id(self, issue: LinearIssue | Issue) -> str:
        if isinstance(issue, LinearIssue):
            return f"linear:{issue.identifier}"
        return f"github:{issue.repository.full_name}#{issue.number}"

    def service_id(self, record: DeploymentRecord) -> str:
        """A service of a monorepo is named in it; any other repository is a service itself."""
        repository = self.repository_id(record.repository)
        return repository if record.service == record.repository.full_name else f"{repository}/{record.service}"

    def deployment_id(self, record: DeploymentRecord) -> str:
        service = self.service_id(record)
        if record.attempt is not None:
            return f"{service}/runs/{record.attempt.run.id}/attempts/{record.attempt.number}"
        if record.deployment is not None:
            return f"{service}/deployments/{record.deployment.database_id}"
        assert record.release is not None
        return f"{service}/releases/{record.release.tag_name}"

    def is_bot(self, account: Account | None) -> bool:
        return account is not None and (account.kind == "Bot" or account.login in self.settings["people"]["bots"])

    def seen(self, account: Account) -> Account | None:
        """The account as the world sees it: nobody, once it is deleted."""
        return account if account.deleted_at is None else None

    # -- pull requests

    @cached_property
    def pull_requests(self) -> dict[str, PullRequest]:
        return {
            self.pull_request_id(each): each
            for repository in self.organization.repositories
            for each in repository.pull_requests
        }

    def is_by_bot(self, pull_request: PullRequest) -> bool:
        return self.is_bot(self.seen(pull_request.author))

    def first_commit_at(self, pull_request: PullRequest) -> datetime | None:
        """When the first commit of its own was written, or it was opened, if that was before."""
        if pull_request.is_carrier:
            return None

        def is_before(other: PullRequest) -> bool:
            mine = (pull_request.merged_at or FOREVER, pull_request.number)
            return other.merged_at is not None and (other.merged_at, other.number) < mine

        of_others = {
            each.commit
            for other in pull_request.repository.pull_requests
            if other is not pull_request and is_before(other)
            for each in other.commits
        }
        commits = [each.commit for each in pull_request.commits]
        own = [each for each in commits if each not in of_others and len(each.parents) < 2] or commits
        first = min((each.authored_at for each in own), default=None)
        return first and min(first, pull_request.created_at)

    def milestones(self, pull_request: PullRequest) -> Milestones:
        author = self.seen(pull_request.author)

        def is_another_human(account: Account) -> bool:
            person = self.seen(account)
            return person is not author and not self.is_bot(person)

        sent = [each for each in pull_request.reviews if each.submitted_at and is_another_human(each.author)]
        reviews = [each.submitted_at for each in sent if each.submitted_at]
        remarks = [
            max(remark.created_at, review.submitted_at)
            for review in pull_request.reviews
            if review.submitted_at
            for remark in review.comments
            if is_another_human(remark.author)
        ]
        comments = [each.created_at for each in pull_request.comments if is_another_human(each.author)]
        first_review = min(reviews, default=None)
        moves = [each for each in pull_request.events if each.kind in ("ReadyForReviewEvent", "ConvertToDraftEvent")]
        became_ready = [each.created_at for each in moves if each.kind == "ReadyForReviewEvent"]
        if not moves or min(moves, key=lambda each: each.created_at).kind == "ConvertToDraftEvent":
            became_ready.append(pull_request.created_at)
        in_time = [each for each in became_ready if first_review is not None and each <= first_review]
        ready = None if pull_request.is_draft else max(in_time, default=min(became_ready, default=None))
        until = pull_request.merged_at or FOREVER
        responses = [each for each in (*reviews, *remarks, *comments) if ready is not None and ready <= each <= until]
        return Milestones(
            first_commit_at=self.first_commit_at(pull_request),
            ready_at=ready,
            first_review_at=first_review,
            first_response_at=min(responses, default=None),
            first_approval_at=min((each.submitted_at for each in sent if each.state == "APPROVED"), default=None),  # type: ignore[type-var]
        )

    # -- deployments

    @cached_property
    def records(self) -> dict[str, DeploymentRecord]:
        """All attempts to deploy, to other environments than production too."""
        return {self.deployment_id(each): each for each in self.organization.deployments}

    @cached_property
    def successes(self) -> list[DeploymentRecord]:
        """Successful production deployments in order of finish."""
        done = [each for each in self.records.values() if each.is_production and each.status == "success"]
        return sorted(done, key=lambda each: each.finished_at or FOREVER)

    @cached_property
    def baselines(self) -> set[str]:
        """By service: its first deployment, to whatever production environment."""
        firsts: dict[str, DeploymentRecord] = {}
        for record in self.successes:
            firsts.setdefault(self.service_id(record), record)
        return {self.deployment_id(each) for each in firsts.values()}

    def is_baseline(self, record: DeploymentRecord) -> bool:
        return self.deployment_id(record) in self.baselines

    @cached_property
    def counted(self) -> list[DeploymentRecord]:
        return [each for each in self.successes if not each.is_redeploy]

    def stands_for(self, record: DeploymentRecord) -> DeploymentRecord:
        """A re-deploy is no deployment of its own: it is the last counted one that brought this commit."""
        same = [
            each
            for each in self.counted
            if each.service == record.service
            and each.repository is record.repository
            and each.commit is record.commit
            and (each.finished_at or FOREVER) <= (record.finished_at or FOREVER)
        ]
        return same[-1]

    # -- changes

    @cached_property
    def services(self) -> dict[str, list[tuple[str, str]]]:
        """By repository: its services and the folder of each ("" is everything)."""
        found: dict[str, list[tuple[str, str]]] = {
            self.repository_id(each): [(self.repository_id(each), "")] for each in self.organization.repositories
        }
        named = defaultdict(list)
        for service in self.settings.get("services", []):
            repository = f"github:{service['repository']}"
            [path] = service["paths"]
            named[repository].append((f"{repository}/{service['name']}", path.removesuffix("**")))
        return {**found, **named}

    def services_of(self, repository: str, paths: list[str]) -> Sequence[str | None]:
        """Those that a change of these paths belongs to; one that belongs to none is of no service."""
        found = [
            service
            for service, folder in self.services[repository]
            if not folder or any(path.startswith(folder) for path in paths)
        ]
        return found or [None]

    @cached_property
    def changes(self) -> list[Change]:
        """Everything that can be shipped, once for each service that it belongs to (none: once, for no service)."""
        shipped: dict[tuple[str, str], DeploymentRecord] = {}
        for record in self.successes:
            items: list[PullRequest | Commit] = [*record.shipped, *record.shipped_commits]
            for item in items:
                shipped.setdefault((self.service_id(record), item.id), record)
        return list(self._changes(shipped))

    def _changes(self, shipped: dict[tuple[str, str], DeploymentRecord]) -> Iterator[Change]:
        for name, pull_request in self.pull_requests.items():
            if pull_request.merged_at is None or pull_request.merge_commit is None or pull_request.is_carrier:
                continue
            repository = self.repository_id(pull_request.repository)
            for service in self.services_of(repository, pull_request.paths):
                first = self.first_commit_at(pull_request)
                assert first is not None
                yield Change(
                    name,
                    repository,
                    service,
                    pull_request,
                    pull_request.merge_commit,
                    first,
                    pull_request.merged_at,
                    shipped.get((service or "", pull_request.id)),
                    self.is_by_bot(pull_request),
                )
        for each in self.organization.repositories:
            repository = self.repository_id(each)
            for commit in each.commits.values():
                if commit.landing < 0 or commit.pull_requests or len(commit.parents) > 1:
                    continue
                for service in self.services_of(repository, commit.paths):
                    yield Change(
                        f"{repository}@{commit.sha}",
                        repository,
                        service,
                        None,
                        commit,
                        commit.committed_at,
                        commit.committed_at,
                        shipped.get((service or "", commit.id)),
                        self.is_bot(commit.author),
                    )

    def shipped_by(self, pull_request: PullRequest, service: str | None) -> DeploymentRecord | None:
        """The first deployment (of this service, or of any) that brought it to production."""
        found = [
            each.record
            for each in self.changes
            if each.pull_request is pull_request and each.record and service in (None, each.service)
        ]
        return min(found, key=lambda each: each.finished_at or FOREVER, default=None)

    @cached_property
    def first_deployments(self) -> dict[str, DeploymentRecord]:
        """By pull request: the first deployment that brought it to production."""
        found: dict[str, DeploymentRecord] = {}
        for change in self.changes:
            if change.pull_request is not None and change.record is not None:
                before = found.get(change.id)
                if before is None or (change.record.finished_at or FOREVER) < (before.finished_at or FOREVER):
                    found[change.id] = change.record
        return found

    def deployment_of(self, name: str) -> DeploymentRecord | None:
        """The first deployment that brought a pull request to production; a carrier arrives with its merge commit."""
        pull_request = self.pull_requests[name]
        if not pull_request.is_carrier or pull_request.merge_commit is None:
            return self.first_deployments.get(name)
        own = [each for each in self.successes if each.repository is pull_request.repository]
        return next((each for each in own if pull_request.merge_commit in self._reachable(each.commit)), None)

    def _reachable(self, commit: Commit) -> set[Commit]:
        found, waiting = {commit}, [commit]
        while waiting:
            new = [each for each in waiting.pop().parents if each not in found]
            found.update(new)
            waiting += new
        return found

    # -- issues and their pull requests

    @cached_property
    def issues(self) -> dict[str, LinearIssue | Issue]:
        found: list[LinearIssue | Issue] = []
        found += [each for each in self.organization.workspace.issues if not each.is_trashed]
        found += [each for repository in self.organization.repositories for each in repository.issues]
        return {self.issue_id(each): each for each in found}

    @cached_property
    def links(self) -> dict[str, set[str]]:
        """By issue: the pull requests made for it, and those that name it, as a revert names what it reverts."""
        found: dict[str, set[str]] = defaultdict(set)
        spellings: dict[str, str] = {}
        for name, issue in self.issues.items():
            if isinstance(issue, Issue):
                found[name] |= {self.pull_request_id(each) for each in issue.closed_by}
                continue
            found[name] |= {self.pull_request_id(each) for each in issue.pull_requests}
            for team_key in (issue.team.key, *issue.team.former_keys):
                spellings.setdefault(f"{team_key}-{issue.number}".lower(), name)
            for identifier in issue.previous_identifiers:
                spellings.setdefault(identifier.lower(), name)
        for name, pull_request in self.pull_requests.items():
            for text in (pull_request.title, pull_request.head_branch):
                for key in re.findall(r"(?<![a-z0-9])[a-z]+-[0-9]+(?![a-z0-9])", text.lower()):
                    if key in spellings:
                        found[spellings[key]].add(name)
        return found

    def last_merged(self, issue: str) -> PullRequest | None:
        """The last pull request that was merged for it, by a human and not to take something back."""
        merged = [self.pull_requests[each] for each in self.links.get(issue, ())]
        return max(
            (each for each in merged if each.merged_at and not self.is_by_bot(each) and each.reverts is None),
            key=lambda each: (each.merged_at or FOREVER, each.created_at),
            default=None,
        )

    def completed_at(self, issue: LinearIssue | Issue) -> datetime | None:
        if isinstance(issue, LinearIssue):
            return issue.completed_at if issue.state.type == "completed" else None
        return issue.closed_at if issue.state == "CLOSED" and issue.state_reason == "COMPLETED" else None

    def category(self, issue: LinearIssue | Issue) -> str:
        if isinstance(issue, LinearIssue):
            return "canceled" if issue.state.type == "duplicate" else issue.state.type
        if issue.state == "OPEN":
            return "unstarted"
        return "completed" if issue.state_reason == "COMPLETED" else "canceled"

    # -- what failed

    @cached_property
    def incidents(self) -> dict[str, Incident]:
        """Issues that the organisation called incidents and did not take back."""
        return {
            self.issue_id(each.issue): self._incident(each.issue)
            for each in self.organization.incidents
            if self.category(each.issue) != "canceled"
        }

    def _incident(self, issue: LinearIssue | Issue) -> Incident:
        linked = [self.pull_requests[each] for each in self.links.get(self.issue_id(issue), ())]
        merged = sorted((each for each in linked if each.merged_at), key=lambda each: each.merged_at or FOREVER)
        closing = {self.pull_request_id(each) for each in issue.closed_by} if isinstance(issue, Issue) else set()

        def had_begun(record: DeploymentRecord | None) -> bool:
            return record is not None and record.started_at <= issue.created_at

        before = [
            each
            for each in merged
            if (each.merged_at or FOREVER) < issue.created_at and self.pull_request_id(each) not in closing
        ]
        fixes = [each for each in merged if each not in before]
        cause = max(
            before, key=lambda each: (had_begun(self.shipped_by(each, None)), each.merged_at or FOREVER), default=None
        )
        service = next(
            (found for found in self._services_of_incident(issue, cause, fixes[0] if fixes else None) if found), None
        )
        shipped = {id(each): self.shipped_by(each, service) for each in fixes}
        fixes.sort(
            key=lambda each: (
                (record.finished_at if (record := shipped[id(each)]) else None) or datetime.min.replace(tzinfo=UTC)
            )
        )
        ends = [record.finished_at for record in shipped.values() if record and record.finished_at]
        failed = None
        if cause is not None:
            failed = self.shipped_by(cause, service)
            failed = failed if had_begun(failed) else None
        elif service is not None:
            bound = min([issue.created_at, *ends])
            finished = [
                each
                for each in self.counted
                if self.service_id(each) == service and (each.finished_at or FOREVER) < bound
            ]
            if finished and issue.created_at - (finished[-1].finished_at or FOREVER) <= INCIDENT_WINDOW:
                failed = finished[-1]
        fixed_at = max(ends) if len(ends) == len(fixes) and ends else None
        return Incident(issue, service, cause, tuple(fixes), failed, fixed_at, self.completed_at(issue))

    def restored_at(self, incident: Incident) -> datetime | None:
        """When the service was restored: by what took its deployment back or mended it, by its fixes, by itself."""
        remedies: list[datetime] = []
        if incident.failed is not None and not self.is_baseline(self.stands_for(incident.failed)):
            name = self.deployment_id(self.stands_for(incident.failed))
            remedies = [
                each.resolved_at
                for (deployment, kind, _), each in self._remedies.items()
                if deployment == name and kind != "incident" and each.resolved_at
            ]
        if incident.fixes:
            return min([*remedies, *([incident.fixed_at] if incident.fixed_at else [])], default=None)
        return min(remedies, default=incident.completed_at)

    def _services_of_incident(
        self, issue: LinearIssue | Issue, cause: PullRequest | None, fix: PullRequest | None
    ) -> Iterator[str | None]:
        """The service that broke: of the cause, the fix, a label, the tracker; None where that tells no single one."""

        def only(services: Sequence[str | None]) -> str | None:
            return services[0] if len(services) == 1 else None

        for change in (cause, fix):
            if change is not None:
                yield only(self.services_of(self.repository_id(change.repository), change.paths))
        everything = [service for services in self.services.values() for service, _ in services]
        labels = {label.name.lower() for label in issue.labels}
        yield only([each for each in everything if each.rpartition("/")[2].lower() in labels])
        if isinstance(issue, Issue):
            yield only([service for service, _ in self.services[self.repository_id(issue.repository)]])
        else:
            for team in self.settings.get("teams", []):
                if issue.team.key in team["linear_teams"]:
                    yield only([each for each in everything if team["name"] in self.teams_of_service(each)])

    @cached_property
    def _remedies(self) -> dict[tuple[str, str, str], Evidence]:
        """By (deployment, kind, evidence): what took a counted deployment back, or mended it."""
        found: list[Evidence] = []
        for record in self.successes:
            for failure in record.failures:
                if failure.rollback is not None:
                    name = self.deployment_id(failure.rollback)
                elif failure.pull_request is not None and failure.evidence != "incident":
                    name = self.pull_request_id(failure.pull_request)
                else:
                    continue
                found.append(Evidence(self.stands_for(record), failure.evidence, name, failure.resolved_at))
        return self._first_of_each(found)

    @cached_property
    def failures(self) -> dict[tuple[str, str, str], Evidence]:
        """By (deployment, kind, evidence): everything that proves a counted deployment wrong."""
        found = [
            Evidence(self.stands_for(incident.failed), "incident", name, self.restored_at(incident))
            for name, incident in self.incidents.items()
            if incident.failed is not None
        ]
        return {**self._remedies, **self._first_of_each(found)}

    def _first_of_each(self, found: list[Evidence]) -> dict[tuple[str, str, str], Evidence]:
        result: dict[tuple[str, str, str], Evidence] = {}
        for evidence in sorted(found, key=lambda each: each.resolved_at or FOREVER):
            if not self.is_baseline(evidence.record):
                result.setdefault((self.deployment_id(evidence.record), evidence.kind, evidence.id), evidence)
        return result

    @cached_property
    def failed(self) -> dict[str, datetime | None]:
        """By failed deployment: when it had recovered; with incidents when the last of them was over."""
        by_deployment: dict[str, list[Evidence]] = defaultdict(list)
        for (deployment, _, _), evidence in self.failures.items():
            by_deployment[deployment].append(evidence)
        result: dict[str, datetime | None] = {}
        for deployment, pieces in by_deployment.items():
            incidents = [each.resolved_at for each in pieces if each.kind == "incident"]
            if incidents:
                ends = [each for each in incidents if each is not None]
                result[deployment] = max(ends) if len(ends) == len(incidents) else None
            else:
                result[deployment] = min((each.resolved_at for each in pieces if each.resolved_at), default=None)
        return result

    @cached_property
    def rework(self) -> set[str]:
        """Deployments made because users saw something break: a rollback, or one that ships a repair."""
        found = {self.deployment_id(each) for each in self.successes if each.is_rollback}
        for change in self.changes:
            repair, record = change.pull_request, change.record
            if repair is None or record is None:
                continue
            mended = [each.service for each in self.incidents.values() if repair in each.fixes]
            is_fix = None in mended or change.service in mended
            if is_fix or (repair.is_hotfix and record.previous is not None) or self._reverts_in_production(change):
                found.add(self.deployment_id(record))
        return found

    def _reverts_in_production(self, change: Change) -> bool:
        """Whether it takes back what an earlier deployment of the service had brought; no revert of a revert."""
        reverted = change.pull_request.reverts if change.pull_request else None
        if reverted is None or reverted.reverts is not None or change.record is None:
            return False
        original = self.shipped_by(reverted, change.service)
        return original is not None and (original.finished_at or FOREVER) < (change.deployed_at or FOREVER)

    # -- teams

    def teams_of_service(self, service: str) -> frozenset[str]:
        name = service.removeprefix("github:")
        return frozenset(
            team["name"]
            for team in self.settings.get("teams", [])
            if any(name == each or name.startswith(f"{each}/") for each in team["repositories"])
            or name.rpartition("/")[2] in team["services"]
        )

    def teams_of_author(self, pull_request: PullRequest) -> frozenset[str]:
        author = self.seen(pull_request.author)
        return frozenset(
            team["name"] for team in self.settings.get("teams", []) if author and author.login in team["members"]
        )

    def teams_of_tracker(self, issue: LinearIssue | Issue) -> frozenset[str]:
        """A Linear team that no team of the settings claims is a team of its own."""
        if isinstance(issue, Issue):
            return frozenset()
        claimed = frozenset(
            team["name"] for team in self.settings.get("teams", []) if issue.team.key in team["linear_teams"]
        )
        return claimed or frozenset({issue.team.key})

    # -- metrics

    @cached_property
    def measurements(self) -> dict[str, list[Measurement]]:
        """By metric: all that is measured. What cannot be, or must not be, measured is not there."""
        found: dict[str, list[Measurement]] = defaultdict(list)
        for each in (*self._of_deployments(), *self._of_changes(), *self._of_pull_requests(), *self._of_issues()):
            found[each.metric].append(each)
        return found

    def _of_deployments(self) -> Iterator[Measurement]:
        for record in self.successes:
            assert record.finished_at is not None
            name, service = self.deployment_id(record), self.service_id(record)
            where = (self.repository_id(record.repository), service, self.teams_of_service(service))
            if record.is_redeploy:
                yield Measurement("redeployments", name, record.finished_at, 1.0, *where)
                continue
            yield Measurement("deployment_frequency", name, record.finished_at, 1.0, *where)
            yield Measurement("change_fail_rate", name, record.finished_at, float(name in self.failed), *where)
            yield Measurement("rework_rate", name, record.finished_at, float(name in self.rework), *where)
            recovered_at = self.failed.get(name)
            recovery = hours(record.finished_at, recovered_at)
            if recovered_at is not None and recovery is not None:
                yield Measurement("recovery", name, recovered_at, recovery, *where)

    def _of_changes(self) -> Iterator[Measurement]:
        for change in self.changes:
            record, lead_time = change.record, change.lead_time
            if (
                record is None
                or self.is_baseline(record)
                or change.is_bot
                or lead_time is None
                or change.service is None
            ):
                continue
            assert record.finished_at is not None
            metric = "commit_lead_time" if change.pull_request is None else "lead_time"
            teams = self.teams_of_service(change.service)
            yield Measurement(
                metric, change.id, record.finished_at, lead_time, change.repository, change.service, teams
            )

    def _of_pull_requests(self) -> Iterator[Measurement]:
        for name, pull_request in self.pull_requests.items():
            at = self.milestones(pull_request)
            created_at, merged_at = pull_request.created_at, pull_request.merged_at
            spans = {
                "pull_requests_opened": (created_at, created_at),
                "pull_requests_merged": (merged_at, merged_at),
                "time_to_first_review": (created_at, at.first_review_at),
                "pickup": (at.ready_at, at.first_response_at),
                "review": (at.first_response_at, merged_at),
                "merge_time": (created_at, merged_at),
            }
            if self.is_by_bot(pull_request):
                spans = {"pull_requests_merged_by_bots": (merged_at, merged_at)}
            repository = self.repository_id(pull_request.repository)
            teams = self.teams_of_author(pull_request)
            for service in self.services_of(repository, pull_request.paths):
                for metric, (start, end) in spans.items():
                    value = hours(start, end)
                    if value is not None and end is not None:
                        yield Measurement(metric, name, end, value, repository, service, teams)

    def _of_issues(self) -> Iterator[Measurement]:
        for name, issue in self.issues.items():
            pull_request = self.last_merged(name)
            started_at = issue.started_at if isinstance(issue, LinearIssue) else None
            completed_at = self.completed_at(issue)
            spans = {
                "issues_completed": (completed_at, completed_at),
                "started_to_completed": (started_at, completed_at),
            }
            if pull_request is not None and self.category(issue) != "canceled":
                spans["cycle_time"] = (issue.created_at, pull_request.merged_at)
            if name in self.incidents:
                spans["time_to_restore"] = (issue.created_at, self.restored_at(self.incidents[name]))
            repository = self.repository_id(pull_request.repository) if pull_request else None
            services: list[str | None] = [None]
            if pull_request and repository:
                services = [*self.services_of(repository, pull_request.paths)] or [None]
            if isinstance(issue, Issue):
                repository = self.repository_id(issue.repository)
            for metric, (start, end) in spans.items():
                value = hours(start, end)
                if value is None or end is None:
                    continue
                teams = self.teams_of_tracker(issue)
                if metric == "time_to_restore":
                    service = self.incidents[name].service
                    where = repository if isinstance(issue, Issue) else None
                    if service:
                        where = self.repository_of(service)
                    owners = self.teams_of_service(service) if service else frozenset()
                    yield Measurement(metric, name, end, value, where, service, teams | owners)
                    continue
                for service in services:
                    yield Measurement(metric, name, end, value, repository, service, teams)

    def repository_of(self, service: str) -> str:
        return next(name for name, services in self.services.items() if service in [each for each, _ in services])

    # -- scopes and times

    @cached_property
    def scopes(self) -> dict[tuple[str, str], Callable[[Measurement], bool]]:
        """By (kind, name): whether a measurement belongs to it."""
        result: dict[tuple[str, str], Callable[[Measurement], bool]] = {("all", "all"): lambda each: True}
        for repository, services in self.services.items():
            result["repository", repository] = lambda each, name=repository: each.repository == name  # type: ignore[misc]
            for service, _ in services:
                result["service", service] = lambda each, name=service: each.service == name  # type: ignore[misc]
        teams = {team["name"] for team in self.settings.get("teams", [])}
        teams |= {team for name in self.issues for team in self.teams_of_tracker(self.issues[name])}
        for team in teams:
            result["team", team] = lambda each, name=team: name in each.teams  # type: ignore[misc]
        return result

    def measured(self, metric: str, scope: tuple[str, str]) -> list[Measurement]:
        """A metric's measurements in a scope; what belongs to several of its services counts once, when first."""
        if (metric, scope) not in self._measured:
            belongs = self.scopes[scope]
            firsts: dict[str, Measurement] = {}
            for each in self.measurements[metric]:
                if belongs(each) and (each.id not in firsts or each.at < firsts[each.id].at):
                    firsts[each.id] = each
            self._measured[metric, scope] = list(firsts.values())
        return self._measured[metric, scope]
