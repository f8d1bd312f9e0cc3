"""Single changes that people make at GitHub and in Linear, each moving exactly what it moves there.

What matters to whoever reads only what is new is whether a change shows: by an ``updatedAt``, by a total, by the head
of a branch. ``SHOWN`` is the one list of that; ``None`` says that it is not known, or not always so: then the choice
decides, so that both are tried. A function may say more exactly that a change does not show (``_hidden``): something
else that is read depends on it, or it lies below the newest few that are looked at.

Sources: GitHub's REST documentation ("Best practices", "Workflow runs", "Deployments"), its GraphQL reference
(``Commit.associatedPullRequests``), "Renaming a branch", "Transferring an issue", "Managing releases in a repository"
(a release whose tag is deleted becomes a draft); Linear's developer documentation (archived entities). Neither
provider documents what moves ``updatedAt``; where nobody has said what they saw, it stands as not known.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from veelocity_pipeline.simulator.organization.code import RepositoryLife
from veelocity_pipeline.simulator.organization.code_host import (
    Account,
    Comment,
    Commit,
    Deployment,
    DeploymentStatus,
    Issue,
    PullRequest,
    Release,
    Repository,
    Review,
    ReviewComment,
    Tag,
    Workflow,
    WorkflowRun,
)
from veelocity_pipeline.simulator.organization.plan import THINGS, VERBS
from veelocity_pipeline.simulator.organization.tracker import (
    Attachment,
    Cycle,
    LinearComment,
    LinearIssue,
    LinearLabel,
    LinearTeam,
    LinearUser,
    Project,
    WorkflowState,
)

if TYPE_CHECKING:
    from veelocity_pipeline.simulator.organization.life import Life

T = TypeVar("T")

SHOWN: dict[str, bool | None] = {
    # pull requests: what is done to one, or said in it, moves its updatedAt …
    "open a pull request": True,
    "open a pull request from a fork": True,
    "edit a pull request": True,
    "close a pull request": True,
    "reopen a pull request": True,
    "merge a pull request": True,
    "turn a pull request into a draft": True,
    "mark a draft as ready": True,
    "label a pull request": True,
    "unlabel a pull request": True,
    "push to a pull request": True,
    "force-push to a pull request": True,
    "review a pull request": True,
    "dismiss a review": True,
    "submit a pending review": True,
    "reply in a review": True,
    "comment on a pull request": True,
    # … but not what is taken away, nor what only its author sees yet
    "begin a review": False,
    "delete a pending review": False,
    "delete a review comment": False,
    "delete a comment on a pull request": False,
    "edit a review comment": None,
    "edit a comment on a pull request": None,
    "link an issue in the sidebar": None,
    "cut a link in the sidebar": None,
    "name an issue in a pull request's text": True,
    # issues; a total shows what is gone
    "open an issue": True,
    "edit an issue": True,
    "label an issue": True,
    "unlabel an issue": True,
    "assign an issue": True,
    "close an issue": True,
    "reopen an issue": True,
    "comment on an issue": True,
    "delete a comment on an issue": False,
    "delete an issue": True,
    "transfer an issue": True,
    # repositories, branches and commits: read anew, or told by the head of the default branch
    "describe a repository": True,
    "rename a repository": True,
    "transfer a repository": True,
    "archive a repository": True,
    "unarchive a repository": True,
    "push to the default branch": True,
    "push old commits to the default branch": True,
    "merge a branch by hand": True,
    "rewrite the default branch": True,
    "rename the default branch": True,
    "make another branch the default": True,
    "delete a fork": False,
    "delete an account": False,
    # tags and releases
    "make a tag": True,
    "move a tag": True,
    "delete a tag": True,
    "draft a release": True,
    "publish a release": True,
    "edit a release": True,
    "delete a release": True,
    # deployments: each status moves updatedAt, of the one that it makes inactive too
    "make a deployment": True,
    "give a deployment a status": True,
    "delete a deployment": True,
    # Actions: nothing but the row itself shows that a run was run again; one that is gone is just not listed
    "start a run": True,
    "start a run from a fork": True,
    "go on with a run": True,
    "run again": True,
    "cancel a run": True,
    "delete a run": False,
    "let old runs expire": True,
    "rename a workflow": False,
    "disable a workflow": True,
    "delete a workflow": True,
    # Linear: what is done to an issue moves its updatedAt; comments and attachments have their own
    "create a Linear issue": True,
    "edit a Linear issue": True,
    "move a Linear issue": True,
    "assign a Linear issue": True,
    "label a Linear issue": True,
    "unlabel a Linear issue": True,
    "plan a Linear issue": True,
    "nest a Linear issue": True,
    "archive a Linear issue": None,
    "unarchive a Linear issue": None,
    "trash a Linear issue": True,
    "restore a Linear issue": True,
    "delete a Linear issue": False,
    "move a Linear issue to another team": True,
    "comment on a Linear issue": True,
    "edit a Linear comment": True,
    "archive a Linear comment": True,
    "delete a Linear comment": False,
    "attach to a Linear issue": True,
    "edit an attachment": True,
    "archive an attachment": True,
    "delete an attachment": False,
    "make a Linear label": True,
    "rename a Linear label": True,
    "delete a Linear label": False,
    "rename a Linear state": True,
    "add a Linear state": True,
    "begin a cycle": True,
    "end a cycle": True,
    "begin a project": True,
    "end a project": True,
    "delete a project": False,
    "deactivate a Linear user": True,
    "invite a Linear user": True,
    "make a Linear team": True,
    "rename a Linear team": True,
    "change a Linear team's key": True,
    "remove a Linear team": False,
}
"""Whether a change shows to whoever asks only for what is new; None: either way, as the choice says."""


@dataclass(frozen=True)
class Told:
    """What was done, in words, and whether it shows."""

    text: str
    is_shown: bool


class _NotNowError(Exception):
    """There is nothing that this change could be made to."""


class Picks:
    """A row of small numbers as choices; zeros follow, which take the newest and the simplest."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = list(numbers)

    def number(self, below: int) -> int:
        """A number from 0 on."""
        return (self._numbers.pop(0) if self._numbers else 0) % below

    def flag(self) -> bool:
        """Yes or no; 0 is no."""
        return self.number(2) == 1

    def one(self, items: Iterable[T]) -> T:
        """One of some items, which are in the order of their making.

        Raises:
            _NotNowError: there is none.
        """
        found = list(items)
        if not found:
            raise _NotNowError
        return found[-1 - self.number(len(found))]


F = TypeVar("F", bound=Callable[..., str])

_REGISTRY: dict[str, Callable[[Changes, Picks], str]] = {}


def _change(name: str) -> Callable[[F], F]:
    def register(function: F) -> F:
        _REGISTRY[name] = function
        return function

    return register


