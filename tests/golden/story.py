"""Reads a story, told line by line, into an organisation that the simulator serves.

A line of a chapter is ``[time] who verb …``, as the head of ``organization.txt`` shows. Every line becomes objects of
:mod:`veelocity_pipeline.simulator.organization`, as the providers would keep them: a squash makes one commit, a rebase
new ones, a merge one with two parents; a pull request's commits are those of its branch that its base lacks. Nothing
here knows what a metric is.

Chapters happen side by side: lines of all of them are taken in order of time, those of one moment as they stand.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from veelocity_pipeline.simulator.organization.code_host import (
    Account,
    Comment,
    Commit,
    Deployment,
    DeploymentStatus,
    Event,
    Issue,
    Job,
    Label,
    PullRequest,
    PullRequestCommit,
    Release,
    Repository,
    Review,
    RunAttempt,
    Tag,
    Workflow,
    WorkflowRun,
)
from veelocity_pipeline.simulator.organization.ids import Ids
from veelocity_pipeline.simulator.organization.tracker import (
    Attachment,
    LinearIssue,
    LinearLabel,
    LinearTeam,
    LinearUser,
    StateChange,
    WorkflowState,
    Workspace,
)
from veelocity_pipeline.simulator.organization.whole import Organization

FOUNDED = datetime(2025, 1, 1, tzinfo=UTC)
OWNER = "acme"
DEFAULT_BRANCH = "main"

_STATES = (
    ("Todo", "unstarted"),
    ("In Progress", "started"),
    ("Done", "completed"),
    ("Canceled", "canceled"),
    ("Duplicate", "duplicate"),
)
_REVIEWS = {
    "approves": "APPROVED",
    "asks-changes": "CHANGES_REQUESTED",
    "remarks": "COMMENTED",
    "begins-review": "PENDING",
}
_MOVES = {"starts": "In Progress", "finishes": "Done", "cancels": "Canceled", "duplicates": "Duplicate"}
_MERGES = {"squashes": "squash", "merges": "merge", "rebases": "rebase"}


class StoryError(ValueError):
    """A line that cannot be told; the message has its number and its text."""


@dataclass(slots=True)
class Line:
    """One thing that somebody does."""

    number: int
    text: str
    chapter: str
    at: datetime
    who: str
    verb: str
    arguments: list[str]
    options: dict[str, str]
    act: Callable[[], None] | None = None
    """What happens instead, for the end of what a line has begun."""


@dataclass(slots=True, eq=False)
class _Chapter:
    """A repository, and what its lines call by a name of their own."""

    repository: Repository
    commits: dict[str, Commit] = field(default_factory=dict)
    runs: dict[str, WorkflowRun] = field(default_factory=dict)
    forks: dict[str, Repository] = field(default_factory=dict)


def moment(text: str, day: str = "") -> datetime:
    """``09:30`` of a day, or ``2026-03-01 09:30``, in UTC."""
    return datetime.fromisoformat(text if " " in text else f"{day} {text}").replace(tzinfo=UTC)


def tell(path: Path) -> Story:
    """The organisation as it is at the end of the story.

    Raises:
        StoryError: a line cannot be read, or names what there is not.
    """
    story = Story()
    story.read(path.read_text(encoding="utf-8"))
    story.happen()
    return story


class Story:
    """An organisation, and the names that its story gives to commits, runs and deployments.

    Attributes:
        organization: what the simulator serves.
        names: what a product's id holds (a sha, ``runs/14200000007``, ``deployments/1540000007``) by the story's name.
    """

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self._ids = Ids(1)
        self._lines: list[Line] = []
        self._chapters: dict[str, _Chapter] = {}
        self._accounts: dict[str, Account] = {}
        self._users: dict[str, LinearUser] = {}
        self._teams: dict[str, LinearTeam] = {}
        self._labels: dict[str, LinearLabel] = {}
        self._order = 0
        self.now = FOUNDED
        self.organization = Organization(
            seed=0,
            size="story",
            now=FOUNDED,
            account=None,  # type: ignore[arg-type]
            viewer=None,  # type: ignore[arg-type]
        )
        self.organization.account = self._account(OWNER, "Organization", "Acme", "hello@acme.example")
        self.organization.workspace = Workspace(self._ids.uuid("workspace"), "Acme", OWNER, FOUNDED)

    # -- reading

    def read(self, text: str) -> None:
        """Split the text into lines, with the people, repositories and teams that it names."""
        chapter, day = "", ""
        for number, raw in enumerate(text.splitlines(), 1):
            words = shlex.split(re.sub(r"(^|\s)#(\s.*)?$", "", raw))  # a hash before a number names something
            if not words:
                continue
            try:
                if not raw.startswith(" "):
                    chapter, day = words[-1], ""
                    if words[0] == "now":
                        self.organization.now = moment(" ".join(words[1:]))
                    elif words[0] == "repository":
                        self._chapters[chapter] = _Chapter(self._repository(chapter, self.organization.account))
                    continue
                if chapter == "people":
                    self._person(words[0], " ".join(words[1:-1]), words[-1])
                elif words[0] == "team":
                    self._team(words[1])
                elif re.fullmatch(r"\d{4}-\d\d-\d\d", words[0]):
                    day = words[0]
                else:
                    self._lines.append(self._line(number, raw.strip(), chapter, day, words))
            except (KeyError, IndexError, ValueError, AttributeError) as error:
                raise StoryError(f"line {number}: {raw.strip()}: {error!r}") from error

    def _line(self, number: int, text: str, chapter: str, day: str, words: list[str]) -> Line:
        time, who, verb, *rest = words
        options, arguments = {}, []
        queue = iter(rest)
        for word in queue:
            if word in ("on", "to", "until"):
                options[word] = next(queue)
            elif word in ("draft", "prerelease", "fork"):
                options[word] = "yes"
            elif re.match(r"[a-z]+=", word):
                name, _, value = word.partition("=")
                options[name] = value
            else:
                arguments.append(word)
        if "until" in options and " " not in options["until"]:
            options["until"] = f"{day} {options['until']}"
        return Line(number, text, chapter, moment(time, day), who, verb, arguments, options)

    def happen(self) -> None:
        """Let every line happen, in order of time."""
        waiting = sorted(self._lines, key=lambda line: line.at)
        position = 0
        while position < len(waiting):
            line = waiting[position]
            position += 1
            if line.at > self.organization.now:
                raise StoryError(f"line {line.number}: {line.text}: it is after the story's now")
            self.now = line.at
            try:
                if line.act is not None:
                    line.act()
                    continue
                end = self._act(line)
            except (KeyError, IndexError, ValueError, AttributeError, StopIteration) as error:
                raise StoryError(f"line {line.number}: {line.text}: {error!r}") from error
            if end is not None:
                # what ends at a moment does so before anything else begins at it
                at = moment(line.options["until"])
                place = next(
                    (index for index in range(position, len(waiting)) if waiting[index].at >= at), len(waiting)
                )
                waiting.insert(place, Line(line.number, line.text, line.chapter, at, line.who, "ends", [], {}, end))

    # -- people and places

    def _account(self, login: str, kind: str, name: str, email: str) -> Account:
        number = self._ids.number("Account")
        node = self._ids.node({"Bot": "Bot", "Organization": "Organization"}.get(kind, "Account"), number)
        account = Account(node, number, login, kind, name, email, FOUNDED)
        self.organization.nodes[node] = account
        return account

    def _person(self, login: str, name: str, email: str) -> None:
        is_bot = login.endswith("[bot]")
        account = self._account(login.removesuffix("[bot]"), "Bot" if is_bot else "User", name, email)
        self._accounts[login] = account
        self.organization.accounts.append(account)
        if self.organization.viewer is None:
            self.organization.viewer = account
        if not is_bot and email.endswith("@acme.example"):
            user = LinearUser(self._ids.uuid("user"), name, login, email, False, FOUNDED, FOUNDED, account)
            self._users[login] = user
            self.organization.workspace.users.append(user)

    def _repository(self, name: str, owner: Account, is_fork: bool = False) -> Repository:
        number = self._ids.number("Repository")
        repository = Repository(
            id=self._ids.node("Repository", number),
            database_id=number,
            owner=owner,
            name=name,
            description="",
            default_branch=DEFAULT_BRANCH,
            created_at=FOUNDED,
            updated_at=FOUNDED,
            pushed_at=FOUNDED,
            is_private=False,
            is_fork=is_fork,
        )
        (self.organization.forks if is_fork else self.organization.repositories).append(repository)
        self.organization.nodes[repository.id] = repository
        return repository

    def _team(self, key: str) -> None:
        team = LinearTeam(self._ids.uuid("team"), key, key.capitalize(), FOUNDED, FOUNDED)
        for position, (name, kind) in enumerate(_STATES):
            state = WorkflowState(self._ids.uuid("state"), team, name, kind, float(position), FOUNDED, FOUNDED)
            team.states.append(state)
        self._teams[key] = team
        self.organization.workspace.teams.append(team)

    # -- acting

    def _act(self, line: Line) -> Callable[[], None] | None:
        if line.verb == "leaves":
            self._accounts[line.who].deleted_at = self.now
            return None
        if line.chapter == "linear":
            self._act_in_linear(line)
            return None
        chapter, actor = self._chapters[line.chapter], self._accounts[line.who]
        subject, options = (line.arguments or [""])[0], line.options
        if line.verb in ("runs", "reruns"):
            return self._run(chapter, actor, line)
        if line.verb == "deploys":
            return self._deploy(chapter, actor, line)
        if line.verb == "pushes":
            self._push(chapter, actor, line)
        elif line.verb == "loses":
            sha = self._ids.sha(chapter.repository.database_id)
            head = chapter.repository.branches[DEFAULT_BRANCH]
            chapter.commits[subject] = self._commit_object(chapter, sha, actor, "Lost", [head], [], self.now)
            self.names[sha] = subject
        elif line.verb == "branches":
            chapter.repository.branches[subject] = self._ref(chapter, options.get("from", DEFAULT_BRANCH))
        elif line.verb == "opens":
            self._open(chapter, actor, line)
        elif line.verb == "releases":
            self._release(chapter, actor, subject, options)
        elif line.verb == "files":
            self._file(chapter, actor, line)
        elif line.verb == "finishes":
            self._close_issue(self._issue(chapter, subject))
        else:
            self._act_on_pull_request(self._pull_request(chapter, subject), chapter, actor, line.verb, options)
        return None

    def _act_on_pull_request(
        self, it: PullRequest, chapter: _Chapter, actor: Account, verb: str, options: dict[str, str]
    ) -> None:
        if verb in _REVIEWS:
            number = self._ids.number("Review")
            node = self._ids.node("Review", number, it.repository.database_id)
            sent = None if verb == "begins-review" else self.now
            review = Review(node, number, it, actor, _REVIEWS[verb], "", self._head(it), self.now, self.now, sent)
            it.reviews.append(review)
            self.organization.nodes[node] = review
        elif verb == "comments":
            number = self._ids.number("Comment")
            node = self._ids.node("Comment", number, it.repository.database_id)
            comment = Comment(node, number, it, actor, "I see.", self.now, self.now)
            it.comments.append(comment)
            self.organization.nodes[node] = comment
        elif verb in ("readies", "drafts"):
            it.is_draft = verb == "drafts"
            self._event(it, "ConvertToDraftEvent" if it.is_draft else "ReadyForReviewEvent", actor)
        elif verb == "closes":
            it.state, it.closed_at = "CLOSED", self.now
            self._event(it, "ClosedEvent", actor)
        else:
            self._merge(it, chapter, actor, _MERGES[verb])
        it.updated_at = self.now

    # -- commits and pull requests

    def _ref(self, chapter: _Chapter, name: str) -> Commit:
        """A commit by branch, tag, the story's own name, or the number of the pull request that it merged."""
        if name.startswith("#"):
            merged = self._pull_request(chapter, name).merge_commit
            if merged is None:
                raise StoryError(f"{name} is not merged")
            return merged
        tag = next((tag for tag in chapter.repository.tags if tag.name == name), None)
        if tag is not None:
            return tag.commit
        return chapter.repository.branches.get(name) or chapter.commits[name]

    def _commit_object(
        self,
        chapter: _Chapter,
        sha: str,
        author: Account,
        message: str,
        parents: list[Commit],
        paths: list[str],
        authored_at: datetime,
        by_github: bool = False,
        repository: Repository | None = None,
    ) -> Commit:
        self._order += 1
        repository = repository or chapter.repository
        return Commit(
            id=f"C_kwDO{repository.database_id:x}{sha}",
            sha=sha,
            repository=repository,
            message=message,
            parents=parents,
            author=author,
            author_name=author.rest_login if author.kind == "Bot" else author.name,
            author_email=author.email,
            authored_at=authored_at,
            committer_name="GitHub" if by_github else author.name,
            committer_email="noreply@github.com" if by_github else author.email,
            committed_at=self.now,
            order=self._order,
            additions=7,
            deletions=2,
            paths=paths,
        )

    def _commit(self, chapter: _Chapter, name: str, author: Account, message: str, **more: Any) -> Commit:
        sha = self._ids.sha(chapter.repository.database_id)
        commit = self._commit_object(chapter, sha, author, message, **more)
        commit.repository.commits[sha] = commit
        self.organization.nodes[commit.id] = commit
        chapter.commits[name] = commit
        self.names[sha] = name
        return commit

    def _land(self, chapter: _Chapter, branch: str, commit: Commit) -> None:
        repository = chapter.repository
        repository.branches[branch] = commit
        repository.pushed_at = repository.updated_at = self.now
        if branch == repository.default_branch:
            commit.landing = max((each.landing for each in repository.commits.values()), default=-1) + 1
        for each in repository.pull_requests:
            if each.state == "OPEN" and each.head_branch == branch and not each.is_cross_repository:
                self._take_commits(each, chapter)

    def _push(self, chapter: _Chapter, actor: Account, line: Line) -> None:
        name, options = line.arguments[0], line.options
        branch, base = options.get("on", DEFAULT_BRANCH), chapter.repository.branches
        message = line.arguments[1] if len(line.arguments) > 1 else f"What {name} does"
        if "reverts" in options:
            message = f"Undo it\n\nThis reverts commit {self._ref(chapter, options['reverts']).sha}."
        if "picks" in options:
            message += f"\n\n(cherry picked from commit {self._ref(chapter, options['picks']).sha})"
        home = self._fork(chapter, actor) if "fork" in options else chapter.repository
        branches = base if home is chapter.repository else home.branches
        parent = branches.get(branch)
        if parent is None and base:
            parent = self._ref(chapter, options.get("from", DEFAULT_BRANCH))
        commit = self._commit(
            chapter,
            name,
            actor,
            message,
            parents=[parent] if parent else [],
            paths=options["paths"].split(",") if "paths" in options else [f"{name}.py"],
            authored_at=moment(options["dated"]) if "dated" in options else self.now,
            repository=home,
        )
        if home is chapter.repository:
            self._land(chapter, branch, commit)
        else:
            branches[branch] = commit

    def _fork(self, chapter: _Chapter, owner: Account) -> Repository:
        if owner.login not in chapter.forks:
            fork = self._repository(chapter.repository.name, owner, is_fork=True)
            fork.branches[DEFAULT_BRANCH] = chapter.repository.branches[DEFAULT_BRANCH]
            chapter.forks[owner.login] = fork
        return chapter.forks[owner.login]

    def _pull_request(self, chapter: _Chapter, name: str) -> PullRequest:
        return next(each for each in chapter.repository.pull_requests if f"#{each.number}" == name)

    @staticmethod
    def _head(it: PullRequest) -> Commit:
        assert it.head_repository is not None
        return it.head_repository.branches[it.head_branch]

    def _open(self, chapter: _Chapter, actor: Account, line: Line) -> None:
        name, branch, title, *body = line.arguments
        repository, number, options = chapter.repository, self._ids.number("PullRequest"), line.options
        base = options.get("into", DEFAULT_BRANCH)
        it = PullRequest(
            id=self._ids.node("PullRequest", number, repository.database_id),
            database_id=number,
            repository=repository,
            number=int(name.removeprefix("#")),
            title=title,
            body=body[0].replace("\\n", "\n") if body else "",
            author=actor,
            base_branch=base,
            base_sha=repository.branches[base].sha,
            head_branch=branch,
            head_repository=chapter.forks[actor.login] if "fork" in options else repository,
            is_draft="draft" in options,
            created_at=self.now,
            updated_at=self.now,
        )
        repository.pull_requests.append(it)
        repository.last_number = max(repository.last_number, it.number)
        self.organization.nodes[it.id] = it
        self._take_commits(it, chapter)
        for label in options["labels"].split(",") if "labels" in options else ():
            it.labels.append(self._label(repository, label))
        if "closes" in options:
            issue = self._issue(chapter, options["closes"])
            it.closing_issues.append(issue)
            issue.closed_by.append(it)

    def _take_commits(self, it: PullRequest, chapter: _Chapter) -> None:
        """The commits of its branch that its base lacks, oldest first."""

        def reached(commit: Commit) -> dict[str, Commit]:
            found, stack = {commit.sha: commit}, [commit]
            while stack:
                for parent in stack.pop().parents:
                    if parent.sha not in found:
                        found[parent.sha] = parent
                        stack.append(parent)
            return found

        base = reached(chapter.repository.branches[it.base_branch])
        own = [commit for sha, commit in reached(self._head(it)).items() if sha not in base]
        have = {entry.commit.sha for entry in it.commits}
        for commit in sorted(own, key=lambda commit: commit.order):
            if commit.sha not in have:
                number = self._ids.number("PullRequestCommit")
                node = self._ids.node("PullRequestCommit", number, it.repository.database_id)
                entry = PullRequestCommit(node, it, commit)
                it.commits.append(entry)
                commit.pull_requests.append(it)
                self.organization.nodes[node] = entry
        it.updated_at = self.now

    def _event(self, it: PullRequest, kind: str, actor: Account, after: Commit | None = None) -> None:
        node = self._ids.node(kind, self._ids.number("Event"), it.repository.database_id)
        event = Event(node, kind, it, actor, self.now, after=after)
        it.events.append(event)
        self.organization.nodes[node] = event

    def _merge(self, it: PullRequest, chapter: _Chapter, actor: Account, method: str) -> None:
        target, name = chapter.repository.branches[it.base_branch], f"#{it.number}"
        if method == "squash":
            message = f"{it.title} ({name})"
            if it.commits and "This reverts commit" in it.commits[0].commit.message:
                message += "\n\n" + it.commits[0].commit.message.split("\n\n", 1)[1]
            landed = [
                self._commit(
                    chapter,
                    name,
                    it.author,
                    message,
                    parents=[target],
                    paths=it.paths,
                    authored_at=self.now,
                    by_github=True,
                )
            ]
        elif method == "merge":
            message = f"Merge pull request {name} from {OWNER}/{it.head_branch}\n\n{it.title}"
            joined = {"parents": [target, self._head(it)], "paths": []}
            landed = [self._commit(chapter, name, actor, message, **joined, authored_at=self.now, by_github=True)]
        else:
            landed = []
            for entry in it.commits:
                old, parent = entry.commit, landed[-1] if landed else target
                label = f"{name}~{len(it.commits) - len(landed) - 1}".removesuffix("~0")
                landed.append(
                    self._commit(
                        chapter,
                        label,
                        it.author,
                        old.message,
                        parents=[parent],
                        paths=old.paths,
                        authored_at=old.authored_at,
                    )
                )
        it.state, it.is_draft = "MERGED", False
        it.merged_at = it.closed_at = self.now
        it.merged_by, it.merge_method, it.merge_commit = actor, method, landed[-1]
        for commit in landed:
            commit.pull_requests.append(it)
            self._land(chapter, it.base_branch, commit)
        self._event(it, "MergedEvent", actor, after=landed[-1])
        self._event(it, "ClosedEvent", actor)
        for issue in it.closing_issues:
            self._close_issue(issue)

    # -- deliveries

    def _run(self, chapter: _Chapter, actor: Account, line: Line) -> Callable[[], None]:
        name, options = line.arguments[0], line.options
        if line.verb == "reruns":
            run = chapter.runs[name]
        else:
            branch = options.get("on", DEFAULT_BRANCH)
            number, workflow = self._ids.number("WorkflowRun"), self._workflow(chapter, line.arguments[1])
            workflow.run_count += 1
            run = WorkflowRun(
                id=number,
                node_id=self._ids.node("WorkflowRun", number, chapter.repository.database_id),
                repository=chapter.repository,
                workflow=workflow,
                number=workflow.run_count,
                event=options.get("event", "push"),
                actor=actor,
                title=workflow.name,
                head_branch=branch,
                head_commit=self._ref(chapter, options.get("at", branch)),
                head_repository=chapter.forks[options["head"]] if "head" in options else chapter.repository,
                pull_request=None,
                created_at=self.now,
            )
            chapter.repository.runs.append(run)
            chapter.runs[name] = run
            self.names[f"runs/{run.id}/attempts/1"] = name
        attempt = RunAttempt(run, len(run.attempts) + 1, actor, "in_progress", None, self.now, self.now)
        run.attempts.append(attempt)
        if attempt.number > 1:
            self.names[f"runs/{run.id}/attempts/{attempt.number}"] = f"{name}.{attempt.number}"

        def end() -> None:
            attempt.status, attempt.conclusion = "completed", options.get("as", "success")
            attempt.updated_at = self.now
            number = self._ids.number("Job")
            start = attempt.started_at
            job = Job(number, attempt, "deploy", "completed", attempt.conclusion, start, start, self.now)
            attempt.jobs.append(job)

        return end

    def _workflow(self, chapter: _Chapter, name: str) -> Workflow:
        repository = chapter.repository
        found = next((each for each in repository.workflows if each.name == name), None)
        if found is None:
            number = self._ids.number("Workflow")
            path = f".github/workflows/{name.lower().replace(' ', '-')}.yml"
            node = self._ids.node("Workflow", number, repository.database_id)
            found = Workflow(number, node, repository, name, path, "active", self.now, self.now)
            repository.workflows.append(found)
        return found

    def _deploy(self, chapter: _Chapter, actor: Account, line: Line) -> Callable[[], None]:
        repository, options = chapter.repository, line.options
        number = self._ids.number("Deployment")
        ref = options.get("at", DEFAULT_BRANCH)
        deployment = Deployment(
            self._ids.node("Deployment", number, repository.database_id),
            number,
            repository,
            options["to"],
            "deploy",
            ref,
            self._ref(chapter, ref),
            actor,
            "",
            self.now,
            self.now,
        )
        repository.deployments.append(deployment)
        self.organization.nodes[deployment.id] = deployment
        self.names[f"deployments/{number}"] = line.arguments[0]
        log_url = ""
        if "run" in options:
            log_url = f"https://github.com/{repository.full_name}/actions/runs/{chapter.runs[options['run']].id}/job/1"

        def report(of: Deployment, state: str) -> None:
            key = self._ids.number("DeploymentStatus")
            node = self._ids.node("DeploymentStatus", key, repository.database_id)
            of.statuses.append(DeploymentStatus(node, key, of, state, actor, "", log_url, "", self.now, self.now))
            of.updated_at = self.now
            self.organization.nodes[node] = of.statuses[-1]

        def end() -> None:
            state = options.get("as", "success")
            report(deployment, state)
            if state == "success":
                for before in repository.deployments:
                    is_of_lane = before.environment == deployment.environment and before is not deployment
                    if is_of_lane and before.statuses and before.statuses[-1].state == "success":
                        report(before, "inactive")

        report(deployment, "queued" if options.get("as") == "inactive" else "in_progress")
        return end

    def _release(self, chapter: _Chapter, actor: Account, name: str, options: dict[str, str]) -> None:
        repository, number = chapter.repository, self._ids.number("Release")
        is_draft = "draft" in options
        tag = None
        if not is_draft:
            key = self._ids.number("Tag")
            commit = self._ref(chapter, options.get("at", DEFAULT_BRANCH))
            node = self._ids.node("Tag", key, repository.database_id)
            tag = Tag(node, repository, name, commit, False, actor, self.now)
            repository.tags.append(tag)
        release = Release(
            self._ids.node("Release", number, repository.database_id),
            number,
            repository,
            name,
            name,
            tag,
            actor,
            "",
            is_draft,
            "prerelease" in options,
            self.now,
            self.now,
            None if is_draft else self.now,
        )
        repository.releases.append(release)
        self.organization.nodes[release.id] = release

    # -- issues

    def _label(self, repository: Repository, name: str) -> Label:
        if name not in repository.labels:
            number = self._ids.number("Label")
            node = self._ids.node("Label", number, repository.database_id)
            repository.labels[name] = Label(node, number, repository, name, "b60205", "", FOUNDED)
            self.organization.nodes[node] = repository.labels[name]
        return repository.labels[name]

    def _issue(self, chapter: _Chapter, name: str) -> Issue:
        return next(each for each in chapter.repository.issues if f"#{each.number}" == name)

    def _file(self, chapter: _Chapter, actor: Account, line: Line) -> None:
        name, title = line.arguments
        repository, number = chapter.repository, self._ids.number("Issue")
        node = self._ids.node("Issue", number, repository.database_id)
        issue = Issue(node, number, repository, int(name.removeprefix("#")), title, "", actor, self.now, self.now)
        for label in line.options["labels"].split(",") if "labels" in line.options else ():
            issue.labels.append(self._label(repository, label))
        repository.issues.append(issue)
        repository.last_number = max(repository.last_number, issue.number)
        self.organization.nodes[node] = issue

    def _close_issue(self, issue: Issue) -> None:
        issue.state, issue.state_reason = "CLOSED", "COMPLETED"
        issue.closed_at = issue.updated_at = self.now

    def _linear_issue(self, name: str) -> LinearIssue:
        return next(each for each in self.organization.workspace.issues if each.identifier == name)

    def _act_in_linear(self, line: Line) -> None:
        name, user, options = line.arguments[0], self._users[line.who], line.options
        if line.verb == "files":
            key, number = name.split("-")
            team = self._teams[key]
            team.last_number = max(team.last_number, int(number))
            labels = [self._linear_label(each) for each in options["labels"].split(",")] if "labels" in options else []
            issue = LinearIssue(
                self._ids.uuid("issue"),
                team,
                int(number),
                line.arguments[1],
                None,
                team.state("Todo"),
                0,
                None,
                user,
                None,
                self.now,
                self.now,
                labels=labels,
            )
            self.organization.workspace.issues.append(issue)
        elif line.verb == "renames":
            team = self._teams.pop(name)
            for issue in self.organization.workspace.issues:
                if issue.team is team:
                    issue.previous_identifiers.append(issue.identifier)
            team.former_keys.append(team.key)
            team.key, team.updated_at = options["to"], self.now
            self._teams[team.key] = team
        elif line.verb == "moves":
            issue, team = self._linear_issue(name), self._teams[options["to"]]
            issue.previous_identifiers.append(issue.identifier)
            before, state = issue.team, team.state(issue.state.name)
            self._note(issue, user, issue.state, state, from_team=before, to_team=team)
            team.last_number += 1
            issue.team, issue.number, issue.state = team, team.last_number, state
        elif line.verb == "attaches":
            issue = self._linear_issue(name)
            repository, number = options["to"].split("#")
            it = self._pull_request(self._chapters[repository], f"#{number}")
            url = f"https://github.com/{OWNER}/{repository}/pull/{number}"
            key = self._ids.uuid("attachment")
            issue.attachments.append(Attachment(key, issue, url, it.title, "github", {}, self.now, self.now))
            issue.updated_at = self.now
        else:
            issue = self._linear_issue(name)
            state = issue.team.state(_MOVES[line.verb])
            self._note(issue, user, issue.state, state)
            issue.state = state
            if state.type == "started" and issue.started_at is None:
                issue.started_at = self.now
            issue.completed_at = self.now if state.type == "completed" else None
            issue.canceled_at = self.now if state.type in ("canceled", "duplicate") else None

    def _note(
        self, issue: LinearIssue, user: LinearUser, before: WorkflowState, after: WorkflowState, **teams: Any
    ) -> None:
        key = self._ids.uuid("history")
        issue.history.append(StateChange(key, issue, user, self.now, from_state=before, to_state=after, **teams))
        issue.updated_at = self.now

    def _linear_label(self, name: str) -> LinearLabel:
        if name not in self._labels:
            label = LinearLabel(self._ids.uuid("label"), name, "#5e6ad2", None, None, False, FOUNDED, FOUNDED)
            self._labels[name] = label
            self.organization.workspace.labels.append(label)
        return self._labels[name]
