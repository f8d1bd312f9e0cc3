"""Changes to repositories, branches, commits and accounts."""

from __future__ import annotations

from datetime import timedelta

from veelocity_pipeline.simulator.organization.changes.base import NotNowError, Picks, Scene, change
from veelocity_pipeline.simulator.organization.code_host import (
    Commit,
    Repository,
)


@change("describe a repository")
def _describe(scene: Scene, picks: Picks) -> str:
    repository = picks.one(scene.homes()).repository
    repository.description = f"Described {scene.life.ids.number('Edit')} times"
    repository.updated_at = scene.now
    return f"{repository.full_name} gets another description"


def _rename(scene: Scene, repository: Repository) -> None:
    """What other repositories say of it changes as well, and nothing there tells."""
    scene.hide(
        any(each.repository is not repository for issue in repository.issues for each in scene.references(issue))
    )
    repository.former_names.append(repository.full_name)
    repository.updated_at = scene.now


@change("rename a repository")
def _rename_repository(scene: Scene, picks: Picks) -> str:
    repository = picks.one(scene.homes()).repository
    former = repository.full_name
    _rename(scene, repository)
    repository.name = f"{repository.name.partition('-')[0]}-{scene.life.ids.number('Name')}"
    return f"{former} is renamed to {repository.full_name}"


@change("transfer a repository")
def _transfer_repository(scene: Scene, picks: Picks) -> str:
    repository = picks.one(scene.homes()).repository
    organization = scene.life.organization
    other = next((each for each in organization.accounts if each.login == "acme-labs"), None)
    if other is None:
        other = scene.life.account("acme-labs", "Organization", "Acme Labs", "labs@acme.example", scene.now)
        organization.accounts.append(other)
    former = repository.full_name
    _rename(scene, repository)
    repository.owner = organization.account if repository.owner is other else other
    repository.former_names = [each for each in repository.former_names if each != repository.full_name]
    return f"{former} is transferred to {repository.owner.login}"


@change("archive a repository")
def _archive(scene: Scene, picks: Picks) -> str:
    repository = picks.one(scene.homes()).repository
    repository.archived_at = repository.updated_at = scene.now
    return f"{repository.full_name} is archived"


@change("unarchive a repository")
def _unarchive(scene: Scene, picks: Picks) -> str:
    repository = picks.one(home for home in scene.life.repositories if home.is_closed).repository
    repository.archived_at, repository.updated_at = None, scene.now
    return f"{repository.full_name} is not archived any more"


@change("push to the default branch")
def _push_directly(scene: Scene, picks: Picks, age: timedelta = timedelta()) -> str:
    home = picks.one(scene.homes())
    count = 1 + picks.number(4)
    for _ in range(count):
        head = scene.default_head(home.repository)
        commit = home.commit(scene.topic(picks), scene.person(picks), scene.now - age, [head], ["src/y.py"])
        home.land(home.repository.default_branch, commit)
    return f"{count} commits{f' of {age.days} days ago' if age else ''} are pushed to {home.repository.full_name}"


@change("push old commits to the default branch")
def _push_old(scene: Scene, picks: Picks) -> str:
    return _push_directly(scene, picks, timedelta(days=200))


@change("merge a branch by hand")
def _merge_by_hand(scene: Scene, picks: Picks) -> str:
    """A branch that began below the head and has old commits, merged without a pull request."""
    home = picks.one(scene.homes())
    head = scene.default_head(home.repository)
    author = scene.person(picks)
    side = picks.one([*head.parents, head])
    for number in range(1 + picks.number(3)):
        moment = scene.now - timedelta(days=100 * picks.number(3), minutes=number)
        side = home.commit(f"Aside {number}", author, moment, [side], ["docs/z.md"])
    merged = home.commit("Merge by hand", author, scene.now, [head, side], [])
    home.land(home.repository.default_branch, merged)
    return f"a branch is merged by hand into {home.repository.full_name}"


@change("rewrite the default branch")
def _rewrite(scene: Scene, picks: Picks) -> str:
    """Force-pushed: its last commits vanish, and sooner or later their objects too."""
    home = picks.one(scene.homes())
    repository = home.repository
    dropped: list[Commit] = []
    base = scene.default_head(repository)
    for _ in range(1 + picks.number(3)):
        if base.parents:
            dropped.append(base)
            base = base.parents[0]
    for _ in range(picks.number(3)):
        base = home.commit(scene.topic(picks), scene.person(picks), scene.now, [base], ["src/r.py"])
    # branches built on the dropped commits keep them
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
                scene.forget(commit)
    return f"{repository.full_name}'s default branch is rewritten: {len(dropped)} commits vanish"


@change("rename the default branch")
def _rename_branch(scene: Scene, picks: Picks) -> str:
    """Pull requests that are open go to the branch by its new name."""
    repository = picks.one(scene.homes()).repository
    former = repository.default_branch
    scene.default_head(repository)
    scene.drops(repository, former)
    name = f"trunk-{scene.life.ids.number('Name')}"
    repository.branches[name] = repository.branches.pop(former)
    repository.default_branch = name
    repository.updated_at = scene.now
    for each in repository.pull_requests:
        if each.state == "OPEN" and each.base_branch == former:
            each.base_branch, each.updated_at = name, scene.now
    return f"{repository.full_name}'s {former} is renamed to {name}"


@change("make another branch the default")
def _switch_default(scene: Scene, picks: Picks) -> str:
    repository = picks.one(scene.homes()).repository
    name = picks.one(each for each in repository.branches if each != repository.default_branch)
    repository.default_branch = name
    repository.updated_at = scene.now
    return f"{name} is the default branch of {repository.full_name} now"


@change("delete a fork")
def _delete_fork(scene: Scene, picks: Picks) -> str:
    organization = scene.life.organization
    fork = picks.one(organization.forks)
    organization.forks.remove(fork)
    for home in scene.life.repositories:
        home.forks = {login: each for login, each in home.forks.items() if each is not fork}
        for pull_request in home.repository.pull_requests:
            if pull_request.head_repository is fork:
                pull_request.head_repository = None
        for run in home.repository.runs:
            if run.head_repository is fork:
                run.head_repository = None
    scene.forget(fork)
    return f"{fork.full_name} is deleted"


@change("delete an account")
def _delete_account(scene: Scene, picks: Picks) -> str:
    present = scene.life.present(scene.life.people)
    if len(present) < 3:
        raise NotNowError
    person = picks.one(each for each in present if each is not scene.life.organization.viewer)
    person.deleted_at = scene.now
    return f"{person.login}'s account is deleted"
