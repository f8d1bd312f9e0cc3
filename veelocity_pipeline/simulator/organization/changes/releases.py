"""Changes to tags, releases and deployments."""

from __future__ import annotations

from veelocity_pipeline.simulator.organization.changes.base import NotNowError, Picks, Scene, change
from veelocity_pipeline.simulator.organization.code_host import (
    Account,
    Commit,
    Deployment,
    DeploymentStatus,
    Release,
    Repository,
    Tag,
)


def _tag_at(scene: Scene, picks: Picks, repository: Repository) -> Commit:
    """The head or one of its ancestors; what is tagged is not the newest commit always."""
    commit = scene.default_head(repository)
    for _ in range(picks.number(4)):
        commit = commit.parents[0] if commit.parents else commit
    return commit


def _make_tag(scene: Scene, repository: Repository, name: str, commit: Commit, author: Account, annotated: bool) -> Tag:
    number = scene.life.ids.number("Tag")
    node = scene.life.ids.node("Tag", number, repository.database_id)
    tag = Tag(node, repository, name, commit, annotated, author, scene.now)
    repository.tags.append(tag)
    return tag


@change("make a tag")
def _tag(scene: Scene, picks: Picks) -> str:
    repository = picks.one(scene.homes()).repository
    commit = _tag_at(scene, picks, repository)
    name = f"v{scene.life.ids.number('Version')}"
    _make_tag(scene, repository, name, commit, scene.person(picks), picks.flag())
    return f"{repository.full_name} gets the tag {name}"


@change("move a tag")
def _move_tag(scene: Scene, picks: Picks) -> str:
    repository = picks.one(home.repository for home in scene.homes() if home.repository.tags)
    tag = picks.one(repository.tags)
    commit = _tag_at(scene, picks, repository)
    if commit is tag.commit:
        raise NotNowError
    tag.commit, tag.created_at = commit, scene.now
    scene.hide(len(repository.tags) > scene.newest)
    return f"{repository.full_name}'s tag {tag.name} is moved to {commit.sha[:7]}"


@change("delete a tag")
def _delete_tag(scene: Scene, picks: Picks) -> str:
    """What was released from it becomes a draft."""
    tag = picks.one(tag for home in scene.homes() for tag in home.repository.tags)
    repository = tag.repository
    repository.tags.remove(tag)
    for release in repository.releases:
        if release.tag is tag:
            release.tag, release.is_draft, release.published_at = None, True, None
    return f"{repository.full_name}'s tag {tag.name} is deleted"


@change("draft a release")
def _draft_release(scene: Scene, picks: Picks) -> str:
    repository = picks.one(scene.homes()).repository
    number = scene.life.ids.number("Release")
    name = f"v{scene.life.ids.number('Version')}"
    release = Release(
        scene.life.ids.node("Release", number, repository.database_id),
        number,
        repository,
        name,
        name,
        None,
        scene.person(picks),
        "",
        True,
        picks.flag(),
        scene.now,
        scene.now,
        None,
    )
    repository.releases.append(release)
    scene.life.organization.nodes[release.id] = release
    return f"release {name} of {repository.full_name} is drafted"


def _releases(scene: Scene) -> list[Release]:
    return [each for home in scene.homes() for each in home.repository.releases]


def _edited(scene: Scene, release: Release) -> None:
    scene.touch(release)
    scene.hide(len(release.repository.releases) > scene.newest)


@change("publish a release")
def _publish(scene: Scene, picks: Picks) -> str:
    release = picks.one(each for each in _releases(scene) if each.is_draft)
    repository = release.repository
    tag = next((each for each in repository.tags if each.name == release.tag_name), None)
    if tag is None:
        commit = _tag_at(scene, picks, repository)
        tag = _make_tag(scene, repository, release.tag_name, commit, scene.person(picks), False)
    release.tag, release.is_draft, release.published_at = tag, False, scene.now
    _edited(scene, release)
    return f"release {release.name} of {repository.full_name} is published"


@change("edit a release")
def _edit_release(scene: Scene, picks: Picks) -> str:
    release = picks.one(_releases(scene))
    release.name = f"Edited {scene.life.ids.number('Edit')}"
    release.is_prerelease = picks.flag()
    _edited(scene, release)
    return f"release {release.tag_name} of {release.repository.full_name} is edited"


@change("delete a release")
def _delete_release(scene: Scene, picks: Picks) -> str:
    release = picks.one(_releases(scene))
    release.repository.releases.remove(release)
    scene.forget(release)
    return f"release {release.tag_name} of {release.repository.full_name} is deleted"


@change("make a deployment")
def _deploy(scene: Scene, picks: Picks) -> str:
    home = picks.one(scene.homes())
    repository = home.repository
    environment = ("production", "staging")[picks.number(2)]
    commit = _tag_at(scene, picks, repository)
    ref = (repository.default_branch, commit.sha)[picks.number(2)]
    number = scene.life.ids.number("Deployment")
    deployment = Deployment(
        scene.life.ids.node("Deployment", number, repository.database_id),
        number,
        repository,
        environment,
        "deploy",
        ref,
        commit,
        scene.person(picks),
        "",
        scene.now,
        scene.now,
    )
    repository.deployments.append(deployment)
    scene.life.organization.nodes[deployment.id] = deployment
    state = (None, "queued", "success")[picks.number(3)]
    if state:
        _status(scene, deployment, state)
    return f"deployment {number} of {repository.full_name} to {environment} is made ({state or 'no status'})"


def _status(scene: Scene, deployment: Deployment, state: str) -> None:
    """Give a status; a success makes the earlier ones of the environment inactive."""
    number = scene.life.ids.number("DeploymentStatus")
    node = scene.life.ids.node("DeploymentStatus", number, deployment.repository.database_id)
    creator = scene.life.present(scene.life.people)[0]
    status = DeploymentStatus(node, number, deployment, state, creator, "", "", "", scene.now, scene.now)
    deployment.statuses.append(status)
    deployment.updated_at = scene.now
    scene.life.organization.nodes[node] = status
    if state == "success":
        for other in deployment.repository.deployments:
            is_live = other.statuses and other.statuses[-1].state == "success"
            if other is not deployment and other.environment == deployment.environment and is_live:
                _status(scene, other, "inactive")


@change("give a deployment a status")
def _more_status(scene: Scene, picks: Picks) -> str:
    deployment = picks.one(each for home in scene.homes() for each in home.repository.deployments)
    state = ("in_progress", "success", "failure", "inactive", "error", "queued")[picks.number(6)]
    # one that had ended is not looked at any more once enough others are newer
    has_ended = deployment.statuses and deployment.statuses[-1].state in ("success", "failure", "error", "inactive")
    scene.hide(has_ended and len(deployment.repository.deployments) > scene.newest)
    _status(scene, deployment, state)
    return f"deployment {deployment.database_id} of {deployment.repository.full_name} is {state}"


@change("delete a deployment")
def _delete_deployment(scene: Scene, picks: Picks) -> str:
    found = [each for home in scene.homes() for each in home.repository.deployments]
    deployment = picks.one(found)
    deployment.repository.deployments.remove(deployment)
    scene.forget(deployment, *deployment.statuses)
    return f"deployment {deployment.database_id} of {deployment.repository.full_name} is deleted"
