"""The life of a pull request, from its first commit to what is said long after its merge."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

from veelocity_pipeline.simulator.organization.acts import RepositoryActs
from veelocity_pipeline.simulator.organization.code_host import (
    Account,
    Commit,
    Issue,
    PullRequest,
)
from veelocity_pipeline.simulator.organization.plan import REMARKS, THINGS
from veelocity_pipeline.simulator.organization.tracker import LinearIssue
from veelocity_pipeline.simulator.organization.worktime import Process, after_work_hours

if TYPE_CHECKING:
    pass

_GIANT_AT = 12
"""Which pull request of the first repository has more of everything than fits a page."""


class PullRequestLife:
    """How people open pull requests in a repository, review them and see them through."""

    def __init__(self, home: RepositoryActs) -> None:
        self.home = home

    def lead(self, index: int) -> Process:
        """An everyday pull request, from its first commit to its end."""
        life, rng = self.home.life, self.home.life.random(self.home.plan.name, "pull request", index)
        members = life.present(self.home.members)
        outside = bool(not self.home.plan.is_private and life.outsiders and rng.random() < 0.25)
        author = rng.choice(life.outsiders if outside else members)
        issue = None if outside or rng.random() > 0.55 else life.work.take(self.home.plan.team, author)
        topic = issue.title if issue else self.home.topic(rng)
        began_at = self.home.now
        is_giant = self.home.is_first and index == _GIANT_AT
        base = self.home.repository.branches[self.home.base_branch]
        yield after_work_hours(self.home.now, min(rng.lognormvariate(1.2, 1.0), 60))
        if self.home.is_closed:
            return
        parent_request = self._stack_on(rng) if self.home.plan.merge_method == "merge" else None
        fork = self.home.fork(author) if outside else None
        area = None
        if parent_request is not None:
            base = parent_request.head
        commits = self.home.begin_branch(
            rng, author, topic, began_at, 130 if is_giant else rng.choice((1, 1, 2, 2, 3, 4, 6)), area, base, fork
        )
        if is_giant:
            for number, commit in enumerate(commits):
                commit.paths = sorted({*commit.paths, f"src/lib/generated/part{number:03}.py"})
        title, body, branch = self._describe(rng, topic, issue, author)
        closing = self._github_issue(rng)
        if closing is not None:
            body += f"\n\nFixes #{closing.number}"
        pull_request = self.home.open(
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
            self.home.add_label(pull_request, rng.choice(("bug", "enhancement")), author)
        if issue is not None:
            life.work.link(issue, pull_request, rng.random() < 0.85)
        yield from self._until_merged(pull_request, rng, is_giant)

    def _stack_on(self, rng: random.Random) -> PullRequest | None:
        """Now and then work builds on somebody's open pull request instead of the base branch."""
        if rng.random() > 0.07 or self.home.plan.delivery == "gitflow":
            return None
        for candidate in reversed(self.home.repository.pull_requests):
            if candidate.state == "OPEN" and candidate.base_branch == "main" and not candidate.is_cross_repository:
                return candidate if candidate.author.kind == "User" and not candidate.carries else None
        return None

    def _describe(
        self, rng: random.Random, topic: str, issue: LinearIssue | None, author: Account
    ) -> tuple[str, str, str]:
        """Title, body and branch; the key of the issue stands in one of them, or in several."""
        slug = "".join(each if each.isalnum() else "-" for each in topic.lower()).strip("-")[:40]
        branch = f"{author.login}/{slug}-{self.home.life.ids.number('Branch')}"
        title, body = topic, f"{topic}, because {rng.choice(THINGS)} needs it."
        if issue is None:
            if rng.random() < 0.04:
                body += "\n\nReads UTF-8 and writes SHA-256; see CVE-2024-1234 and RFC-9110."
            return title, body, branch
        key = issue.identifier
        where = rng.random()
        if where < 0.6:
            branch = f"{author.login}/{key.lower()}-{slug}"
            if branch in self.home.repository.branches:
                branch += f"-{self.home.life.ids.number('Branch')}"
        if 0.4 < where < 0.75:
            title = f"{key}: {topic}" if rng.random() < 0.5 else f"[{key}] {topic}"
        if where >= 0.75:
            word = rng.choice(("Closes", "Fixes", "Part of", "Relates to"))
            body += f"\n\n{word} {key}"
        return title, body, branch

    def _until_merged(self, pull_request: PullRequest, rng: random.Random, is_giant: bool = False) -> Process:
        """Draft, reviews, more commits, approval, merge; or no end, or one without a merge."""
        author = pull_request.author
        reviewers = [each for each in self.home.life.present(self.home.members) if each is not author] or [
            self.home.members[0]
        ]
        stays_open = rng.random() < 0.012
        gives_up = rng.random() < 0.05
        if pull_request.is_draft:
            yield after_work_hours(self.home.now, rng.lognormvariate(1.5, 0.8))
            if pull_request.state != "OPEN":
                return
            if rng.random() < 0.4:
                self._more_commits(pull_request, rng)
            pull_request.is_draft = False
            self.home.event(pull_request, "ReadyForReviewEvent", author)
            if rng.random() < 0.1:
                yield after_work_hours(self.home.now, 1.0)
                pull_request.is_draft = True
                self.home.event(pull_request, "ConvertToDraftEvent", author)
                yield after_work_hours(self.home.now, rng.uniform(1, 6))
                pull_request.is_draft = False
                self.home.event(pull_request, "ReadyForReviewEvent", author)
        if rng.random() < 0.25:
            self.home.add_label(pull_request, "needs-review", author)
        if rng.random() < 0.05:
            yield after_work_hours(self.home.now, rng.uniform(0.1, 1))
            self.home.comment(pull_request, author, "Ready for a look, thank you!")
        for number in range(self.home.plan.more_reviews):
            yield self.home.now + timedelta(minutes=rng.randint(2, 40))
            remarks = [rng.choice(REMARKS) for _ in range(rng.randint(1, 3))] if number % 2 else []
            self.home.review(pull_request, rng.choice(reviewers), "COMMENTED", remarks)
        rounds = 0
        while True:
            if rounds == 0 and rng.random() < 0.1:
                break  # merged without review
            yield after_work_hours(self.home.now, min(rng.lognormvariate(0.7, 1.1), 50))
            if pull_request.state != "OPEN" or self.home.is_closed:
                return
            reviewer = rng.choice(reviewers)
            rounds += 1
            if reviewer is self.home.life.organization.viewer and rng.random() < 0.3:
                pending = self.home.review(pull_request, reviewer, "PENDING", [rng.choice(REMARKS)])
                yield after_work_hours(self.home.now, rng.uniform(0.5, 3))
                pending.state = "COMMENTED"
                pending.submitted_at = pending.updated_at = pull_request.updated_at = self.home.now
            remarks = [rng.choice(REMARKS) for _ in range(rng.choice((0, 0, 0, 1, 2, 4)))]
            verdict = rng.random()
            if verdict < 0.58 or rounds > 3:
                self.home.review(pull_request, reviewer, "APPROVED", remarks[:1])
                break
            state = "CHANGES_REQUESTED" if verdict < 0.75 else "COMMENTED"
            if state == "COMMENTED" and not remarks:
                self.home.comment(pull_request, reviewer, rng.choice(REMARKS))
            else:
                self.home.review(pull_request, reviewer, state, remarks)
            yield after_work_hours(self.home.now, min(rng.lognormvariate(0.6, 1.0), 30))
            if pull_request.state != "OPEN":
                return
            yield from self._answer(pull_request, rng)
        if is_giant:
            yield from self._long_discussion(pull_request, rng, reviewers)
        if stays_open:
            return
        yield after_work_hours(self.home.now, min(rng.lognormvariate(-0.6, 1.0), 20))
        if pull_request.state != "OPEN" or self.home.is_closed:
            return
        if gives_up and not is_giant and not pull_request.carries and not self.home.has_children(pull_request):
            self.home.comment(pull_request, author, "Superseded, closing.")
            self.home.close(pull_request, author)
            return
        base_head = self.home.repository.branches.get(pull_request.base_branch)
        if base_head is None or (pull_request.base_branch not in ("main", "develop") and rng.random() < 0.05):
            # the branch it was stacked on is merged and gone: it now goes to the base branch
            pull_request.base_branch = self.home.base_branch
            pull_request.updated_at = self.home.now
        elif pull_request.is_cross_repository is False and rng.random() < 0.08:
            self._update_branch(pull_request, author, base_head)
            yield self.home.now + timedelta(minutes=8)
            if pull_request.state != "OPEN" or self.home.is_closed:
                return
            if pull_request.base_branch not in self.home.repository.branches:
                pull_request.base_branch = self.home.base_branch
        self.home.remove_label(pull_request, "needs-review", author)
        merger = author if author in self.home.members and rng.random() < 0.8 else rng.choice(reviewers)
        self.home.merge(pull_request, merger)
        yield from self._afterwards(pull_request, rng, reviewers)

    def _answer(self, pull_request: PullRequest, rng: random.Random) -> Process:
        """The author's reaction to a review."""
        author = pull_request.author
        kind = rng.random()
        if kind < 0.3:
            self.home.comment(pull_request, author, "Done, please look again.")
        elif kind < 0.45:
            self.home.review(pull_request, author, "COMMENTED", ["Because the list is never empty here."])
        may_rewrite = not pull_request.carries and not self.home.has_children(pull_request)
        if rng.random() < 0.15 and may_rewrite:
            self.home.force_push(pull_request, rng)
        elif rng.random() < 0.8:
            self._more_commits(pull_request, rng)
        with_comments = [review for review in pull_request.reviews if len(review.comments) > 1]
        if with_comments and rng.random() < 0.12:
            # a deletion alone moves nothing; what is said with it does
            review = with_comments[0]
            gone = review.comments.pop()
            self.home.life.organization.nodes.pop(gone.id)
            self.home.comment(pull_request, author, "Deleted a remark that was about another file.")
        return
        yield

    def _more_commits(self, pull_request: PullRequest, rng: random.Random) -> None:
        head = pull_request.head
        commits = []
        for _ in range(rng.choice((1, 1, 2))):
            head = self.home.commit(
                f"Address review: {self.home.topic(rng).lower()}",
                pull_request.author,
                self.home.now,
                [head],
                [rng.choice(head.paths or ["README.md"])],
                repository=head.repository,
            )
            commits.append(head)
        self.home.add_commits(pull_request, commits)

    def _update_branch(self, pull_request: PullRequest, actor: Account, base_head: Commit) -> None:
        """Merge the base branch into the head branch, as the button does. Not where it would change how it lands."""
        if self.home.plan.merge_method != "squash":
            return
        message = f"Merge branch '{pull_request.base_branch}' into {pull_request.head_branch}"
        commit = self.home.commit(message, actor, self.home.now, [pull_request.head, base_head], [], by_github=True)
        self.home.add_commits(pull_request, [commit])

    def _long_discussion(self, pull_request: PullRequest, rng: random.Random, reviewers: list[Account]) -> Process:
        """More reviews, remarks in one review and comments than any page holds."""
        for index in range(108):
            yield self.home.now + timedelta(minutes=rng.randint(2, 20))
            remarks = [f"Part {number}: {rng.choice(REMARKS)}" for number in range(105)] if index == 40 else []
            self.home.review(pull_request, reviewers[index % len(reviewers)], "COMMENTED", remarks)
        for _ in range(120):
            yield self.home.now + timedelta(minutes=rng.randint(1, 9))
            self.home.comment(pull_request, rng.choice(reviewers), rng.choice(REMARKS))

    def _afterwards(self, pull_request: PullRequest, rng: random.Random, reviewers: list[Account]) -> Process:
        """Now and then something happens to a pull request that is long closed."""
        if rng.random() < 0.04:
            yield after_work_hours(self.home.now, rng.uniform(5, 60))
            if self.home.is_closed:
                return
            if rng.random() < 0.5:
                self.home.comment(pull_request, rng.choice(reviewers), "Nice, this helped a lot.")
            else:
                self.home.add_label(pull_request, "enhancement", rng.choice(reviewers))

    def _github_issue(self, rng: random.Random) -> Issue | None:
        """An open issue that nobody works on, for a pull request to close."""
        if not self.home.plan.issues_per_week or rng.random() > 0.35:
            return None
        for issue in self.home.repository.issues:
            if issue.state == "OPEN" and not issue.closed_by:
                return issue
        return None
