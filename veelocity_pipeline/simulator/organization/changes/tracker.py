"""Changes in the issue tracker."""

from __future__ import annotations

from datetime import timedelta

from veelocity_pipeline.simulator.organization.changes.base import NotNowError, Picks, Scene, change
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


def _linear(scene: Scene) -> list[LinearIssue]:
    return scene.life.work.workspace.issues


def _teams(scene: Scene) -> list[LinearTeam]:
    return scene.life.work.workspace.teams


def _user(scene: Scene, picks: Picks) -> LinearUser:
    return picks.one(each for each in scene.life.work.workspace.users if each.is_active)


@change("create a Linear issue")
def _create(scene: Scene, picks: Picks) -> str:
    team = picks.one(_teams(scene))
    issue = scene.life.work.create(
        team, scene.topic(picks), _user(scene, picks), team.states[picks.number(4)].name, None, picks.number(5)
    )
    return f"{issue.identifier} is created"


@change("edit a Linear issue")
def _edit_linear(scene: Scene, picks: Picks) -> str:
    issue = picks.one(_linear(scene))
    issue.title = f"{scene.topic(picks)} ({scene.life.ids.number('Edit')})"
    issue.estimate = float(picks.number(5))
    scene.touch(issue)
    return f"{issue.identifier} is edited"


@change("move a Linear issue")
def _move(scene: Scene, picks: Picks) -> str:
    issue = picks.one(_linear(scene))
    state = picks.one(each for each in issue.team.states if each is not issue.state)
    scene.life.work.move(issue, state.name, _user(scene, picks) if picks.flag() else None)
    return f"{issue.identifier} is {state.name}"


@change("assign a Linear issue")
def _assign(scene: Scene, picks: Picks) -> str:
    issue = picks.one(_linear(scene))
    issue.assignee = None if issue.assignee else _user(scene, picks)
    scene.touch(issue)
    return f"{issue.identifier} is {'' if issue.assignee else 'un'}assigned"


@change("label a Linear issue")
def _label_linear(scene: Scene, picks: Picks) -> str:
    issue = picks.one(_linear(scene))
    labels = [each for each in scene.life.work.workspace.labels if not each.is_group]
    label = picks.one(each for each in labels if each not in issue.labels and each.team in (None, issue.team))
    issue.labels.append(label)
    scene.touch(issue)
    return f"{issue.identifier} gets the label {label.name}"


@change("unlabel a Linear issue")
def _unlabel_linear(scene: Scene, picks: Picks) -> str:
    issue = picks.one(each for each in _linear(scene) if each.labels)
    label = picks.one(issue.labels)
    issue.labels.remove(label)
    scene.touch(issue)
    return f"{issue.identifier} loses the label {label.name}"


@change("plan a Linear issue")
def _plan(scene: Scene, picks: Picks) -> str:
    issue = picks.one(_linear(scene))
    issue.cycle = picks.one([*issue.team.cycles, None])
    issue.project = picks.one([*scene.life.work.workspace.projects, None])
    scene.touch(issue)
    return f"{issue.identifier} gets another cycle and project"


@change("nest a Linear issue")
def _nest(scene: Scene, picks: Picks) -> str:
    issue = picks.one(_linear(scene))
    if issue.parent is not None:
        issue.parent.children.remove(issue)
        issue.parent = None
    else:
        issue.parent = picks.one(each for each in _linear(scene) if each is not issue and each.parent is None)
        issue.parent.children.append(issue)
    scene.touch(issue)
    return f"{issue.identifier} is {'nested' if issue.parent else 'taken out'}"


@change("archive a Linear issue")
def _archive_linear(scene: Scene, picks: Picks) -> str:
    issue = picks.one(each for each in _linear(scene) if each.archived_at is None)
    issue.archived_at = scene.now
    scene.touch(issue)
    return f"{issue.identifier} is archived"


@change("unarchive a Linear issue")
def _unarchive_linear(scene: Scene, picks: Picks) -> str:
    issue = picks.one(each for each in _linear(scene) if each.archived_at and not each.is_trashed)
    issue.archived_at = issue.auto_archived_at = None
    scene.touch(issue)
    return f"{issue.identifier} is brought back from the archive"


@change("trash a Linear issue")
def _trash(scene: Scene, picks: Picks) -> str:
    issue = picks.one(each for each in _linear(scene) if not each.is_trashed)
    issue.is_trashed, issue.archived_at = True, scene.now
    scene.touch(issue)
    return f"{issue.identifier} is thrown away"


@change("restore a Linear issue")
def _restore(scene: Scene, picks: Picks) -> str:
    issue = picks.one(each for each in _linear(scene) if each.is_trashed)
    issue.is_trashed, issue.archived_at = False, None
    scene.touch(issue)
    return f"{issue.identifier} is restored"


def _gone(scene: Scene, issue: LinearIssue) -> None:
    _linear(scene).remove(issue)
    if issue.parent is not None:
        issue.parent.children.remove(issue)
    for child in issue.children:
        child.parent = None
        scene.hide()