class Changes:
    """Makes changes to an organisation.

    Args:
        newest: how many of the newest tags, releases and deployments are looked at by whoever asks what is new.
    """

    def __init__(self, life: Life, newest: int = 10) -> None:
        self.life = life
        self.newest = newest
        self._shows = True
        self._is_hidden = False

    def make(self, name: str, picks: Sequence[int] = ()) -> Told | None:
        """Make one change at the present moment; None where there is nothing that it could be made to.

        Raises:
            KeyError: there is no change of that name.
        """
        choice = Picks(picks)
        shown = SHOWN[name]
        self._shows = not choice.flag() if shown is None else shown
        self._is_hidden = False
        try:
            text = _REGISTRY[name](self, choice)
        except _NotNowError:
            return None
        return Told(text, self._shows and not self._is_hidden)

    # -- what the changes are made of

    @property
    def now(self) -> datetime:
        """The present moment."""
        return self.life.now

    def _touch(self, thing: PullRequest | Issue | LinearIssue | Release) -> None:
        if self._shows:
            thing.updated_at = self.now

    def _hidden(self, condition: object = True) -> None:
        """Say that the present change does not show."""
        self._is_hidden = self._is_hidden or bool(condition)

    def _homes(self) -> list[RepositoryLife]:
        """Repositories that are not archived."""
        return [home for home in self.life.repositories if not home.is_closed]

    def _pull_requests(self, *states: str) -> list[PullRequest]:
        found = [each for home in self._homes() for each in home.repository.pull_requests]
        return [each for each in sorted(found, key=_made) if not states or each.state in states]

    def _issues(self, *states: str) -> list[Issue]:
        found = [each for home in self._homes() for each in home.repository.issues]
        return [each for each in sorted(found, key=_made) if not states or each.state in states]

    def _home(self, repository: Repository) -> RepositoryLife:
        return next(home for home in self.life.repositories if home.repository is repository)

    def _person(self, picks: Picks) -> Account:
        return picks.one(self.life.present(self.life.people))

    def _forget(self, *things: object) -> None:
        for thing in things:
            self.life.organization.nodes.pop(getattr(thing, "id"), None)  # noqa: B009

    def _topic(self, picks: Picks) -> str:
        return f"{VERBS[picks.number(len(VERBS))]} {THINGS[picks.number(len(THINGS))]}"

    def _default_head(self, repository: Repository) -> Commit:
        head = repository.head
        if head is None:
            raise _NotNowError
        return head

    def _drops(self, repository: Repository, branch: str) -> None:
        """A branch goes: deployments that name it no longer lead to it, which nothing tells."""
        self._hidden(any(each.ref == branch for each in repository.deployments))

    def _references(self, issue: Issue) -> list[PullRequest]:
        every = (each for home in self.life.repositories for each in home.repository.pull_requests)
        return [each for each in every if issue in each.closing_issues]

    # -- pull requests

    @_change("open a pull request")
    def _open(self, picks: Picks, fork: bool = False) -> str:
        home = picks.one(self._homes())
        repository = home.repository
        base = self._default_head(repository)
        author = self._person(picks)
        if fork:
            author = picks.one(self.life.present(self.life.outsiders))
        origin = home._fork(author) if fork else None
        topic = self._topic(picks)
        commits = []
        parent = base
        for number in range(1 + picks.number(3)):
            parent = home.commit(
                f"{topic} {number}", author, self.now, [parent], [f"src/{number}.py"], repository=origin
            )
            commits.append(parent)
        branch = repository.default_branch if fork else f"work/{self.life.ids.number('Branch')}"
        made = home.open(topic, "", author, branch, base.sha, commits, picks.flag(), repository.default_branch, origin)
        return f"{_name(made)} is opened{' from a fork' if fork else ''}"

    @_change("open a pull request from a fork")
    def _open_from_fork(self, picks: Picks) -> str:
        return self._open(picks, fork=True)

    @_change("edit a pull request")
    def _edit(self, picks: Picks) -> str:
        pull_request = picks.one(self._pull_requests())
        pull_request.title = f"{self._topic(picks)} ({self.life.ids.number('Edit')})"
        self._touch(pull_request)
        return f"{_name(pull_request)} gets another title"

    @_change("close a pull request")
    def _close(self, picks: Picks) -> str:
        pull_request = picks.one(self._pull_requests("OPEN"))
        self._drops(pull_request.repository, pull_request.head_branch)
        self._home(pull_request.repository)._close(pull_request, self._person(picks))
        return f"{_name(pull_request)} is closed"

    @_change("reopen a pull request")
    def _reopen(self, picks: Picks) -> str:
        pull_request = picks.one(self._pull_requests("CLOSED"))
        pull_request.state, pull_request.closed_at = "OPEN", None
        if not pull_request.is_cross_repository:
            pull_request.repository.branches[pull_request.head_branch] = pull_request.head
        self._home(pull_request.repository).event(pull_request, "ReopenedEvent", self._person(picks))
        return f"{_name(pull_request)} is opened again"

    @_change("merge a pull request")
    def _merge(self, picks: Picks) -> str:
        found = self._pull_requests("OPEN")
        pull_request = picks.one(each for each in found if each.base_branch in each.repository.branches)
        method = ("squash", "merge", "rebase")[picks.number(3)]
        self._drops(pull_request.repository, pull_request.head_branch)
        # what it closes may stand in a repository that is read by itself, and moves there
        self._home(pull_request.repository).merge(pull_request, self._person(picks), method)
        return f"{_name(pull_request)} is merged ({method})"

    @_change("turn a pull request into a draft")
    def _draft(self, picks: Picks, is_draft: bool = True) -> str:
        found = [each for each in self._pull_requests("OPEN") if each.is_draft is not is_draft]
        pull_request = picks.one(found)
        pull_request.is_draft = is_draft
        kind = "ConvertToDraftEvent" if is_draft else "ReadyForReviewEvent"
        self._home(pull_request.repository).event(pull_request, kind, self._person(picks))
        return f"{_name(pull_request)} is {'a draft' if is_draft else 'ready'} now"

    @_change("mark a draft as ready")
    def _ready(self, picks: Picks) -> str:
        return self._draft(picks, is_draft=False)

    @_change("label a pull request")
    def _label(self, picks: Picks) -> str:
        pull_request = picks.one(self._pull_requests())
        labels = pull_request.repository.labels
        name = picks.one(name for name, label in labels.items() if label not in pull_request.labels)
        self._home(pull_request.repository).add_label(pull_request, name, self._person(picks))
        return f"{_name(pull_request)} gets the label {name}"

    @_change("unlabel a pull request")
    def _unlabel(self, picks: Picks) -> str:
        pull_request = picks.one(each for each in self._pull_requests() if each.labels)
        label = picks.one(pull_request.labels)
        self._home(pull_request.repository).remove_label(pull_request, label.name, self._person(picks))
        return f"{_name(pull_request)} loses the label {label.name}"

    @_change("push to a pull request")
    def _push(self, picks: Picks) -> str:
        pull_request = picks.one(self._pull_requests("OPEN"))
        home = self._home(pull_request.repository)
        head, commits = pull_request.head, []
        for _ in range(1 + picks.number(3)):
            head = home.commit(
                self._topic(picks), pull_request.author, self.now, [head], ["src/x.py"], None, head.repository
            )
            commits.append(head)
        home.add_commits(pull_request, commits)
        return f"{_name(pull_request)} gets {len(commits)} commits"

    @_change("force-push to a pull request")
    def _force_push(self, picks: Picks) -> str:
        pull_request = picks.one(self._pull_requests("OPEN"))
        self._home(pull_request.repository).force_push(pull_request, random.Random(picks.number(4)))
        return f"{_name(pull_request)} is rewritten: commits vanish from it"

    @_change("review a pull request")
    def _review(self, picks: Picks) -> str:
        pull_request = picks.one(self._pull_requests())
        state = ("APPROVED", "CHANGES_REQUESTED", "COMMENTED")[picks.number(3)]
        remarks = [f"Remark {number}" for number in range(picks.number(4))]
        self._home(pull_request.repository).review(pull_request, self._person(picks), state, remarks)
        return f"{_name(pull_request)} is reviewed ({state}, {len(remarks)} remarks)"

    def _reviews(self, *states: str) -> list[Review]:
        return [each for one in self._pull_requests() for each in one.reviews if not states or each.state in states]

    @_change("dismiss a review")
    def _dismiss(self, picks: Picks) -> str:
        review = picks.one(self._reviews("APPROVED", "CHANGES_REQUESTED"))
        review.state, review.updated_at = "DISMISSED", self.now
        self._touch(review.pull_request)
        return f"a review of {_name(review.pull_request)} is dismissed"

    @_change("begin a review")
    def _begin_review(self, picks: Picks) -> str:
        pull_request = picks.one(self._pull_requests())
        viewer = self.life.organization.viewer
        if any(each.state == "PENDING" for each in pull_request.reviews) or viewer.deleted_at:
            raise _NotNowError
        remarks = [f"Thought {number}" for number in range(picks.number(3))]
        self._home(pull_request.repository).review(pull_request, viewer, "PENDING", remarks)
        return f"a review of {_name(pull_request)} is begun"

    @_change("submit a pending review")
    def _submit(self, picks: Picks) -> str:
        review = picks.one(self._reviews("PENDING"))
        review.state = "COMMENTED"
        review.submitted_at = review.updated_at = self.now
        self._touch(review.pull_request)
        return f"the pending review of {_name(review.pull_request)} is submitted"

    @_change("delete a pending review")
    def _delete_review(self, picks: Picks) -> str:
        review = picks.one(self._reviews("PENDING"))
        review.pull_request.reviews.remove(review)
        self._forget(review, *review.comments)
        return f"the pending review of {_name(review.pull_request)} is deleted"

    @_change("reply in a review")
    def _reply(self, picks: Picks) -> str:
        review = picks.one(each for each in self._reviews() if each.comments and each.state != "PENDING")
        pull_request = review.pull_request
        self._home(pull_request.repository).review(pull_request, self._person(picks), "COMMENTED", ["A reply"])
        return f"a review of {_name(pull_request)} is answered"

    def _review_comments(self) -> list[ReviewComment]:
        return [comment for review in self._reviews() for comment in review.comments]

    @_change("edit a review comment")
    def _edit_review_comment(self, picks: Picks) -> str:
        comment = picks.one(self._review_comments())
        comment.body, comment.updated_at = f"Edited {self.life.ids.number('Edit')}", self.now
        if comment.review.state == "PENDING":
            self._hidden()
        else:
            self._touch(comment.review.pull_request)
        return f"a review comment in {_name(comment.review.pull_request)} is edited"

    @_change("delete a review comment")
    def _delete_review_comment(self, picks: Picks) -> str:
        comment = picks.one(self._review_comments())
        comment.review.comments.remove(comment)
        self._forget(comment)
        return f"a review comment in {_name(comment.review.pull_request)} is deleted"

    @_change("comment on a pull request")
    def _comment(self, picks: Picks) -> str:
        pull_request = picks.one(self._pull_requests())
        self._home(pull_request.repository).comment(pull_request, self._person(picks), "A comment")
        return f"{_name(pull_request)} is commented"

    def _comments(self) -> list[Comment]:
        return [each for pull_request in self._pull_requests() for each in pull_request.comments]

    @_change("edit a comment on a pull request")
    def _edit_comment(self, picks: Picks) -> str:
        comment = picks.one(self._comments())
        comment.body, comment.updated_at = f"Edited {self.life.ids.number('Edit')}", self.now
        self._touch(comment.subject)
        return f"a comment on {_name(comment.subject)} is edited"

    @_change("delete a comment on a pull request")
    def _delete_comment(self, picks: Picks) -> str:
        comment = picks.one(self._comments())
        comment.subject.comments.remove(comment)
        self._forget(comment)
        return f"a comment on {_name(comment.subject)} is deleted"

    @_change("link an issue in the sidebar")
    def _link(self, picks: Picks) -> str:
        pull_request = picks.one(self._pull_requests())
        issue = picks.one(each for each in self._issues() if each not in pull_request.closing_issues)
        pull_request.closing_issues.append(issue)
        issue.closed_by.append(pull_request)
        self._touch(pull_request)
        return f"{_name(pull_request)} is linked to {_name(issue)}"

    @_change("cut a link in the sidebar")
    def _unlink(self, picks: Picks) -> str:
        pull_request = picks.one(each for each in self._pull_requests() if each.closing_issues)
        issue = picks.one(pull_request.closing_issues)
        pull_request.closing_issues.remove(issue)
        issue.closed_by.remove(pull_request)
        self._touch(pull_request)
        return f"{_name(pull_request)} is no longer linked to {_name(issue)}"

    @_change("name an issue in a pull request's text")
    def _mention(self, picks: Picks) -> str:
        text = self._link(picks)
        pull_request = next(each for each in self._pull_requests() if _name(each) == text.partition(" ")[0])
        pull_request.body += f"\n\nFixes #{pull_request.closing_issues[-1].number}"
        return f"{text}, by its text"

    # -- issues

    @_change("open an issue")
    def _open_issue(self, picks: Picks) -> str:
        home = picks.one(self._homes())
        issue = home.open_issue(self._topic(picks), "It fails.", self._person(picks))
        return f"{_name(issue)} is opened"

    @_change("edit an issue")
    def _edit_issue(self, picks: Picks) -> str:
        issue = picks.one(self._issues())
        issue.title = f"{self._topic(picks)} ({self.life.ids.number('Edit')})"
        self._touch(issue)
        return f"{_name(issue)} gets another title"

    @_change("label an issue")
    def _label_issue(self, picks: Picks) -> str:
        issue = picks.one(self._issues())
        label = picks.one(each for each in issue.repository.labels.values() if each not in issue.labels)
        issue.labels.append(label)
        self._touch(issue)
        return f"{_name(issue)} gets the label {label.name}"

    @_change("unlabel an issue")
    def _unlabel_issue(self, picks: Picks) -> str:
        issue = picks.one(each for each in self._issues() if each.labels)
        label = picks.one(issue.labels)
        issue.labels.remove(label)
        self._touch(issue)
        return f"{_name(issue)} loses the label {label.name}"

    @_change("assign an issue")
    def _assign_issue(self, picks: Picks) -> str:
        issue = picks.one(self._issues())
        issue.assignee = None if issue.assignee else self._person(picks)
        self._touch(issue)
        return f"{_name(issue)} is {'' if issue.assignee else 'un'}assigned"

    @_change("close an issue")
    def _close_issue(self, picks: Picks) -> str:
        issue = picks.one(self._issues("OPEN"))
        reason = ("COMPLETED", "NOT_PLANNED", "DUPLICATE")[picks.number(3)]
        self._home(issue.repository).close_issue(issue, reason)
        return f"{_name(issue)} is closed ({reason})"

    @_change("reopen an issue")
    def _reopen_issue(self, picks: Picks) -> str:
        issue = picks.one(self._issues("CLOSED"))
        issue.state, issue.state_reason, issue.closed_at = "OPEN", "REOPENED", None
        self._touch(issue)
        return f"{_name(issue)} is opened again"

    @_change("comment on an issue")
    def _comment_issue(self, picks: Picks) -> str:
        issue = picks.one(self._issues())
        self._home(issue.repository).comment(issue, self._person(picks), "A comment")
        return f"{_name(issue)} is commented"

    @_change("delete a comment on an issue")
    def _delete_issue_comment(self, picks: Picks) -> str:
        comment = picks.one(each for issue in self._issues() for each in issue.comments)
        comment.subject.comments.remove(comment)
        self._forget(comment)
        return f"a comment on {_name(comment.subject)} is deleted"

    @_change("delete an issue")
    def _delete_issue(self, picks: Picks) -> str:
        issue = picks.one(self._issues())
        # nothing tells that what was linked to it no longer is
        self._hidden(self._references(issue))
        for pull_request in self._references(issue):
            pull_request.closing_issues.remove(issue)
        issue.repository.issues.remove(issue)
        self._forget(issue, *issue.comments)
        return f"{_name(issue)} is deleted"

    @_change("transfer an issue")
    def _transfer_issue(self, picks: Picks) -> str:
        """It gets another id and the next number; its former place leads to it."""
        issue = picks.one(self._issues())
        target = picks.one(home for home in self._homes() if home.repository is not issue.repository)
        former = _name(issue)
        moved = target.open_issue(issue.title, issue.body, issue.author)
        moved.created_at, moved.state, moved.state_reason = issue.created_at, issue.state, issue.state_reason
        moved.closed_at, moved.assignee = issue.closed_at, issue.assignee
        self._hidden(self._references(issue))
        for pull_request in self._references(issue):
            pull_request.closing_issues[pull_request.closing_issues.index(issue)] = moved
            moved.closed_by.append(pull_request)
        issue.repository.issues.remove(issue)
        self._forget(issue, *issue.comments)
        return f"{former} is transferred: {_name(moved)}"

    # -- repositories, branches, commits, accounts

    @_change("describe a repository")
    def _describe(self, picks: Picks) -> str:
        repository = picks.one(self._homes()).repository
        repository.description = f"Described {self.life.ids.number('Edit')} times"
        repository.updated_at = self.now
        return f"{repository.full_name} gets another description"

    def _rename(self, repository: Repository) -> None:
        """What other repositories say of it changes as well, and nothing there tells."""
        self._hidden(
            any(each.repository is not repository for issue in repository.issues for each in self._references(issue))
        )
        repository.former_names.append(repository.full_name)
        repository.updated_at = self.now

    @_change("rename a repository")
    def _rename_repository(self, picks: Picks) -> str:
        repository = picks.one(self._homes()).repository
        former = repository.full_name
        self._rename(repository)
        repository.name = f"{repository.name.partition('-')[0]}-{self.life.ids.number('Name')}"
        return f"{former} is renamed to {repository.full_name}"

    @_change("transfer a repository")
    def _transfer_repository(self, picks: Picks) -> str:
        repository = picks.one(self._homes()).repository
        organization = self.life.organization
        other = next((each for each in organization.accounts if each.login == "acme-labs"), None)
        if other is None:
            other = self.life.account("acme-labs", "Organization", "Acme Labs", "labs@acme.example", self.now)
            organization.accounts.append(other)
        former = repository.full_name
        self._rename(repository)
        repository.owner = organization.account if repository.owner is other else other
        repository.former_names = [each for each in repository.former_names if each != repository.full_name]
        return f"{former} is transferred to {repository.owner.login}"

    @_change("archive a repository")
    def _archive(self, picks: Picks) -> str:
        repository = picks.one(self._homes()).repository
        repository.archived_at = repository.updated_at = self.now
        return f"{repository.full_name} is archived"

    @_change("unarchive a repository")
    def _unarchive(self, picks: Picks) -> str:
        repository = picks.one(home for home in self.life.repositories if home.is_closed).repository
        repository.archived_at, repository.updated_at = None, self.now
        return f"{repository.full_name} is not archived any more"

    @_change("push to the default branch")
    def _push_directly(self, picks: Picks, age: timedelta = timedelta()) -> str:
        home = picks.one(self._homes())
        count = 1 + picks.number(4)
        for _ in range(count):
            head = self._default_head(home.repository)
            commit = home.commit(self._topic(picks), self._person(picks), self.now - age, [head], ["src/y.py"])
            home.land(home.repository.default_branch, commit)
        return f"{count} commits{f' of {age.days} days ago' if age else ''} are pushed to {home.repository.full_name}"

    @_change("push old commits to the default branch")
    def _push_old(self, picks: Picks) -> str:
        return self._push_directly(picks, timedelta(days=200))

    @_change("merge a branch by hand")
    def _merge_by_hand(self, picks: Picks) -> str:
        """A branch that began below the head and has old commits, merged without a pull request."""
        home = picks.one(self._homes())
        head = self._default_head(home.repository)
        author = self._person(picks)
        side = picks.one([*head.parents, head])
        for number in range(1 + picks.number(3)):
            moment = self.now - timedelta(days=100 * picks.number(3), minutes=number)
            side = home.commit(f"Aside {number}", author, moment, [side], ["docs/z.md"])
        merged = home.commit("Merge by hand", author, self.now, [head, side], [])
        home.land(home.repository.default_branch, merged)
        return f"a branch is merged by hand into {home.repository.full_name}"

    @_change("rewrite the default branch")
    def _rewrite(self, picks: Picks) -> str:
        """Force-pushed: its last commits vanish, and sooner or later their objects too."""
        home = picks.one(self._homes())
        repository = home.repository
        dropped: list[Commit] = []
        base = self._default_head(repository)
        for _ in range(1 + picks.number(3)):
            if base.parents:
                dropped.append(base)
                base = base.parents[0]
        for _ in range(picks.number(3)):
            base = home.commit(self._topic(picks), self._person(picks), self.now, [base], ["src/r.py"])
        # whoever built upon what was dropped, keeps it
        used = {entry.commit for each in repository.pull_requests for entry in each.commits}
        is_cleaned_up = picks.flag() and not any(
            commit in used or any(commit in each.parents for each in used) for commit in dropped
        )
        home.land(repository.default_branch, base)
        if is_cleaned_up:
            others = {tag.commit for tag in repository.tags} | set(repository.branches.values())
            for commit in dropped:
                if commit not in others:
                    repository.commits.pop(commit.sha, None)
                    self._forget(commit)
        return f"{repository.full_name}'s default branch is rewritten: {len(dropped)} commits vanish"

    @_change("rename the default branch")
    def _rename_branch(self, picks: Picks) -> str:
        """Pull requests that are open go to the branch by its new name."""
        repository = picks.one(self._homes()).repository
        former = repository.default_branch
        self._default_head(repository)
        self._drops(repository, former)
        name = f"trunk-{self.life.ids.number('Name')}"
        repository.branches[name] = repository.branches.pop(former)
        repository.default_branch = name
        repository.updated_at = self.now
        for each in repository.pull_requests:
            if each.state == "OPEN" and each.base_branch == former:
                each.base_branch, each.updated_at = name, self.now
        return f"{repository.full_name}'s {former} is renamed to {name}"

    @_change("make another branch the default")
    def _switch_default(self, picks: Picks) -> str:
        repository = picks.one(self._homes()).repository
        name = picks.one(each for each in repository.branches if each != repository.default_branch)
        repository.default_branch = name
        repository.updated_at = self.now
        return f"{name} is the default branch of {repository.full_name} now"

    @_change("delete a fork")
    def _delete_fork(self, picks: Picks) -> str:
        organization = self.life.organization
        fork = picks.one(organization.forks)
        organization.forks.remove(fork)
        for home in self.life.repositories:
            home.forks = {login: each for login, each in home.forks.items() if each is not fork}
            for pull_request in home.repository.pull_requests:
                if pull_request.head_repository is fork:
                    pull_request.head_repository = None
            for run in home.repository.runs:
                if run.head_repository is fork:
                    run.head_repository = None
        self._forget(fork)
        return f"{fork.full_name} is deleted"

    @_change("delete an account")
    def _delete_account(self, picks: Picks) -> str:
        present = self.life.present(self.life.people)
        if len(present) < 3:
            raise _NotNowError
        person = picks.one(each for each in present if each is not self.life.organization.viewer)
        person.deleted_at = self.now
        return f"{person.login}'s account is deleted"

    # -- tags and releases

    def _tag_at(self, picks: Picks, repository: Repository) -> Commit:
        """The head or one of its ancestors; what is tagged is not the newest commit always."""
        commit = self._default_head(repository)
        for _ in range(picks.number(4)):
            commit = commit.parents[0] if commit.parents else commit
        return commit

    def _make_tag(self, repository: Repository, name: str, commit: Commit, author: Account, annotated: bool) -> Tag:
        number = self.life.ids.number("Tag")
        node = self.life.ids.node("Tag", number, repository.database_id)
        tag = Tag(node, repository, name, commit, annotated, author, self.now)
        repository.tags.append(tag)
        return tag

    @_change("make a tag")
    def _tag(self, picks: Picks) -> str:
        repository = picks.one(self._homes()).repository
        commit = self._tag_at(picks, repository)
        name = f"v{self.life.ids.number('Version')}"
        self._make_tag(repository, name, commit, self._person(picks), picks.flag())
        return f"{repository.full_name} gets the tag {name}"

    @_change("move a tag")
    def _move_tag(self, picks: Picks) -> str:
        repository = picks.one(home.repository for home in self._homes() if home.repository.tags)
        tag = picks.one(repository.tags)
        commit = self._tag_at(picks, repository)
        if commit is tag.commit:
            raise _NotNowError
        tag.commit, tag.created_at = commit, self.now
        self._hidden(len(repository.tags) > self.newest)
        return f"{repository.full_name}'s tag {tag.name} is moved to {commit.sha[:7]}"

    @_change("delete a tag")
    def _delete_tag(self, picks: Picks) -> str:
        """What was released from it becomes a draft."""
        tag = picks.one(tag for home in self._homes() for tag in home.repository.tags)
        repository = tag.repository
        repository.tags.remove(tag)
        for release in repository.releases:
            if release.tag is tag:
                release.tag, release.is_draft, release.published_at = None, True, None
        return f"{repository.full_name}'s tag {tag.name} is deleted"

    @_change("draft a release")
    def _draft_release(self, picks: Picks) -> str:
        repository = picks.one(self._homes()).repository
        number = self.life.ids.number("Release")
        name = f"v{self.life.ids.number('Version')}"
        release = Release(
            self.life.ids.node("Release", number, repository.database_id),
            number,
            repository,
            name,
            name,
            None,
            self._person(picks),
            "",
            True,
            picks.flag(),
            self.now,
            self.now,
            None,
        )
        repository.releases.append(release)
        self.life.organization.nodes[release.id] = release
        return f"release {name} of {repository.full_name} is drafted"

    def _releases(self) -> list[Release]:
        return [each for home in self._homes() for each in home.repository.releases]

    def _edited(self, release: Release) -> None:
        self._touch(release)
        self._hidden(len(release.repository.releases) > self.newest)

    @_change("publish a release")
    def _publish(self, picks: Picks) -> str:
        release = picks.one(each for each in self._releases() if each.is_draft)
        repository = release.repository
        tag = next((each for each in repository.tags if each.name == release.tag_name), None)
        if tag is None:
            commit = self._tag_at(picks, repository)
            tag = self._make_tag(repository, release.tag_name, commit, self._person(picks), False)
        release.tag, release.is_draft, release.published_at = tag, False, self.now
        self._edited(release)
        return f"release {release.name} of {repository.full_name} is published"

    @_change("edit a release")
    def _edit_release(self, picks: Picks) -> str:
        release = picks.one(self._releases())
        release.name = f"Edited {self.life.ids.number('Edit')}"
        release.is_prerelease = picks.flag()
        self._edited(release)
        return f"release {release.tag_name} of {release.repository.full_name} is edited"

    @_change("delete a release")
    def _delete_release(self, picks: Picks) -> str:
        release = picks.one(self._releases())
        release.repository.releases.remove(release)
        self._forget(release)
        return f"release {release.tag_name} of {release.repository.full_name} is deleted"

    # -- deployments

    @_change("make a deployment")
    def _deploy(self, picks: Picks) -> str:
        home = picks.one(self._homes())
        repository = home.repository
        environment = ("production", "staging")[picks.number(2)]
        commit = self._tag_at(picks, repository)
        ref = (repository.default_branch, commit.sha)[picks.number(2)]
        number = self.life.ids.number("Deployment")
        deployment = Deployment(
            self.life.ids.node("Deployment", number, repository.database_id),
            number,
            repository,
            environment,
            "deploy",
            ref,
            commit,
            self._person(picks),
            "",
            self.now,
            self.now,
        )
        repository.deployments.append(deployment)
        self.life.organization.nodes[deployment.id] = deployment
        state = (None, "queued", "success")[picks.number(3)]
        if state:
            self._status(deployment, state)
        return f"deployment {number} of {repository.full_name} to {environment} is made ({state or 'no status'})"

    def _status(self, deployment: Deployment, state: str) -> None:
        """Give a status; a success makes the earlier ones of the environment inactive."""
        number = self.life.ids.number("DeploymentStatus")
        node = self.life.ids.node("DeploymentStatus", number, deployment.repository.database_id)
        creator = self.life.present(self.life.people)[0]
        status = DeploymentStatus(node, number, deployment, state, creator, "", "", "", self.now, self.now)
        deployment.statuses.append(status)
        deployment.updated_at = self.now
        self.life.organization.nodes[node] = status
        if state == "success":
            for other in deployment.repository.deployments:
                is_live = other.statuses and other.statuses[-1].state == "success"
                if other is not deployment and other.environment == deployment.environment and is_live:
                    self._status(other, "inactive")

    @_change("give a deployment a status")
    def _more_status(self, picks: Picks) -> str:
        deployment = picks.one(each for home in self._homes() for each in home.repository.deployments)
        state = ("in_progress", "success", "failure", "inactive", "error", "queued")[picks.number(6)]
        # one that had ended is not looked at any more once enough others are newer
        has_ended = deployment.statuses and deployment.statuses[-1].state in ("success", "failure", "error", "inactive")
        self._hidden(has_ended and len(deployment.repository.deployments) > self.newest)
        self._status(deployment, state)
        return f"deployment {deployment.database_id} of {deployment.repository.full_name} is {state}"

    @_change("delete a deployment")
    def _delete_deployment(self, picks: Picks) -> str:
        found = [each for home in self._homes() for each in home.repository.deployments]
        deployment = picks.one(found)
        deployment.repository.deployments.remove(deployment)
        self._forget(deployment, *deployment.statuses)
        return f"deployment {deployment.database_id} of {deployment.repository.full_name} is deleted"

    # -- Actions

    def _workflow(self, home: RepositoryLife, picks: Picks) -> Workflow:
        active = [each for each in home.repository.workflows if each.state == "active"]
        if len(active) < 2 and (not active or picks.flag()):
            number = len(home.repository.workflows) + 1
            return home.delivery.workflow(("Deploy", "Check")[number % 2], f"work-{number}.yml", self.now)
        return picks.one(active)

    @_change("start a run")
    def _start_run(self, picks: Picks, fork: bool = False) -> str:
        home = picks.one(self._homes())
        repository = home.repository
        commit = self._default_head(repository)
        workflow = self._workflow(home, picks)
        event = ("push", "workflow_dispatch", "release", "schedule")[picks.number(4)]
        pull_request = None
        if fork:
            found = [each for each in repository.pull_requests if each.is_cross_repository and each.head_repository]
            pull_request = picks.one(found)
            event, commit = "pull_request", pull_request.head
        branch = repository.default_branch
        run = home.delivery.start_run(
            workflow, event, self._person(picks), self._topic(picks), branch, commit, pull_request
        )
        if picks.flag():
            run.last.status = "queued"
        return f"run {run.id} of {repository.full_name} is {run.last.status}{' (from a fork)' if fork else ''}"

    @_change("start a run from a fork")
    def _start_fork_run(self, picks: Picks) -> str:
        return self._start_run(picks, fork=True)

    def _runs(self, *states: str) -> list[WorkflowRun]:
        found = [each for home in self.life.repositories for each in home.repository.runs]
        return [each for each in sorted(found, key=_made) if each.last.status in states]

    @_change("go on with a run")
    def _go_on(self, picks: Picks) -> str:
        run = picks.one(self._runs("queued", "in_progress", "waiting"))
        attempt = run.last
        if attempt.status == "queued":
            attempt.status, attempt.updated_at = ("in_progress", "waiting")[picks.number(2)], self.now
        else:
            conclusion = ("success", "failure", "cancelled", "timed_out")[picks.number(4)]
            jobs = [f"deploy {number}" for number in range(1 + picks.number(3))]
            self._home(run.repository).delivery.finish_attempt(attempt, conclusion, jobs)
        return f"run {run.id} of {run.repository.full_name} is {attempt.conclusion or attempt.status}"

    @_change("run again")
    def _run_again(self, picks: Picks) -> str:
        """For 30 days after it was created, and no more than 50 times."""
        month = timedelta(days=30)
        run = picks.one(each for each in self._runs("completed") if self.now - each.created_at <= month)
        attempt = self._home(run.repository).delivery.start_attempt(run, self._person(picks))
        return f"run {run.id} of {run.repository.full_name} is run again (attempt {attempt.number})"

    @_change("cancel a run")
    def _cancel(self, picks: Picks) -> str:
        run = picks.one(self._runs("queued", "in_progress", "waiting"))
        self._home(run.repository).delivery.finish_attempt(run.last, "cancelled", [])
        return f"run {run.id} of {run.repository.full_name} is cancelled"

    @_change("delete a run")
    def _delete_run(self, picks: Picks) -> str:
        run = picks.one(self._runs("completed"))
        run.repository.runs.remove(run)
        return f"run {run.id} of {run.repository.full_name} is deleted"

    @_change("let old runs expire")
    def _expire(self, picks: Picks) -> str:
        """GitHub keeps runs for 400 days, or for fewer as the repository says."""
        days = (400, 90)[picks.number(2)]
        repository = picks.one(self.life.repositories).repository
        kept = [each for each in repository.runs if self.now - each.created_at < timedelta(days=days)]
        gone = len(repository.runs) - len(kept)
        if not gone:
            raise _NotNowError
        repository.runs = kept
        return f"{gone} runs of {repository.full_name} expire, which are older than {days} days"

    def _workflows(self) -> list[Workflow]:
        return [each for home in self._homes() for each in home.repository.workflows]

    @_change("rename a workflow")
    def _rename_workflow(self, picks: Picks) -> str:
        workflow = picks.one(self._workflows())
        workflow.name, workflow.updated_at = f"{workflow.name.split()[0]} {self.life.ids.number('Edit')}", self.now
        return f"a workflow of {workflow.repository.full_name} is renamed to {workflow.name}"

    @_change("disable a workflow")
    def _disable_workflow(self, picks: Picks) -> str:
        workflow = picks.one(each for each in self._workflows() if each.state == "active")
        workflow.state, workflow.updated_at = ("disabled_manually", "deleted")[picks.number(2)], self.now
        return f"workflow {workflow.name} of {workflow.repository.full_name} is {workflow.state}"

    @_change("delete a workflow")
    def _delete_workflow(self, picks: Picks) -> str:
        """It is listed for as long as it has runs."""
        with_runs = {run.workflow.id for home in self.life.repositories for run in home.repository.runs}
        workflow = picks.one(each for each in self._workflows() if each.id not in with_runs)
        workflow.repository.workflows.remove(workflow)
        return f"workflow {workflow.name} of {workflow.repository.full_name} is no longer listed"

    # -- Linear

    @property
    def _linear(self) -> list[LinearIssue]:
        return self.life.work.workspace.issues

    @property
    def _teams(self) -> list[LinearTeam]:
        return self.life.work.workspace.teams

    def _user(self, picks: Picks) -> LinearUser:
        return picks.one(each for each in self.life.work.workspace.users if each.is_active)

    @_change("create a Linear issue")
    def _create(self, picks: Picks) -> str:
        team = picks.one(self._teams)
        issue = self.life.work.create(
            team, self._topic(picks), self._user(picks), team.states[picks.number(4)].name, None, picks.number(5)
        )
        return f"{issue.identifier} is created"

    @_change("edit a Linear issue")
    def _edit_linear(self, picks: Picks) -> str:
        issue = picks.one(self._linear)
        issue.title = f"{self._topic(picks)} ({self.life.ids.number('Edit')})"
        issue.estimate = float(picks.number(5))
        self._touch(issue)
        return f"{issue.identifier} is edited"

    @_change("move a Linear issue")
    def _move(self, picks: Picks) -> str:
        issue = picks.one(self._linear)
        state = picks.one(each for each in issue.team.states if each is not issue.state)
        self.life.work.move(issue, state.name, self._user(picks) if picks.flag() else None)
        return f"{issue.identifier} is {state.name}"

    @_change("assign a Linear issue")
    def _assign(self, picks: Picks) -> str:
        issue = picks.one(self._linear)
        issue.assignee = None if issue.assignee else self._user(picks)
        self._touch(issue)
        return f"{issue.identifier} is {'' if issue.assignee else 'un'}assigned"

    @_change("label a Linear issue")
    def _label_linear(self, picks: Picks) -> str:
        issue = picks.one(self._linear)
        labels = [each for each in self.life.work.workspace.labels if not each.is_group]
        label = picks.one(each for each in labels if each not in issue.labels and each.team in (None, issue.team))
        issue.labels.append(label)
        self._touch(issue)
        return f"{issue.identifier} gets the label {label.name}"

    @_change("unlabel a Linear issue")
    def _unlabel_linear(self, picks: Picks) -> str:
        issue = picks.one(each for each in self._linear if each.labels)
        label = picks.one(issue.labels)
        issue.labels.remove(label)
        self._touch(issue)
        return f"{issue.identifier} loses the label {label.name}"

    @_change("plan a Linear issue")
    def _plan(self, picks: Picks) -> str:
        issue = picks.one(self._linear)
        issue.cycle = picks.one([*issue.team.cycles, None])
        issue.project = picks.one([*self.life.work.workspace.projects, None])
        self._touch(issue)
        return f"{issue.identifier} gets another cycle and project"

    @_change("nest a Linear issue")
    def _nest(self, picks: Picks) -> str:
        issue = picks.one(self._linear)
        if issue.parent is not None:
            issue.parent.children.remove(issue)
            issue.parent = None
        else:
            issue.parent = picks.one(each for each in self._linear if each is not issue and each.parent is None)
            issue.parent.children.append(issue)
        self._touch(issue)
        return f"{issue.identifier} is {'nested' if issue.parent else 'taken out'}"

    @_change("archive a Linear issue")
    def _archive_linear(self, picks: Picks) -> str:
        issue = picks.one(each for each in self._linear if each.archived_at is None)
        issue.archived_at = self.now
        self._touch(issue)
        return f"{issue.identifier} is archived"

    @_change("unarchive a Linear issue")
    def _unarchive_linear(self, picks: Picks) -> str:
        issue = picks.one(each for each in self._linear if each.archived_at and not each.is_trashed)
        issue.archived_at = issue.auto_archived_at = None
        self._touch(issue)
        return f"{issue.identifier} is brought back from the archive"

    @_change("trash a Linear issue")
    def _trash(self, picks: Picks) -> str:
        issue = picks.one(each for each in self._linear if not each.is_trashed)
        issue.is_trashed, issue.archived_at = True, self.now
        self._touch(issue)
        return f"{issue.identifier} is thrown away"

    @_change("restore a Linear issue")
    def _restore(self, picks: Picks) -> str:
        issue = picks.one(each for each in self._linear if each.is_trashed)
        issue.is_trashed, issue.archived_at = False, None
        self._touch(issue)
        return f"{issue.identifier} is restored"

    def _gone(self, issue: LinearIssue) -> None:
        self._linear.remove(issue)
        if issue.parent is not None:
            issue.parent.children.remove(issue)
        for child in issue.children:
            child.parent = None
            self._hidden()

    @_change("delete a Linear issue")
    def _delete_linear(self, picks: Picks) -> str:
        """For good, as Linear does 30 days after it was thrown away."""
        issue = picks.one(self._linear)
        self._gone(issue)
        return f"{issue.identifier} is deleted for good"

    @_change("move a Linear issue to another team")
    def _change_team(self, picks: Picks) -> str:
        issue = picks.one(self._linear)
        team = picks.one(each for each in self._teams if each is not issue.team)
        former = issue.identifier
        state = next((each for each in team.states if each.name == issue.state.name), team.states[0])
        issue.previous_identifiers.append(former)
        team.last_number += 1
        issue.team, issue.number, issue.state, issue.cycle = team, team.last_number, state, None
        issue.labels = [each for each in issue.labels if each.team in (None, team)]
        self._touch(issue)
        return f"{former} is {issue.identifier} now"

    @_change("comment on a Linear issue")
    def _comment_linear(self, picks: Picks) -> str:
        """It may move the issue's updatedAt or not."""
        issue = picks.one(self._linear)
        before = issue.updated_at
        self.life.work.comment(issue, self._user(picks) if picks.flag() else None, "A comment")
        if picks.flag():
            issue.updated_at = before
        return f"{issue.identifier} is commented"

    def _linear_comments(self) -> list[LinearComment]:
        return [each for issue in self._linear for each in issue.comments if each.archived_at is None]

    @_change("edit a Linear comment")
    def _edit_linear_comment(self, picks: Picks) -> str:
        comment = picks.one(self._linear_comments())
        comment.body, comment.updated_at = "Edited", self.now
        return f"a comment on {comment.issue.identifier} is edited"

    @_change("archive a Linear comment")
    def _archive_linear_comment(self, picks: Picks) -> str:
        comment = picks.one(self._linear_comments())
        comment.archived_at = comment.updated_at = self.now
        return f"a comment on {comment.issue.identifier} is archived"

    @_change("delete a Linear comment")
    def _delete_linear_comment(self, picks: Picks) -> str:
        comment = picks.one(self._linear_comments())
        comment.issue.comments.remove(comment)
        return f"a comment on {comment.issue.identifier} is deleted"

    def _attachments(self) -> list[Attachment]:
        return [each for issue in self._linear for each in issue.attachments if each.archived_at is None]

    @_change("attach to a Linear issue")
    def _attach(self, picks: Picks) -> str:
        """It may move the issue's updatedAt or not."""
        issue = picks.one(self._linear)
        number = self.life.ids.number("Link")
        url = f"https://github.com/acme/one/pull/{number}"
        issue.attachments.append(
            Attachment(self.life.ids.uuid("attachment"), issue, url, "A link", "github", {}, self.now, self.now)
        )
        if picks.flag():
            issue.updated_at = self.now
        return f"{issue.identifier} gets an attachment"

    @_change("edit an attachment")
    def _edit_attachment(self, picks: Picks) -> str:
        attachment = picks.one(self._attachments())
        attachment.title, attachment.updated_at = f"Edited {self.life.ids.number('Edit')}", self.now
        return f"an attachment of {attachment.issue.identifier} is edited"

    @_change("archive an attachment")
    def _archive_attachment(self, picks: Picks) -> str:
        attachment = picks.one(self._attachments())
        attachment.archived_at = attachment.updated_at = self.now
        return f"an attachment of {attachment.issue.identifier} is archived"

    @_change("delete an attachment")
    def _delete_attachment(self, picks: Picks) -> str:
        attachment = picks.one(self._attachments())
        attachment.issue.attachments.remove(attachment)
        return f"an attachment of {attachment.issue.identifier} is deleted"

    @_change("make a Linear label")
    def _make_label(self, picks: Picks) -> str:
        team = picks.one([*self._teams, None])
        name = f"Label {self.life.ids.number('Name')}"
        label = LinearLabel(self.life.ids.uuid("label"), name, "#000000", team, None, False, self.now, self.now)
        self.life.work.workspace.labels.append(label)
        return f"the label {name} is made"

    def _labels(self) -> list[LinearLabel]:
        return [each for each in self.life.work.workspace.labels if not each.is_group]

    @_change("rename a Linear label")
    def _rename_label(self, picks: Picks) -> str:
        label = picks.one(self._labels())
        former, label.name = label.name, f"Renamed {self.life.ids.number('Name')}"
        label.updated_at = self.now
        return f"the label {former} is renamed to {label.name}"

    @_change("delete a Linear label")
    def _delete_label(self, picks: Picks) -> str:
        label = picks.one(self._labels())
        self.life.work.workspace.labels.remove(label)
        for issue in self._linear:
            issue.labels = [each for each in issue.labels if each is not label]
        return f"the label {label.name} is deleted"

    @_change("rename a Linear state")
    def _rename_state(self, picks: Picks) -> str:
        state = picks.one(each for team in self._teams for each in team.states)
        former, state.name, state.updated_at = state.name, f"State {self.life.ids.number('Name')}", self.now
        return f"{state.team.key}'s state {former} is renamed to {state.name}"

    @_change("add a Linear state")
    def _add_state(self, picks: Picks) -> str:
        team = picks.one(self._teams)
        kind = ("started", "completed", "canceled", "unstarted", "backlog")[picks.number(5)]
        name = f"State {self.life.ids.number('Name')}"
        team.states.append(
            WorkflowState(self.life.ids.uuid("state"), team, name, kind, float(len(team.states)), self.now, self.now)
        )
        return f"{team.key} gets the state {name} ({kind})"

    @_change("begin a cycle")
    def _begin_cycle(self, picks: Picks) -> str:
        team = picks.one(self._teams)
        number = len(team.cycles) + 1
        ends = self.now + timedelta(days=14)
        team.cycles.append(Cycle(self.life.ids.uuid("cycle"), team, number, None, self.now, ends, self.now, self.now))
        return f"{team.key} begins cycle {number}"

    @_change("end a cycle")
    def _end_cycle(self, picks: Picks) -> str:
        cycle = picks.one(each for team in self._teams for each in team.cycles if each.completed_at is None)
        cycle.completed_at = cycle.updated_at = self.now
        return f"{cycle.team.key} ends cycle {cycle.number}"

    @_change("begin a project")
    def _begin_project(self, picks: Picks) -> str:
        workspace = self.life.work.workspace
        number = self.life.ids.number("Name")
        workspace.projects.append(
            Project(
                self.life.ids.uuid("project"),
                f"Project {number}",
                f"project-{number}",
                workspace.statuses[2],
                [picks.one(self._teams)],
                self._user(picks),
                self.now,
                self.now,
                started_at=self.now,
            )
        )
        return f"project {number} is begun"

    @_change("end a project")
    def _end_project(self, picks: Picks) -> str:
        workspace = self.life.work.workspace
        project = picks.one(each for each in workspace.projects if each.completed_at is None)
        project.status = workspace.statuses[4]
        project.completed_at = project.updated_at = self.now
        return f"{project.name} is completed"

    @_change("delete a project")
    def _delete_project(self, picks: Picks) -> str:
        workspace = self.life.work.workspace
        project = picks.one(workspace.projects)
        workspace.projects.remove(project)
        for issue in self._linear:
            if issue.project is project:
                issue.project = None
        return f"{project.name} is deleted"

    @_change("deactivate a Linear user")
    def _deactivate(self, picks: Picks) -> str:
        active = [each for each in self.life.work.workspace.users if each.is_active]
        user = picks.one(active[2:])
        user.is_active, user.updated_at = False, self.now
        return f"{user.display_name} is deactivated in Linear"

    @_change("invite a Linear user")
    def _invite(self, picks: Picks) -> str:
        number = self.life.ids.number("Name")
        self.life.work.workspace.users.append(
            LinearUser(
                self.life.ids.uuid("user"),
                f"Guest {number}",
                f"guest-{number}",
                f"guest-{number}@acme.example",
                False,
                self.now,
                self.now,
            )
        )
        return f"guest-{number} joins in Linear"

    @_change("make a Linear team")
    def _make_team(self, picks: Picks) -> str:
        number = self.life.ids.number("Name")
        team = LinearTeam(self.life.ids.uuid("team"), f"T{number}", f"Team {number}", self.now, self.now)
        for position, state in enumerate(self._teams[0].states):
            team.states.append(
                WorkflowState(
                    self.life.ids.uuid("state"), team, state.name, state.type, float(position), self.now, self.now
                )
            )
        self._teams.append(team)
        return f"team {team.key} is made"

    @_change("rename a Linear team")
    def _rename_team(self, picks: Picks) -> str:
        team = picks.one(self._teams)
        team.name, team.updated_at = f"Team {self.life.ids.number('Name')}", self.now
        return f"team {team.key} gets another name"

    @_change("change a Linear team's key")
    def _change_key(self, picks: Picks) -> str:
        """Every issue of it gets another key, address and branch name, and keeps its updatedAt."""
        team = picks.one(self._teams)
        former = team.key
        for _ in self.life.work._change_key(team, f"K{self.life.ids.number('Name')}"):
            pass
        return f"team {former} is {team.key} now"

    @_change("remove a Linear team")
    def _remove_team(self, picks: Picks) -> str:
        """With all that it has."""
        if len(self._teams) < 2:
            raise _NotNowError
        team = picks.one(self._teams)
        workspace = self.life.work.workspace
        workspace.teams.remove(team)
        for issue in [each for each in self._linear if each.team is team]:
            self._gone(issue)
        workspace.labels = [each for each in workspace.labels if each.team is not team]
        return f"team {team.key} is removed"


def _made(thing: PullRequest | Issue | WorkflowRun) -> datetime:
    return thing.created_at


def _name(subject: PullRequest | Issue) -> str:
    return f"{subject.repository.full_name}#{subject.number}"


if _REGISTRY.keys() != SHOWN.keys():
    raise ValueError(f"changes and their list differ: {_REGISTRY.keys() ^ SHOWN.keys()}")
