"""Changes to pull requests."""

from __future__ import annotations

import random

from veelocity_pipeline.simulator.organization.changes.base import NotNowError, Picks, Scene, change, name_of
from veelocity_pipeline.simulator.organization.code_host import (
    Comment,
    Review,
    ReviewComment,
)


@change("open a pull request")
def _open(scene: Scene, picks: Picks, fork: bool = False) -> str:
    home = picks.one(scene.homes())
    repository = home.repository
    base = scene.default_head(repository)
    author = scene.person(picks)
    if fork:
        author = picks.one(scene.life.present(scene.life.outsiders))
    origin = home.fork(author) if fork else None
    topic = scene.topic(picks)
    commits = []
    parent = base
    for number in range(1 + picks.number(3)):
        parent = home.commit(f"{topic} {number}", author, scene.now, [parent], [f"src/{number}.py"], repository=origin)
        commits.append(parent)
    branch = repository.default_branch if fork else f"work/{scene.life.ids.number('Branch')}"
    made = home.open(topic, "", author, branch, base.sha, commits, picks.flag(), repository.default_branch, origin)
    return f"{name_of(made)} is opened{' from a fork' if fork else ''}"


@change("open a pull request from a fork")
def _open_from_fork(scene: Scene, picks: Picks) -> str:
    return _open(scene, picks, fork=True)


@change("edit a pull request")
def _edit(scene: Scene, picks: Picks) -> str:
    pull_request = picks.one(scene.pull_requests())
    pull_request.title = f"{scene.topic(picks)} ({scene.life.ids.number('Edit')})"
    scene.touch(pull_request)
    return f"{name_of(pull_request)} gets another title"


@change("close a pull request")
def _close(scene: Scene, picks: Picks) -> str:
    pull_request = picks.one(scene.pull_requests("OPEN"))
    scene.drops(pull_request.repository, pull_request.head_branch)
    scene.home(pull_request.repository).close(pull_request, scene.person(picks))
    return f"{name_of(pull_request)} is closed"


@change("reopen a pull request")
def _reopen(scene: Scene, picks: Picks) -> str:
    pull_request = picks.one(scene.pull_requests("CLOSED"))
    pull_request.state, pull_request.closed_at = "OPEN", None
    if not pull_request.is_cross_repository:
        pull_request.repository.branches[pull_request.head_branch] = pull_request.head
    scene.home(pull_request.repository).event(pull_request, "ReopenedEvent", scene.person(picks))
    return f"{name_of(pull_request)} is opened again"


@change("merge a pull request")
def _merge(scene: Scene, picks: Picks) -> str:
    found = scene.pull_requests("OPEN")
    pull_request = picks.one(each for each in found if each.base_branch in each.repository.branches)
    method = ("squash", "merge", "rebase")[picks.number(3)]
    scene.drops(pull_request.repository, pull_request.head_branch)
    # what it closes may stand in a repository that is read by itself, and moves there
    scene.home(pull_request.repository).merge(pull_request, scene.person(picks), method)
    return f"{name_of(pull_request)} is merged ({method})"


@change("turn a pull request into a draft")
def _draft(scene: Scene, picks: Picks, is_draft: bool = True) -> str:
    found = [each for each in scene.pull_requests("OPEN") if each.is_draft is not is_draft]
    pull_request = picks.one(found)
    pull_request.is_draft = is_draft
    kind = "ConvertToDraftEvent" if is_draft else "ReadyForReviewEvent"
    scene.home(pull_request.repository).event(pull_request, kind, scene.person(picks))
    return f"{name_of(pull_request)} is {'a draft' if is_draft else 'ready'} now"


@change("mark a draft as ready")
def _ready(scene: Scene, picks: Picks) -> str:
    return _draft(scene, picks, is_draft=False)


@change("label a pull request")
def _label(scene: Scene, picks: Picks) -> str:
    pull_request = picks.one(scene.pull_requests())
    labels = pull_request.repository.labels
    name = picks.one(name for name, label in labels.items() if label not in pull_request.labels)
    scene.home(pull_request.repository).add_label(pull_request, name, scene.person(picks))
    return f"{name_of(pull_request)} gets the label {name}"


@change("unlabel a pull request")
def _unlabel(scene: Scene, picks: Picks) -> str:
    pull_request = picks.one(each for each in scene.pull_requests() if each.labels)
    label = picks.one(pull_request.labels)
    scene.home(pull_request.repository).remove_label(pull_request, label.name, scene.person(picks))
    return f"{name_of(pull_request)} loses the label {label.name}"


@change("push to a pull request")
def _push(scene: Scene, picks: Picks) -> str:
    pull_request = picks.one(scene.pull_requests("OPEN"))
    home = scene.home(pull_request.repository)
    head, commits = pull_request.head, []
    for _ in range(1 + picks.number(3)):
        head = home.commit(
            scene.topic(picks), pull_request.author, scene.now, [head], ["src/x.py"], None, head.repository
        )
        commits.append(head)
    home.add_commits(pull_request, commits)
    return f"{name_of(pull_request)} gets {len(commits)} commits"


@change("force-push to a pull request")
def _force_push(scene: Scene, picks: Picks) -> str:
    pull_request = picks.one(scene.pull_requests("OPEN"))
    scene.home(pull_request.repository).force_push(pull_request, random.Random(picks.number(4)))
    return f"{name_of(pull_request)} is rewritten: commits vanish from it"