@change("delete a Linear issue")
def _delete_linear(scene: Scene, picks: Picks) -> str:
    """For good, as Linear does 30 days after it was thrown away."""
    issue = picks.one(_linear(scene))
    _gone(scene, issue)
    return f"{issue.identifier} is deleted for good"


@change("move a Linear issue to another team")
def _change_team(scene: Scene, picks: Picks) -> str:
    issue = picks.one(_linear(scene))
    team = picks.one(each for each in _teams(scene) if each is not issue.team)
    former = issue.identifier
    state = next((each for each in team.states if each.name == issue.state.name), team.states[0])
    issue.previous_identifiers.append(former)
    team.last_number += 1
    issue.team, issue.number, issue.state, issue.cycle = team, team.last_number, state, None
    issue.labels = [each for each in issue.labels if each.team in (None, team)]
    scene.touch(issue)
    return f"{former} is {issue.identifier} now"


@change("comment on a Linear issue")
def _comment_linear(scene: Scene, picks: Picks) -> str:
    """It may move the issue's updatedAt or not."""
    issue = picks.one(_linear(scene))
    before = issue.updated_at
    scene.life.work.comment(issue, _user(scene, picks) if picks.flag() else None, "A comment")
    if picks.flag():
        issue.updated_at = before
    return f"{issue.identifier} is commented"


def _linear_comments(scene: Scene) -> list[LinearComment]:
    return [each for issue in _linear(scene) for each in issue.comments if each.archived_at is None]


@change("edit a Linear comment")
def _edit_linear_comment(scene: Scene, picks: Picks) -> str:
    comment = picks.one(_linear_comments(scene))
    comment.body, comment.updated_at = "Edited", scene.now
    return f"a comment on {comment.issue.identifier} is edited"


@change("archive a Linear comment")
def _archive_linear_comment(scene: Scene, picks: Picks) -> str:
    comment = picks.one(_linear_comments(scene))
    comment.archived_at = comment.updated_at = scene.now
    return f"a comment on {comment.issue.identifier} is archived"


@change("delete a Linear comment")
def _delete_linear_comment(scene: Scene, picks: Picks) -> str:
    comment = picks.one(_linear_comments(scene))
    comment.issue.comments.remove(comment)
    return f"a comment on {comment.issue.identifier} is deleted"


def _attachments(scene: Scene) -> list[Attachment]:
    return [each for issue in _linear(scene) for each in issue.attachments if each.archived_at is None]


@change("attach to a Linear issue")
def _attach(scene: Scene, picks: Picks) -> str:
    """It may move the issue's updatedAt or not."""
    issue = picks.one(_linear(scene))
    number = scene.life.ids.number("Link")
    url = f"https://github.com/acme/one/pull/{number}"
    issue.attachments.append(
        Attachment(scene.life.ids.uuid("attachment"), issue, url, "A link", "github", {}, scene.now, scene.now)
    )
    if picks.flag():
        issue.updated_at = scene.now
    return f"{issue.identifier} gets an attachment"


@change("edit an attachment")
def _edit_attachment(scene: Scene, picks: Picks) -> str:
    attachment = picks.one(_attachments(scene))
    attachment.title, attachment.updated_at = f"Edited {scene.life.ids.number('Edit')}", scene.now
    return f"an attachment of {attachment.issue.identifier} is edited"


@change("archive an attachment")
def _archive_attachment(scene: Scene, picks: Picks) -> str:
    attachment = picks.one(_attachments(scene))
    attachment.archived_at = attachment.updated_at = scene.now
    return f"an attachment of {attachment.issue.identifier} is archived"


@change("delete an attachment")
def _delete_attachment(scene: Scene, picks: Picks) -> str:
    attachment = picks.one(_attachments(scene))
    attachment.issue.attachments.remove(attachment)
    return f"an attachment of {attachment.issue.identifier} is deleted"


@change("make a Linear label")
def _make_label(scene: Scene, picks: Picks) -> str:
    team = picks.one([*_teams(scene), None])
    name = f"Label {scene.life.ids.number('Name')}"
    label = LinearLabel(scene.life.ids.uuid("label"), name, "#000000", team, None, False, scene.now, scene.now)
    scene.life.work.workspace.labels.append(label)
    return f"the label {name} is made"


def _labels(scene: Scene) -> list[LinearLabel]:
    return [each for each in scene.life.work.workspace.labels if not each.is_group]


@change("rename a Linear label")
def _rename_label(scene: Scene, picks: Picks) -> str:
    label = picks.one(_labels(scene))
    former, label.name = label.name, f"Renamed {scene.life.ids.number('Name')}"
    label.updated_at = scene.now
    return f"the label {former} is renamed to {label.name}"


@change("delete a Linear label")
def _delete_label(scene: Scene, picks: Picks) -> str:
    label = picks.one(_labels(scene))
    scene.life.work.workspace.labels.remove(label)
    for issue in _linear(scene):
        issue.labels = [each for each in issue.labels if each is not label]
    return f"the label {label.name} is deleted"


