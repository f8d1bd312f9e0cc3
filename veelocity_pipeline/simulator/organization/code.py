"""The life of a repository: who does what in it, and when."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

from veelocity_pipeline.simulator.organization.acts import RepositoryActs
from veelocity_pipeline.simulator.organization.code_host import (
    Commit,
    Issue,
    PullRequest,
)
from veelocity_pipeline.simulator.organization.delivery import Delivery
from veelocity_pipeline.simulator.organization.plan import MOMENT, THINGS, RepositoryPlan
from veelocity_pipeline.simulator.organization.pull_request import PullRequestLife
from veelocity_pipeline.simulator.organization.workflows import Workflows
from veelocity_pipeline.simulator.organization.worktime import Process, after_work_hours, is_workday

if TYPE_CHECKING:
    from veelocity_pipeline.simulator.organization.life import Life


class RepositoryLife(RepositoryActs):
    """One repository and everything that happens in it."""

    def __init__(self, life: Life, plan: RepositoryPlan) -> None:
        super().__init__(life, plan)
        self.begun = 0
        self.pull_requests = PullRequestLife(self)
        self.workflows = Workflows(self)
        self.delivery = Delivery(self)
        self.workflows.begin_checks()
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
                    self.life.start(self.pull_requests.lead(self.begun), self.now)
                if rng.random() < 0.06 and self.plan.delivery != "gitflow":
                    yield day + timedelta(hours=10, seconds=rng.randrange(20_000))
                    self._push_directly(rng)
            day += timedelta(days=1)
            yield day

    def _push_directly(self, rng: random.Random) -> None:
        """A commit on the default branch that belongs to no pull request."""
        author = rng.choice(self.life.present(self.members))
        head = self.repository.branches["main"]
        commit = self.commit(f"{self.topic(rng)} (no review)", author, self.now, [head], self.paths(rng))
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
                self.close(pull_request, self.members[0])
        self.repository.archived_at = self.repository.updated_at = self.now
        return
        yield

    def _rename(self) -> Process:
        self.repository.former_names.append(self.repository.full_name)
        self.repository.name = self.plan.name
        self.repository.updated_at = self.now
        return
        yield

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
            self.close(pull_request, bot)
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

    def _triage(self, issue: Issue, chance: float) -> Process:
        if chance < 0.4:
            self.comment(issue, self.members[0], "We can see it too.")
            issue.assignee = self.members[1]
        else:
            self.close_issue(issue, "NOT_PLANNED")
        return
        yield

    def _showcase(self) -> Process:
        """Open pull requests at the fixed moment, which change in the days after it in every way there is."""
        rng = self.life.random(self.plan.name, "showcase")
        people = self.life.present(self.members)
        made = []
        for index in range(3):
            base = self.repository.branches["main"]
            topic = self.topic(rng)
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
        self.close(third, people[2])
