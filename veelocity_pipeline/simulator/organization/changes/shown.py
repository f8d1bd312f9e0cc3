"""Single changes that people make at GitHub and in Linear, each moving exactly what it moves there.

What matters to those who read only what is new is whether a change shows: by an ``updatedAt``, by a total, by the head
of a branch. ``SHOWN`` is the one list of that; ``None`` says that it is not known, or not always so: then the choice
decides, so that both are tried. A function may say more exactly that a change does not show (``Scene.hide``): something
else that is read depends on it, or it lies below the newest few that are looked at.

Sources: GitHub's REST documentation ("Best practices", "Workflow runs", "Deployments"), its GraphQL reference
(``Commit.associatedPullRequests``), "Renaming a branch", "Transferring an issue", "Managing releases in a repository"
(a release whose tag is deleted becomes a draft); Linear's developer documentation (archived entities). Neither
provider documents what moves ``updatedAt``; where nobody has said what they saw, it stands as not known.
"""

from __future__ import annotations

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
    # issues; a total shows deletions
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
    # repositories, branches and commits: read again, or told by the head of the default branch
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
"""Whether an incremental read notices a change; None: either way, as the choice says."""
