"""Life in a repository: branches, commits, pull requests, reviews and merges."""

from __future__ import annotations

import random
from collections.abc import Generator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from veelocity_pipeline.simulator.organization.code_host import (
    Account,
    Comment,
    Commit,
    Event,
    Issue,
    Label,
    PullRequest,
    PullRequestCommit,
    Repository,
    Review,
    ReviewComment,
    Workflow,
    WorkflowRun,
)
from veelocity_pipeline.simulator.organization.delivery import Delivery
from veelocity_pipeline.simulator.organization.plan import MOMENT, REMARKS, THINGS, VERBS, RepositoryPlan
from veelocity_pipeline.simulator.organization.tracker import LinearIssue
from veelocity_pipeline.simulator.organization.worktime import after_work_hours, is_workday

if TYPE_CHECKING:
    from veelocity_pipeline.simulator.organization.life import Life

Process = Generator[datetime, None, None]
_LABELS = {
    "bug": ("d73a4a", "Something is not working"),
    "enhancement": ("a2eeef", "New feature or request"),
    "dependencies": ("0366d6", "Updates a dependency"),
    "needs-review": ("fbca04", "Waits for a reviewer"),
    "hotfix": ("b60205", "Mends production now"),
    "incident": ("b60205", "Users saw it break"),
    "release": ("5319e7", "Takes merged work to production"),
}
_GIANT_AT = 12
"""Which pull request of the first repository has more of everything than fits a page."""


