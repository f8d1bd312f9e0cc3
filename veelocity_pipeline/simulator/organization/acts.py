"""What can be done in a repository: push, open, review, merge, label, comment."""

from __future__ import annotations

import random
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
)
from veelocity_pipeline.simulator.organization.plan import THINGS, VERBS, RepositoryPlan

if TYPE_CHECKING:
    from veelocity_pipeline.simulator.organization.delivery import Delivery
    from veelocity_pipeline.simulator.organization.life import Life
    from veelocity_pipeline.simulator.organization.workflows import Workflows

_LABELS = {
    "bug": ("d73a4a", "Something is not working"),
    "enhancement": ("a2eeef", "New feature or request"),
    "dependencies": ("0366d6", "Updates a dependency"),
    "needs-review": ("fbca04", "Waits for a reviewer"),
    "hotfix": ("b60205", "Mends production now"),
    "incident": ("b60205", "Users saw it break"),
    "release": ("5319e7", "Takes merged work to production"),
}


class RepositoryActs:
    """One repository, and everything that can be done in it."""

    delivery: Delivery
    workflows: Workflows

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
        self.develop_waiting: list[PullRequest] = []
        self._first_commits(rng)

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

    def _first_commits(self, rng: random.Random) -> None:
        """The history before the organisation's recorded life: commits without pull requests."""
        moment = self.repository.created_at
        head: list[Commit] = []
        for index in range(3 if self.life.plan.is_quiet else 25):
            moment += timedelta(days=rng.randint(5, 14), seconds=rng.randrange(30_000))
            author = rng.choice(self.members)
            message = "Initial commit" if index == 0 else self.topic(rng)
            head = [self.commit(message, author, moment, head, self.paths(rng), moment)]
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

    def paths(self, rng: random.Random, area: str | None = None) -> list[str]:
        """Files that a change touches."""
        areas = [area] if area else [rng.choice(self.plan.areas)]
        if not area and rng.random() < 0.12:
            areas.append(rng.choice(self.plan.areas))
        return [
            f"{each}/{rng.choice('abcdefgh')}{rng.randrange(40)}.py" for each in areas for _ in range(rng.randint(1, 3))
        ]

    def topic(self, rng: random.Random) -> str:
        """What a change is about."""
        return f"{rng.choice(VERBS)} {rng.choice(THINGS)}"

    @property
    def is_closed(self) -> bool:
        """Archived: nothing happens any more."""
        return self.repository.archived_at is not None

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
        self.workflows.check(pull_request)
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

    def close(self, pull_request: PullRequest, actor: Account) -> None:
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

    def has_children(self, pull_request: PullRequest) -> bool:
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
            message = topic if index == 0 else f"{self.topic(rng)}"
            parent = self.commit(message, author, moment, [parent], self.paths(rng, area), repository=repository)
            commits.append(parent)
        return commits

    def fork(self, author: Account) -> Repository:
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
