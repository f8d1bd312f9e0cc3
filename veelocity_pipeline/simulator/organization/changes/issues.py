"""Changes to issues of a code host."""

from __future__ import annotations

from veelocity_pipeline.simulator.organization.changes.base import Picks, Scene, change, name_of


@change("open an issue")
def _open_issue(scene: Scene, picks: Picks) -> str:
    home = picks.one(scene.homes())
    issue = home.open_issue(scene.topic(picks), "It fails.", scene.person(picks))
    return f"{name_of(issue)} is opened"


@change("edit an issue")
def _edit_issue(scene: Scene, picks: Picks) -> str:
    issue = picks.one(scene.issues())
    issue.title = f"{scene.topic(picks)} ({scene.life.ids.number('Edit')})"
    scene.touch(issue)
    return f"{name_of(issue)} gets another title"


@change("label an issue")
def _label_issue(scene: Scene, picks: Picks) -> str:
    issue = picks.one(scene.issues())
    label = picks.one(each for each in issue.repository.labels.values() if each not in issue.labels)
    issue.labels.append(label)
    scene.touch(issue)
    return f"{name_of(issue)} gets the label {label.name}"


@change("unlabel an issue")
def _unlabel_issue(scene: Scene, picks: Picks) -> str:
    issue = picks.one(each for each in scene.issues() if each.labels)
    label = picks.one(issue.labels)
    issue.labels.remove(label)
    scene.touch(issue)
    return f"{name_of(issue)} loses the label {label.name}"


@change("assign an issue")
def _assign_issue(scene: Scene, picks: Picks) -> str:
    issue = picks.one(scene.issues())
    issue.assignee = None if issue.assignee else scene.person(picks)
    scene.touch(issue)
    return f"{name_of(issue)} is {'' if issue.assignee else 'un'}assigned"


@change("close an issue")
def _close_issue(scene: Scene, picks: Picks) -> str:
    issue = picks.one(scene.issues("OPEN"))
    reason = ("COMPLETED", "NOT_PLANNED", "DUPLICATE")[picks.number(3)]
    scene.home(issue.repository).close_issue(issue, reason)
    return f"{name_of(issue)} is closed ({reason})"


@change("reopen an issue")
def _reopen_issue(scene: Scene, picks: Picks) -> str:
    issue = picks.one(scene.issues("CLOSED"))
    issue.state, issue.state_reason, issue.closed_at = "OPEN", "REOPENED", None
    scene.touch(issue)
    return f"{name_of(issue)} is opened again"


@change("comment on an issue")
def _comment_issue(scene: Scene, picks: Picks) -> str:
    issue = picks.one(scene.issues())
    scene.home(issue.repository).comment(issue, scene.person(picks), "A comment")
    return f"{name_of(issue)} is commented"


@change("delete a comment on an issue")
def _delete_issue_comment(scene: Scene, picks: Picks) -> str:
    comment = picks.one(each for issue in scene.issues() for each in issue.comments)
    comment.subject.comments.remove(comment)
    scene.forget(comment)
    return f"a comment on {name_of(comment.subject)} is deleted"


@change("delete an issue")
def _delete_issue(scene: Scene, picks: Picks) -> str:
    issue = picks.one(scene.issues())
    # nothing tells that what was linked to it no longer is
    scene.hide(scene.references(issue))
    for pull_request in scene.references(issue):
        pull_request.closing_issues.remove(issue)
    issue.repository.issues.remove(issue)
    scene.forget(issue, *issue.comments)
    return f"{name_of(issue)} is deleted"


@change("transfer an issue")
def _transfer_issue(scene: Scene, picks: Picks) -> str:
    """It gets another id and the next number; its former place leads to it."""
    issue = picks.one(scene.issues())
    target = picks.one(home for home in scene.homes() if home.repository is not issue.repository)
    former = name_of(issue)
    moved = target.open_issue(issue.title, issue.body, issue.author)
    moved.created_at, moved.state, moved.state_reason = issue.created_at, issue.state, issue.state_reason
    moved.closed_at, moved.assignee = issue.closed_at, issue.assignee
    scene.hide(scene.references(issue))
    for pull_request in scene.references(issue):
        pull_request.closing_issues[pull_request.closing_issues.index(issue)] = moved
        moved.closed_by.append(pull_request)
    issue.repository.issues.remove(issue)
    scene.forget(issue, *issue.comments)
    return f"{former} is transferred: {name_of(moved)}"