@change("rename a Linear state")
def _rename_state(scene: Scene, picks: Picks) -> str:
    state = picks.one(each for team in _teams(scene) for each in team.states)
    former, state.name, state.updated_at = state.name, f"State {scene.life.ids.number('Name')}", scene.now
    return f"{state.team.key}'s state {former} is renamed to {state.name}"


@change("add a Linear state")
def _add_state(scene: Scene, picks: Picks) -> str:
    team = picks.one(_teams(scene))
    kind = ("started", "completed", "canceled", "unstarted", "backlog")[picks.number(5)]
    name = f"State {scene.life.ids.number('Name')}"
    team.states.append(
        WorkflowState(scene.life.ids.uuid("state"), team, name, kind, float(len(team.states)), scene.now, scene.now)
    )
    return f"{team.key} gets the state {name} ({kind})"


@change("begin a cycle")
def _begin_cycle(scene: Scene, picks: Picks) -> str:
    team = picks.one(_teams(scene))
    number = len(team.cycles) + 1
    ends = scene.now + timedelta(days=14)
    team.cycles.append(Cycle(scene.life.ids.uuid("cycle"), team, number, None, scene.now, ends, scene.now, scene.now))
    return f"{team.key} begins cycle {number}"


@change("end a cycle")
def _end_cycle(scene: Scene, picks: Picks) -> str:
    cycle = picks.one(each for team in _teams(scene) for each in team.cycles if each.completed_at is None)
    cycle.completed_at = cycle.updated_at = scene.now
    return f"{cycle.team.key} ends cycle {cycle.number}"


@change("begin a project")
def _begin_project(scene: Scene, picks: Picks) -> str:
    workspace = scene.life.work.workspace
    number = scene.life.ids.number("Name")
    workspace.projects.append(
        Project(
            scene.life.ids.uuid("project"),
            f"Project {number}",
            f"project-{number}",
            workspace.statuses[2],
            [picks.one(_teams(scene))],
            _user(scene, picks),
            scene.now,
            scene.now,
            started_at=scene.now,
        )
    )
    return f"project {number} is begun"


@change("end a project")
def _end_project(scene: Scene, picks: Picks) -> str:
    workspace = scene.life.work.workspace
    project = picks.one(each for each in workspace.projects if each.completed_at is None)
    project.status = workspace.statuses[4]
    project.completed_at = project.updated_at = scene.now
    return f"{project.name} is completed"


@change("delete a project")
def _delete_project(scene: Scene, picks: Picks) -> str:
    workspace = scene.life.work.workspace
    project = picks.one(workspace.projects)
    workspace.projects.remove(project)
    for issue in _linear(scene):
        if issue.project is project:
            issue.project = None
    return f"{project.name} is deleted"


@change("deactivate a Linear user")
def _deactivate(scene: Scene, picks: Picks) -> str:
    active = [each for each in scene.life.work.workspace.users if each.is_active]
    user = picks.one(active[2:])
    user.is_active, user.updated_at = False, scene.now
    return f"{user.display_name} is deactivated in Linear"


@change("invite a Linear user")
def _invite(scene: Scene, picks: Picks) -> str:
    number = scene.life.ids.number("Name")
    scene.life.work.workspace.users.append(
        LinearUser(
            scene.life.ids.uuid("user"),
            f"Guest {number}",
            f"guest-{number}",
            f"guest-{number}@acme.example",
            False,
            scene.now,
            scene.now,
        )
    )
    return f"guest-{number} joins in Linear"


@change("make a Linear team")
def _make_team(scene: Scene, picks: Picks) -> str:
    number = scene.life.ids.number("Name")
    team = LinearTeam(scene.life.ids.uuid("team"), f"T{number}", f"Team {number}", scene.now, scene.now)
    for position, state in enumerate(_teams(scene)[0].states):
        team.states.append(
            WorkflowState(
                scene.life.ids.uuid("state"), team, state.name, state.type, float(position), scene.now, scene.now
            )
        )
    _teams(scene).append(team)
    return f"team {team.key} is made"


@change("rename a Linear team")
def _rename_team(scene: Scene, picks: Picks) -> str:
    team = picks.one(_teams(scene))
    team.name, team.updated_at = f"Team {scene.life.ids.number('Name')}", scene.now
    return f"team {team.key} gets another name"


@change("change a Linear team's key")
def change_key(scene: Scene, picks: Picks) -> str:
    """Every issue of it gets another key, address and branch name, and keeps its updatedAt."""
    team = picks.one(_teams(scene))
    former = team.key
    for _ in scene.life.work.change_key(team, f"K{scene.life.ids.number('Name')}"):
        pass
    return f"team {former} is {team.key} now"


@change("remove a Linear team")
def _remove_team(scene: Scene, picks: Picks) -> str:
    """With all that it has."""
    if len(_teams(scene)) < 2:
        raise NotNowError
    team = picks.one(_teams(scene))
    workspace = scene.life.work.workspace
    workspace.teams.remove(team)
    for issue in [each for each in _linear(scene) if each.team is team]:
        _gone(scene, issue)
    workspace.labels = [each for each in workspace.labels if each.team is not team]
    return f"team {team.key} is removed"