class RepositoryLife:
    """One repository and everything that happens in it."""

    def __init__(self, life: Life, plan: RepositoryPlan) -> None:
        self.life = life
        self.plan = plan
        organization = life.organization
        founded = life.plan.start - timedelta(days=400)
        number = life.ids.number("Repository")
        self.repository = Repository(
            id=life.ids.node("Repository", number),
            database_id=number,
            owner=organization.account,
            name=plan.former_name or plan.name,
            description=plan.description,
            default_branch="main",
            created_at=founded,
            updated_at=founded,
            pushed_at=founded,
            is_private=plan.is_private,
        )
        organization.repositories.append(self.repository)
        organization.nodes[self.repository.id] = self.repository
        for name, (color, description) in _LABELS.items():
            label_number = life.ids.number("Label")
            label = Label(
                life.ids.node("Label", label_number, number),
                label_number,
                self.repository,
                name,
                color,
                description,
                founded,
            )
            self.repository.labels[name] = label
            organization.nodes[label.id] = label
        rng = life.random(plan.name, "members")
        offset = rng.randrange(len(life.people))
        rotated = [*life.people[offset:], *life.people[:offset]]
        self.members = rotated[: plan.members]
        self.forks: dict[str, Repository] = {}
        self.landings = 0
        self.begun = 0
        self.develop_waiting: list[PullRequest] = []
        self._first_commits(rng)
        self.delivery = Delivery(self)
        self.ci: Workflow | None = None
        if plan.ci_from_day is not None:
            self.ci = self.delivery.workflow("CI", "ci.yml", life.day(plan.ci_from_day))
            self.preview = self.delivery.workflow("Deploy preview", "preview.yml", life.day(plan.ci_from_day))
        if life.plan.is_quiet:
            return
        life.start(self._arrivals(), life.plan.start)
        life.start(self._bot_arrivals(), life.plan.start)
        if plan.issues_per_week:
            life.start(self._issue_arrivals(), life.plan.start)
        if plan.archived_on_day is not None:
            life.start(self._archive(), life.day(plan.archived_on_day))
        if plan.renamed_on_day is not None:
            life.start(self._rename(), life.day(plan.renamed_on_day))
        if self.is_first:
            life.start(self._showcase(), MOMENT - timedelta(hours=20))

    @property
    def is_first(self) -> bool:
        """Whether it is the plan's first repository, where the rare cases are staged."""
        return self.plan is self.life.plan.repositories[0]

    @property
    def now(self) -> datetime:
        """The present moment."""
        return self.life.now

    @property
    def base_branch(self) -> str:
        """Where everyday pull requests go."""
        return "develop" if self.plan.delivery == "gitflow" else "main"

    # -- commits

    def _first_commits(self, rng: random.Random) -> None:
        """The history before the organisation's recorded life: commits without pull requests."""
        moment = self.repository.created_at
        head: list[Commit] = []
        for index in range(3 if self.life.plan.is_quiet else 25):
            moment += timedelta(days=rng.randint(5, 14), seconds=rng.randrange(30_000))
            author = rng.choice(self.members)
            message = "Initial commit" if index == 0 else self._topic(rng)
            head = [self.commit(message, author, moment, head, self._paths(rng), moment)]
            self.land("main", head[0])
            self.repository.pushed_at = moment
        self.repository.updated_at = moment
        if self.plan.delivery == "gitflow":
            self.repository.branches["develop"] = head[0]

    def commit(
        self,
        message: str,
        author: Account,
        authored_at: datetime,
        parents: list[Commit],
        paths: list[str],
        committed_at: datetime | None = None,
        repository: Repository | None = None,
        by_github: bool = False,
    ) -> Commit:
        """A new commit, not yet on any branch. ``by_github``: made by a button on the site."""
        repository = repository or self.repository
        sha = self.life.ids.sha(repository.database_id)
        self.life.orders += 1
        size = int(sha[:2], 16)
        commit = Commit(
            id=f"C_kwDO{repository.database_id:x}{sha}",
            sha=sha,
            repository=repository,
            message=message,
            parents=list(parents),
            author=author,
            author_name=author.name,
            author_email=author.email,
            authored_at=authored_at,
            committer_name="GitHub" if by_github else author.name,
            committer_email="noreply@github.example" if by_github else author.email,
            committed_at=committed_at or authored_at,
            order=self.life.orders,
            additions=1 + size,
            deletions=size // 3,
            paths=sorted(set(paths)),
        )
        repository.commits[sha] = commit
        self.life.organization.nodes[commit.id] = commit
        return commit

    def land(self, branch: str, commit: Commit) -> None:
        """Move a branch of the repository to a commit."""
        self.repository.branches[branch] = commit
        if branch == self.repository.default_branch:
            commit.landing = self.landings
            self.landings += 1
        self.repository.pushed_at = self.now
        self.repository.updated_at = self.now

    def _paths(self, rng: random.Random, area: str | None = None) -> list[str]:
        areas = [area] if area else [rng.choice(self.plan.areas)]
        if not area and rng.random() < 0.12:
            areas.append(rng.choice(self.plan.areas))
        return [
            f"{each}/{rng.choice('abcdefgh')}{rng.randrange(40)}.py" for each in areas for _ in range(rng.randint(1, 3))
        ]

    def _topic(self, rng: random.Random) -> str:
        return f"{rng.choice(VERBS)} {rng.choice(THINGS)}"

    # -- arrivals

    @property
    def is_closed(self) -> bool:
        """Archived: nothing happens any more."""
        return self.repository.archived_at is not None

    def _daily(self, rng: random.Random, rate: float) -> list[timedelta]:
        """When, within a working day, the day's events begin."""
        count = int(rate) + (rng.random() < rate % 1)
        return sorted(timedelta(hours=8, seconds=rng.randrange(9 * 3600)) for _ in range(count))

    def _arrivals(self) -> Process:
        rng = self.life.random(self.plan.name, "arrivals")
        day = self.life.plan.start
        while not self.is_closed:
            growth = 0.8 + 0.4 * min((day - self.life.plan.start).days / 550, 1)
            if is_workday(day):
                for offset in self._daily(rng, self.plan.per_day * growth):
                    yield day + offset
                    if self.is_closed:
                        return
                    self.begun += 1
                    self.life.start(self.pull_request(self.begun), self.now)
                if rng.random() < 0.06 and self.plan.delivery != "gitflow":
                    yield day + timedelta(hours=10, seconds=rng.randrange(20_000))
                    self._push_directly(rng)
            day += timedelta(days=1)
            yield day

    def _push_directly(self, rng: random.Random) -> None:
        """A commit on the default branch that belongs to no pull request."""
        author = rng.choice(self.life.present(self.members))
        head = self.repository.branches["main"]
        commit = self.commit(f"{self._topic(rng)} (no review)", author, self.now, [head], self._paths(rng))
        self.land("main", commit)
        self.delivery.landed(commit, [])

    def _bot_arrivals(self) -> Process:
        rng = self.life.random(self.plan.name, "bots")
        day = self.life.plan.start
        number = 0
        while not self.is_closed:
            if is_workday(day) and rng.random() < self.plan.bots_per_week / 5:
                yield day + timedelta(hours=5, seconds=rng.randrange(6000))
                number += 1
                self.life.start(self._dependency_update(number), self.now)
            day += timedelta(days=1)
            yield day

    def _archive(self) -> Process:
        """Close what is open, then archive; whatever is under way sees that it is closed and ends."""
        for pull_request in self.repository.pull_requests:
            if pull_request.state == "OPEN":
                self._close(pull_request, self.members[0])
        self.repository.archived_at = self.repository.updated_at = self.now
        return
        yield

    def _rename(self) -> Process:
        self.repository.former_names.append(self.repository.full_name)
        self.repository.name = self.plan.name
        self.repository.updated_at = self.now
        return
        yield

    # -- pull requests

    def open(
        self,
        title: str,
        body: str,
        author: Account,
        head_branch: str,
        base_sha: str,
        commits: list[Commit],
        is_draft: bool = False,
        base_branch: str = "",
        head_repository: Repository | None = None,
    ) -> PullRequest:
        """Open a pull request with these commits."""
        life, repository = self.life, self.repository
        repository.last_number += 1
        number = life.ids.number("PullRequest")
        pull_request = PullRequest(
            id=life.ids.node("PullRequest", number, repository.database_id),
            database_id=number,
            repository=repository,
            number=repository.last_number,
            title=title,
            body=body,
            author=author,
            base_branch=base_branch or self.base_branch,
            base_sha=base_sha,
            head_branch=head_branch,
            head_repository=head_repository or repository,
            is_draft=is_draft,
            created_at=self.now,
            updated_at=self.now,
        )
        repository.pull_requests.append(pull_request)
        life.organization.nodes[pull_request.id] = pull_request
        self.add_commits(pull_request, commits)
        if head_repository is None:
            repository.branches[head_branch] = commits[-1]
        if self.ci is not None and self.now >= self.ci.created_at:
            self.run_checks(pull_request)
        return pull_request

    def add_commits(self, pull_request: PullRequest, commits: list[Commit]) -> None:
        """Push commits onto the head branch."""
        for commit in commits:
            number = self.life.ids.number("PullRequestCommit")
            node = self.life.ids.node("PullRequestCommit", number, self.repository.database_id)
            entry = PullRequestCommit(node, pull_request, commit)
            pull_request.commits.append(entry)
            self.life.organization.nodes[node] = entry
            commit.pull_requests.append(pull_request)
        if commits and pull_request.head_repository is self.repository:
            self.repository.branches[pull_request.head_branch] = commits[-1]
            self.repository.pushed_at = self.now
        pull_request.updated_at = self.now

    def force_push(self, pull_request: PullRequest, rng: random.Random) -> None:
        """Rewrite the last commits of the head branch: the old ones vanish from the pull request."""
        before = pull_request.head
        keep = max(0, len(pull_request.commits) - rng.randint(1, 2))
        replaced = pull_request.commits[keep:]
        del pull_request.commits[keep:]
        parent = replaced[0].commit.parents[0]
        fresh = []
        for entry in replaced:
            self.life.organization.nodes.pop(entry.id)
            entry.commit.pull_requests.remove(pull_request)
            old = entry.commit
            parent = self.commit(
                old.message, pull_request.author, old.authored_at, [parent], old.paths, self.now, old.repository
            )
            fresh.append(parent)
        self.add_commits(pull_request, fresh)
        self.event(pull_request, "HeadRefForcePushedEvent", pull_request.author, before=before, after=fresh[-1])

    def event(
        self,
        pull_request: PullRequest,
        kind: str,
        actor: Account,
        label: Label | None = None,
        before: Commit | None = None,
        after: Commit | None = None,
    ) -> None:
        """Something for the timeline; moves ``updated_at``."""
        node = self.life.ids.node(kind, self.life.ids.number("Event"), self.repository.database_id)
        event = Event(node, kind, pull_request, actor, self.now, label, before, after)
        pull_request.events.append(event)
        self.life.organization.nodes[node] = event
        pull_request.updated_at = self.now

    def add_label(self, pull_request: PullRequest, name: str, actor: Account) -> None:
        """Put a label on."""
        label = self.repository.labels[name]
        if label not in pull_request.labels:
            pull_request.labels.append(label)
            self.event(pull_request, "LabeledEvent", actor, label)

    def remove_label(self, pull_request: PullRequest, name: str, actor: Account) -> None:
        """Take a label off."""
        label = self.repository.labels[name]
        if label in pull_request.labels:
            pull_request.labels.remove(label)
            self.event(pull_request, "UnlabeledEvent", actor, label)

    def review(self, pull_request: PullRequest, author: Account, state: str, remarks: list[str]) -> Review:
        """Submit a review (PENDING: begin one) with comments on lines."""
        life = self.life
        number = life.ids.number("Review")
        review = Review(
            id=life.ids.node("Review", number, self.repository.database_id),
            database_id=number,
            pull_request=pull_request,
            author=author,
            state=state,
            body="" if remarks else "Looks good to me." if state == "APPROVED" else "A few thoughts.",
            commit=pull_request.head,
            created_at=self.now,
            updated_at=self.now,
            submitted_at=None if state == "PENDING" else self.now,
        )
        life.organization.nodes[review.id] = review
        paths = pull_request.head.paths or ["README.md"]
        for index, remark in enumerate(remarks):
            number = life.ids.number("ReviewComment")
            comment = ReviewComment(
                life.ids.node("ReviewComment", number, self.repository.database_id),
                number,
                review,
                author,
                remark,
                paths[index % len(paths)],
                self.now,
                self.now,
            )
            review.comments.append(comment)
            life.organization.nodes[comment.id] = comment
        pull_request.reviews.append(review)
        if state != "PENDING":
            pull_request.updated_at = self.now
        return review

    def comment(self, subject: PullRequest | Issue, author: Account, body: str) -> Comment:
        """Say something in the conversation."""
        number = self.life.ids.number("Comment")
        node = self.life.ids.node("Comment", number, self.repository.database_id)
        comment = Comment(node, number, subject, author, body, self.now, self.now)
        subject.comments.append(comment)
        subject.updated_at = self.now
        self.life.organization.nodes[node] = comment
        return comment

    def _close(self, pull_request: PullRequest, actor: Account) -> None:
        pull_request.state = "CLOSED"
        pull_request.closed_at = self.now
        self.event(pull_request, "ClosedEvent", actor)
        self._drop_branch(pull_request)

    def _drop_branch(self, pull_request: PullRequest) -> None:
        if pull_request.head_repository is self.repository and pull_request.head_branch != "develop":
            self.repository.branches.pop(pull_request.head_branch, None)

    def merge(self, pull_request: PullRequest, actor: Account, method: str = "") -> None:
        """Merge as the repository does, and tell delivery what landed."""
        method = method or self.plan.merge_method
        repository, base = self.repository, pull_request.base_branch
        target = repository.branches[base]
        if method == "squash":
            message = f"{pull_request.title} (#{pull_request.number})"
            if pull_request.reverts and pull_request.reverts.merge_commit:
                message += f"\n\nThis reverts commit {pull_request.reverts.merge_commit.sha}."
            landed = [self.commit(message, pull_request.author, self.now, [target], pull_request.paths, by_github=True)]
        elif method == "merge":
            source = pull_request.head_branch
            message = f"Merge pull request #{pull_request.number} from {repository.owner.login}/{source}"
            message += f"\n\n{pull_request.title}"
            landed = [self.commit(message, actor, self.now, [target, pull_request.head], [], by_github=True)]
        else:
            landed = []
            for entry in pull_request.commits:
                old = entry.commit
                parent = landed[-1] if landed else target
                landed.append(
                    self.commit(old.message, pull_request.author, old.authored_at, [parent], old.paths, self.now)
                )
        for commit in landed:
            commit.pull_requests.append(pull_request)
            self.land(base, commit)
        pull_request.state = "MERGED"
        pull_request.is_draft = False
        pull_request.merged_at = pull_request.closed_at = self.now
        pull_request.merged_by = actor
        pull_request.merge_method = method
        pull_request.merge_commit = landed[-1]
        self.event(pull_request, "MergedEvent", actor, after=landed[-1])
        self.event(pull_request, "ClosedEvent", actor)
        self._drop_branch(pull_request)
        for issue in pull_request.closing_issues:
            self.close_issue(issue, "COMPLETED")
        if base == "main":
            changes = [*pull_request.carries] if pull_request.is_carrier else [*pull_request.carries, pull_request]
            self.delivery.landed(landed[-1], changes)
        elif base == "develop":
            self._land_on_develop(pull_request, landed[-1])
        else:
            self._land_in_branch(pull_request, landed[-1])
        self.life.work.merged(pull_request)

    def _land_on_develop(self, pull_request: PullRequest, commit: Commit) -> None:
        """It waits for the next release; one that is open now takes it along."""
        for release in self.repository.pull_requests:
            if release.is_carrier and release.state == "OPEN":
                self.add_commits(release, [*(entry.commit for entry in pull_request.commits), commit])
                release.carries.append(pull_request)
                return
        self.develop_waiting.append(pull_request)

    def _has_children(self, pull_request: PullRequest) -> bool:
        """Whether open pull requests build on its branch."""
        return any(
            each.state == "OPEN" and each.base_branch == pull_request.head_branch
            for each in self.repository.pull_requests[-60:]
        )

    def _land_in_branch(self, child: PullRequest, commit: Commit) -> None:
        """A pull request merged into another's branch becomes part of that other one."""
        for parent in self.repository.pull_requests:
            if parent.head_branch == child.base_branch and parent.state == "OPEN":
                self.add_commits(parent, [*(entry.commit for entry in child.commits), commit])
                parent.carries.append(child)

    def begin_branch(
        self,
        rng: random.Random,
        author: Account,
        topic: str,
        began_at: datetime,
        count: int,
        area: str | None = None,
        base: Commit | None = None,
        repository: Repository | None = None,
    ) -> list[Commit]:
        """Commits from ``began_at`` to now on top of a base (default: the base branch as it is)."""
        parent = base or self.repository.branches[self.base_branch]
        began_at = max(began_at, parent.committed_at)
        span = max((self.now - began_at).total_seconds(), 60.0)
        commits = []
        for index in range(count):
            moment = began_at + timedelta(seconds=int(span * index / count))
            message = topic if index == 0 else f"{self._topic(rng)}"
            parent = self.commit(message, author, moment, [parent], self._paths(rng, area), repository=repository)
            commits.append(parent)
        return commits

    def pull_request(self, index: int) -> Process:
        """An everyday pull request, from its first commit to its end."""
        life, rng = self.life, self.life.random(self.plan.name, "pull request", index)
        members = life.present(self.members)
        outside = bool(not self.plan.is_private and life.outsiders and rng.random() < 0.25)
        author = rng.choice(life.outsiders if outside else members)
        issue = None if outside or rng.random() > 0.55 else life.work.take(self.plan.team, author)
        topic = issue.title if issue else self._topic(rng)
        began_at = self.now
        is_giant = self.is_first and index == _GIANT_AT
        base = self.repository.branches[self.base_branch]
        yield after_work_hours(self.now, min(rng.lognormvariate(1.2, 1.0), 60))
        if self.is_closed:
            return
        parent_request = self._stack_on(rng) if self.plan.merge_method == "merge" else None
        fork = self._fork(author) if outside else None
        area = None
        if parent_request is not None:
            base = parent_request.head
        commits = self.begin_branch(
            rng, author, topic, began_at, 130 if is_giant else rng.choice((1, 1, 2, 2, 3, 4, 6)), area, base, fork
        )
        if is_giant:
            for number, commit in enumerate(commits):
                commit.paths = sorted({*commit.paths, f"src/lib/generated/part{number:03}.py"})
        title, body, branch = self._describe(rng, topic, issue, author)
        closing = self._github_issue(rng)
        if closing is not None:
            body += f"\n\nFixes #{closing.number}"
        pull_request = self.open(
            title,
            body,
            author,
            "main" if fork else branch,
            base.sha,
            commits,
            is_draft=rng.random() < 0.18,
            base_branch=parent_request.head_branch if parent_request else "",
            head_repository=fork,
        )
        if closing is not None:
            pull_request.closing_issues.append(closing)
            closing.closed_by.append(pull_request)
        if rng.random() < 0.12:
            self.add_label(pull_request, rng.choice(("bug", "enhancement")), author)
        if issue is not None:
            life.work.link(issue, pull_request, rng.random() < 0.85)
        yield from self._until_merged(pull_request, rng, is_giant)

    def _stack_on(self, rng: random.Random) -> PullRequest | None:
        """Now and then work builds on somebody's open pull request instead of the base branch."""
        if rng.random() > 0.07 or self.plan.delivery == "gitflow":
            return None
        for candidate in reversed(self.repository.pull_requests):
            if candidate.state == "OPEN" and candidate.base_branch == "main" and not candidate.is_cross_repository:
                return candidate if candidate.author.kind == "User" and not candidate.carries else None
        return None

    def _fork(self, author: Account) -> Repository:
        """The author's fork; pull requests come from its own main."""
        if author.login not in self.forks:
            number = self.life.ids.number("Repository")
            fork = Repository(
                id=self.life.ids.node("Repository", number),
                database_id=number,
                owner=author,
                name=self.repository.name,
                description=self.repository.description,
                default_branch="main",
                created_at=self.now,
                updated_at=self.now,
                pushed_at=self.now,
                is_private=False,
                is_fork=True,
            )
            self.forks[author.login] = fork
            self.life.organization.forks.append(fork)
            self.life.organization.nodes[fork.id] = fork
        return self.forks[author.login]

    def _describe(
        self, rng: random.Random, topic: str, issue: LinearIssue | None, author: Account
    ) -> tuple[str, str, str]:
        """Title, body and branch; the key of the issue stands in one of them, or in several."""
        slug = "".join(each if each.isalnum() else "-" for each in topic.lower()).strip("-")[:40]
        branch = f"{author.login}/{slug}-{self.life.ids.number('Branch')}"
        title, body = topic, f"{topic}, because {rng.choice(THINGS)} needs it."
        if issue is None:
            if rng.random() < 0.04:
                body += "\n\nReads UTF-8 and writes SHA-256; see CVE-2024-1234 and RFC-9110."
            return title, body, branch
        key = issue.identifier
        where = rng.random()
        if where < 0.6:
            branch = f"{author.login}/{key.lower()}-{slug}"
            if branch in self.repository.branches:
                branch += f"-{self.life.ids.number('Branch')}"
        if 0.4 < where < 0.75:
            title = f"{key}: {topic}" if rng.random() < 0.5 else f"[{key}] {topic}"
        if where >= 0.75:
            word = rng.choice(("Closes", "Fixes", "Part of", "Relates to"))
            body += f"\n\n{word} {key}"
        return title, body, branch

    def _until_merged(self, pull_request: PullRequest, rng: random.Random, is_giant: bool = False) -> Process:
        """Draft, reviews, more commits, approval, merge; or no end, or one without a merge."""
        author = pull_request.author
        reviewers = [each for each in self.life.present(self.members) if each is not author] or [self.members[0]]
        stays_open = rng.random() < 0.012
        gives_up = rng.random() < 0.05
        if pull_request.is_draft:
            yield after_work_hours(self.now, rng.lognormvariate(1.5, 0.8))
            if pull_request.state != "OPEN":
                return
            if rng.random() < 0.4:
                self._more_commits(pull_request, rng)
            pull_request.is_draft = False
            self.event(pull_request, "ReadyForReviewEvent", author)
            if rng.random() < 0.1:
                yield after_work_hours(self.now, 1.0)
                pull_request.is_draft = True
                self.event(pull_request, "ConvertToDraftEvent", author)
                yield after_work_hours(self.now, rng.uniform(1, 6))
                pull_request.is_draft = False
                self.event(pull_request, "ReadyForReviewEvent", author)
        if rng.random() < 0.25:
            self.add_label(pull_request, "needs-review", author)
        if rng.random() < 0.05:
            yield after_work_hours(self.now, rng.uniform(0.1, 1))
            self.comment(pull_request, author, "Ready for a look, thank you!")
        for number in range(self.plan.more_reviews):
            yield self.now + timedelta(minutes=rng.randint(2, 40))
            remarks = [rng.choice(REMARKS) for _ in range(rng.randint(1, 3))] if number % 2 else []
            self.review(pull_request, rng.choice(reviewers), "COMMENTED", remarks)
        rounds = 0
        while True:
            if rounds == 0 and rng.random() < 0.1:
                break  # merged without review
            yield after_work_hours(self.now, min(rng.lognormvariate(0.7, 1.1), 50))
            if pull_request.state != "OPEN" or self.is_closed:
                return
            reviewer = rng.choice(reviewers)
            rounds += 1
            if reviewer is self.life.organization.viewer and rng.random() < 0.3:
                pending = self.review(pull_request, reviewer, "PENDING", [rng.choice(REMARKS)])
                yield after_work_hours(self.now, rng.uniform(0.5, 3))
                pending.state = "COMMENTED"
                pending.submitted_at = pending.updated_at = pull_request.updated_at = self.now
            remarks = [rng.choice(REMARKS) for _ in range(rng.choice((0, 0, 0, 1, 2, 4)))]
            verdict = rng.random()
            if verdict < 0.58 or rounds > 3:
                self.review(pull_request, reviewer, "APPROVED", remarks[:1])
                break
            state = "CHANGES_REQUESTED" if verdict < 0.75 else "COMMENTED"
            if state == "COMMENTED" and not remarks:
                self.comment(pull_request, reviewer, rng.choice(REMARKS))
            else:
                self.review(pull_request, reviewer, state, remarks)
            yield after_work_hours(self.now, min(rng.lognormvariate(0.6, 1.0), 30))
            if pull_request.state != "OPEN":
                return
            yield from self._answer(pull_request, rng)
        if is_giant:
            yield from self._long_discussion(pull_request, rng, reviewers)
        if stays_open:
            return
        yield after_work_hours(self.now, min(rng.lognormvariate(-0.6, 1.0), 20))
        if pull_request.state != "OPEN" or self.is_closed:
            return
        if gives_up and not is_giant and not pull_request.carries and not self._has_children(pull_request):
            self.comment(pull_request, author, "Superseded, closing.")
            self._close(pull_request, author)
            return
        base_head = self.repository.branches.get(pull_request.base_branch)
        if base_head is None or (pull_request.base_branch not in ("main", "develop") and rng.random() < 0.05):
            # the branch it was stacked on is merged and gone: it now goes to the base branch
            pull_request.base_branch = self.base_branch
            pull_request.updated_at = self.now
        elif pull_request.is_cross_repository is False and rng.random() < 0.08:
            self._update_branch(pull_request, author, base_head)
            yield self.now + timedelta(minutes=8)
            if pull_request.state != "OPEN" or self.is_closed:
                return
            if pull_request.base_branch not in self.repository.branches:
                pull_request.base_branch = self.base_branch
        self.remove_label(pull_request, "needs-review", author)
        merger = author if author in self.members and rng.random() < 0.8 else rng.choice(reviewers)
        self.merge(pull_request, merger)
        yield from self._afterwards(pull_request, rng, reviewers)

    def _answer(self, pull_request: PullRequest, rng: random.Random) -> Process:
        """The author's reaction to a review."""
        author = pull_request.author
        kind = rng.random()
        if kind < 0.3:
            self.comment(pull_request, author, "Done, please look again.")
        elif kind < 0.45:
            self.review(pull_request, author, "COMMENTED", ["Because the list is never empty here."])
        may_rewrite = not pull_request.carries and not self._has_children(pull_request)
        if rng.random() < 0.15 and may_rewrite:
            self.force_push(pull_request, rng)
        elif rng.random() < 0.8:
            self._more_commits(pull_request, rng)
        with_comments = [review for review in pull_request.reviews if len(review.comments) > 1]
        if with_comments and rng.random() < 0.12:
            # a deletion alone moves nothing; what is said with it does
            review = with_comments[0]
            gone = review.comments.pop()
            self.life.organization.nodes.pop(gone.id)
            self.comment(pull_request, author, "Deleted a remark that was about another file.")
        return
        yield

    def _more_commits(self, pull_request: PullRequest, rng: random.Random) -> None:
        head = pull_request.head
        commits = []
        for _ in range(rng.choice((1, 1, 2))):
            head = self.commit(
                f"Address review: {self._topic(rng).lower()}",
                pull_request.author,
                self.now,
                [head],
                [rng.choice(head.paths or ["README.md"])],
                repository=head.repository,
            )
            commits.append(head)
        self.add_commits(pull_request, commits)

    def _update_branch(self, pull_request: PullRequest, actor: Account, base_head: Commit) -> None:
        """Merge the base branch into the head branch, as the button does. Not where it would change how it lands."""
        if self.plan.merge_method != "squash":
            return
        message = f"Merge branch '{pull_request.base_branch}' into {pull_request.head_branch}"
        commit = self.commit(message, actor, self.now, [pull_request.head, base_head], [], by_github=True)
        self.add_commits(pull_request, [commit])

    def _long_discussion(self, pull_request: PullRequest, rng: random.Random, reviewers: list[Account]) -> Process:
        """More reviews, remarks in one review and comments than any page holds."""
        for index in range(108):
            yield self.now + timedelta(minutes=rng.randint(2, 20))
            remarks = [f"Part {number}: {rng.choice(REMARKS)}" for number in range(105)] if index == 40 else []
            self.review(pull_request, reviewers[index % len(reviewers)], "COMMENTED", remarks)
        for _ in range(120):
            yield self.now + timedelta(minutes=rng.randint(1, 9))
            self.comment(pull_request, rng.choice(reviewers), rng.choice(REMARKS))

    def _afterwards(self, pull_request: PullRequest, rng: random.Random, reviewers: list[Account]) -> Process:
        """Now and then something happens to a pull request that is long closed."""
        if rng.random() < 0.04:
            yield after_work_hours(self.now, rng.uniform(5, 60))
            if self.is_closed:
                return
            if rng.random() < 0.5:
                self.comment(pull_request, rng.choice(reviewers), "Nice, this helped a lot.")
            else:
                self.add_label(pull_request, "enhancement", rng.choice(reviewers))

    # -- other pull requests

    def _dependency_update(self, number: int) -> Process:
        """A bot's pull request: approved by a person in haste, or left to be closed."""
        rng = self.life.random(self.plan.name, "dependency", number)
        bot = self.life.dependabot if rng.random() < 0.6 else self.life.renovate
        package = rng.choice(("httpx", "pytest", "react", "vite", "numpy", "terraform", "ruff"))
        version = f"{rng.randint(1, 9)}.{rng.randint(0, 20)}.{rng.randint(0, 9)}"
        topic = f"Bump {package} to {version}"
        base = self.repository.branches[self.base_branch]
        commits = self.begin_branch(rng, bot, topic, self.now, 1, base=base)
        branch = f"{bot.login}/{package}-{version}-{number}"
        pull_request = self.open(topic, f"{topic}.", bot, branch, base.sha, commits)
        self.add_label(pull_request, "dependencies", bot)
        yield after_work_hours(self.now, rng.lognormvariate(2.0, 1.0))
        if pull_request.state != "OPEN" or self.is_closed:
            return
        if rng.random() < 0.15:
            self._close(pull_request, bot)
            return
        reviewer = rng.choice(self.life.present(self.members))
        if rng.random() < 0.7:
            self.review(pull_request, reviewer, "APPROVED", [])
            yield self.now + timedelta(minutes=rng.randint(1, 90))
            if pull_request.state != "OPEN" or self.is_closed:
                return
        self.merge(pull_request, reviewer)

    def repair(self, broken: PullRequest | None, kind: str, topic: str, area: str | None, name: str) -> PullRequest:
        """Open the pull request that mends production: a revert or a hotfix. Its merge follows soon."""
        rng = self.life.random(self.plan.name, "repair", name)
        author = rng.choice(self.life.present(self.members))
        base = self.repository.branches["main"]
        began_at = self.now - timedelta(minutes=rng.randint(5, 25))
        if kind == "revert" and broken is not None:
            title, branch = f'Revert "{broken.title}"', f"revert-{broken.number}-{broken.head_branch.replace('/', '-')}"
            body = f"Reverts {self.repository.full_name}#{broken.number}"
            sha = broken.merge_commit.sha if broken.merge_commit else ""
            message = f"{title}\n\nThis reverts commit {sha}."
            commits = [self.commit(message, author, self.now, [base], broken.paths)]
        else:
            broken = None
            title, body = f"{topic} again", "Production is affected."
            branch = f"hotfix/{self.life.ids.number('Branch')}"
            commits = self.begin_branch(rng, author, title, began_at, 1, area, base)
        pull_request = self.open(title, body, author, branch, base.sha, commits, base_branch="main")
        pull_request.reverts = broken
        if kind == "hotfix":
            pull_request.is_hotfix = True
            self.add_label(pull_request, "hotfix", author)
        self.life.start(self._hurry(pull_request, rng), self.now + timedelta(minutes=rng.randint(4, 40)))
        return pull_request

    def _hurry(self, pull_request: PullRequest, rng: random.Random) -> Process:
        reviewers = [each for each in self.life.present(self.members) if each is not pull_request.author]
        self.review(pull_request, rng.choice(reviewers), "APPROVED", [])
        yield self.now + timedelta(minutes=rng.randint(2, 15))
        if pull_request.state == "OPEN" and not self.is_closed:
            self.merge(pull_request, pull_request.author)

    def release_develop(self, rng: random.Random) -> PullRequest | None:
        """Open the pull request that takes what waits on develop to main."""
        waiting, self.develop_waiting = self.develop_waiting, []
        if not waiting:
            return None
        known: set[str] = set()
        stack = [self.repository.branches["main"]]
        while stack:
            commit = stack.pop()
            if commit.sha not in known:
                known.add(commit.sha)
                stack.extend(commit.parents)
        commits: dict[str, Commit] = {}
        stack = [self.repository.branches["develop"]]
        while stack:
            commit = stack.pop()
            if commit.sha not in known and commit.sha not in commits:
                commits[commit.sha] = commit
                stack.extend(commit.parents)
        ordered = sorted(commits.values(), key=lambda commit: commit.order)
        author = rng.choice(self.life.present(self.members))
        title = f"Release {self.now.date().isoformat()}"
        body = "\n".join(f"- #{each.number}" for each in waiting)
        base = self.repository.branches["main"]
        pull_request = self.open(title, body, author, "develop", base.sha, ordered, base_branch="main")
        pull_request.carries = waiting
        pull_request.is_carrier = True
        self.add_label(pull_request, "release", author)
        return pull_request

    # -- checks

    def run_checks(self, pull_request: PullRequest) -> None:
        """The workflows that a pull request triggers; none of them deploys."""
        rng = self.life.random(self.plan.name, "checks", pull_request.number)
        if self.ci is None or rng.random() > self.plan.ci_share:
            return
        outcome = "success" if rng.random() < 0.85 else "failure"
        self._start_run(self.ci, pull_request, rng.randint(120, 900), outcome)
        if rng.random() < 0.1:
            self._start_run(self.preview, pull_request, rng.randint(60, 200), "success")

    def _start_run(self, workflow: Workflow, pull_request: PullRequest, seconds: int, outcome: str) -> None:
        run = self.delivery.start_run(
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
        self.delivery.finish_attempt(run.last, outcome, ["test"])
        return
        yield

    # -- GitHub issues

    def _issue_arrivals(self) -> Process:
        rng = self.life.random(self.plan.name, "issues")
        day = self.life.plan.start
        while not self.is_closed:
            if is_workday(day) and rng.random() < self.plan.issues_per_week / 5:
                yield day + timedelta(hours=9, seconds=rng.randrange(20_000))
                author = rng.choice([*self.life.present(self.members), *self.life.outsiders])
                issue = self.open_issue(f"{rng.choice(THINGS).capitalize()} is broken", "It fails for us.", author)
                issue.labels.append(self.repository.labels[rng.choice(("bug", "enhancement"))])
                if rng.random() < 0.35:
                    self.life.start(self._triage(issue, rng.random()), after_work_hours(self.now, rng.uniform(5, 90)))
            day += timedelta(days=1)
            yield day

    def open_issue(self, title: str, body: str, author: Account) -> Issue:
        """A new GitHub issue; it takes its number from the same row as pull requests."""
        self.repository.last_number += 1
        number = self.life.ids.number("Issue")
        issue = Issue(
            self.life.ids.node("Issue", number, self.repository.database_id),
            number,
            self.repository,
            self.repository.last_number,
            title,
            body,
            author,
            self.now,
            self.now,
        )
        self.repository.issues.append(issue)
        self.life.organization.nodes[issue.id] = issue
        return issue

    def close_issue(self, issue: Issue, reason: str) -> None:
        """Close an issue that is open."""
        if issue.state == "OPEN":
            issue.state, issue.state_reason = "CLOSED", reason
            issue.closed_at = issue.updated_at = self.now

    def _triage(self, issue: Issue, chance: float) -> Process:
        if chance < 0.4:
            self.comment(issue, self.members[0], "We can see it too.")
            issue.assignee = self.members[1]
        else:
            self.close_issue(issue, "NOT_PLANNED")
        return
        yield

    def _github_issue(self, rng: random.Random) -> Issue | None:
        """An open issue that nobody works on, for a pull request to close."""
        if not self.plan.issues_per_week or rng.random() > 0.35:
            return None
        for issue in self.repository.issues:
            if issue.state == "OPEN" and not issue.closed_by:
                return issue
        return None

    # -- what a later moment always shows

    def _showcase(self) -> Process:
        """Open pull requests at the fixed moment, which change in the days after it in every way there is."""
        rng = self.life.random(self.plan.name, "showcase")
        people = self.life.present(self.members)
        made = []
        for index in range(3):
            base = self.repository.branches["main"]
            topic = self._topic(rng)
            commits = self.begin_branch(rng, people[index], topic, self.now - timedelta(hours=3), 3, base=base)
            pull_request = self.open(topic, f"{topic}.", people[index], f"showcase/{index}", base.sha, commits)
            self.add_label(pull_request, "needs-review", people[index])
            self.review(pull_request, people[3], "COMMENTED", ["First remark.", "Second remark."])
            made.append(pull_request)
            yield self.now + timedelta(minutes=30)
        yield MOMENT - timedelta(minutes=3)
        self._push_directly(rng)
        if made[2].state == "OPEN":
            self.review(made[2], self.life.organization.viewer, "PENDING", ["Not sent yet."])
        yield MOMENT + timedelta(hours=20)
        first, second, third = made
        self.force_push(first, rng)
        yield self.now + timedelta(hours=1)
        self.remove_label(first, "needs-review", people[0])
        yield self.now + timedelta(hours=1)
        gone = second.reviews[0].comments.pop()
        self.life.organization.nodes.pop(gone.id)
        self.comment(second, people[1], "That remark was about another file.")
        yield self.now + timedelta(hours=1)
        self.review(second, people[4], "APPROVED", [])
        yield self.now + timedelta(minutes=30)
        self.remove_label(second, "needs-review", people[1])
        self.merge(second, people[1])
        yield self.now + timedelta(hours=1)
        pending = third.reviews[-1]
        if pending.state == "PENDING":
            pending.state = "COMMENTED"
            pending.submitted_at = pending.updated_at = third.updated_at = self.now
        third.is_draft = True
        self.event(third, "ConvertToDraftEvent", people[2])
        yield self.now + timedelta(hours=1)
        self._close(third, people[2])