@change("review a pull request")
def _review(scene: Scene, picks: Picks) -> str:
    pull_request = picks.one(scene.pull_requests())
    state = ("APPROVED", "CHANGES_REQUESTED", "COMMENTED")[picks.number(3)]
    remarks = [f"Remark {number}" for number in range(picks.number(4))]
    scene.home(pull_request.repository).review(pull_request, scene.person(picks), state, remarks)
    return f"{name_of(pull_request)} is reviewed ({state}, {len(remarks)} remarks)"


def _reviews(scene: Scene, *states: str) -> list[Review]:
    return [each for one in scene.pull_requests() for each in one.reviews if not states or each.state in states]


@change("dismiss a review")
def _dismiss(scene: Scene, picks: Picks) -> str:
    review = picks.one(_reviews(scene, "APPROVED", "CHANGES_REQUESTED"))
    review.state, review.updated_at = "DISMISSED", scene.now
    scene.touch(review.pull_request)
    return f"a review of {name_of(review.pull_request)} is dismissed"


@change("begin a review")
def _begin_review(scene: Scene, picks: Picks) -> str:
    pull_request = picks.one(scene.pull_requests())
    viewer = scene.life.organization.viewer
    if any(each.state == "PENDING" for each in pull_request.reviews) or viewer.deleted_at:
        raise NotNowError
    remarks = [f"Thought {number}" for number in range(picks.number(3))]
    scene.home(pull_request.repository).review(pull_request, viewer, "PENDING", remarks)
    return f"a review of {name_of(pull_request)} is begun"


@change("submit a pending review")
def _submit(scene: Scene, picks: Picks) -> str:
    review = picks.one(_reviews(scene, "PENDING"))
    review.state = "COMMENTED"
    review.submitted_at = review.updated_at = scene.now
    scene.touch(review.pull_request)
    return f"the pending review of {name_of(review.pull_request)} is submitted"


@change("delete a pending review")
def _delete_review(scene: Scene, picks: Picks) -> str:
    review = picks.one(_reviews(scene, "PENDING"))
    review.pull_request.reviews.remove(review)
    scene.forget(review, *review.comments)
    return f"the pending review of {name_of(review.pull_request)} is deleted"


@change("reply in a review")
def _reply(scene: Scene, picks: Picks) -> str:
    review = picks.one(each for each in _reviews(scene) if each.comments and each.state != "PENDING")
    pull_request = review.pull_request
    scene.home(pull_request.repository).review(pull_request, scene.person(picks), "COMMENTED", ["A reply"])
    return f"a review of {name_of(pull_request)} is answered"


def _review_comments(scene: Scene) -> list[ReviewComment]:
    return [comment for review in _reviews(scene) for comment in review.comments]


@change("edit a review comment")
def _edit_review_comment(scene: Scene, picks: Picks) -> str:
    comment = picks.one(_review_comments(scene))
    comment.body, comment.updated_at = f"Edited {scene.life.ids.number('Edit')}", scene.now
    if comment.review.state == "PENDING":
        scene.hide()
    else:
        scene.touch(comment.review.pull_request)
    return f"a review comment in {name_of(comment.review.pull_request)} is edited"


@change("delete a review comment")
def _delete_review_comment(scene: Scene, picks: Picks) -> str:
    comment = picks.one(_review_comments(scene))
    comment.review.comments.remove(comment)
    scene.forget(comment)
    return f"a review comment in {name_of(comment.review.pull_request)} is deleted"


@change("comment on a pull request")
def _comment(scene: Scene, picks: Picks) -> str:
    pull_request = picks.one(scene.pull_requests())
    scene.home(pull_request.repository).comment(pull_request, scene.person(picks), "A comment")
    return f"{name_of(pull_request)} is commented"


def _comments(scene: Scene) -> list[Comment]:
    return [each for pull_request in scene.pull_requests() for each in pull_request.comments]


@change("edit a comment on a pull request")
def _edit_comment(scene: Scene, picks: Picks) -> str:
    comment = picks.one(_comments(scene))
    comment.body, comment.updated_at = f"Edited {scene.life.ids.number('Edit')}", scene.now
    scene.touch(comment.subject)
    return f"a comment on {name_of(comment.subject)} is edited"


@change("delete a comment on a pull request")
def _delete_comment(scene: Scene, picks: Picks) -> str:
    comment = picks.one(_comments(scene))
    comment.subject.comments.remove(comment)
    scene.forget(comment)
    return f"a comment on {name_of(comment.subject)} is deleted"


@change("link an issue in the sidebar")
def _link(scene: Scene, picks: Picks) -> str:
    pull_request = picks.one(scene.pull_requests())
    issue = picks.one(each for each in scene.issues() if each not in pull_request.closing_issues)
    pull_request.closing_issues.append(issue)
    issue.closed_by.append(pull_request)
    scene.touch(pull_request)
    return f"{name_of(pull_request)} is linked to {name_of(issue)}"


@change("cut a link in the sidebar")
def _unlink(scene: Scene, picks: Picks) -> str:
    pull_request = picks.one(each for each in scene.pull_requests() if each.closing_issues)
    issue = picks.one(pull_request.closing_issues)
    pull_request.closing_issues.remove(issue)
    issue.closed_by.remove(pull_request)
    scene.touch(pull_request)
    return f"{name_of(pull_request)} is no longer linked to {name_of(issue)}"


@change("name an issue in a pull request's text")
def _mention(scene: Scene, picks: Picks) -> str:
    text = _link(scene, picks)
    pull_request = next(each for each in scene.pull_requests() if name_of(each) == text.partition(" ")[0])
    pull_request.body += f"\n\nFixes #{pull_request.closing_issues[-1].number}"
    return f"{text}, by its text"
