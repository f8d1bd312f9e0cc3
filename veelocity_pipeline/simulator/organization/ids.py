"""Ids as the providers form them, from plain counters, so that the same life gives the same ids."""

from __future__ import annotations

import base64
import hashlib
import struct
import uuid
from collections import defaultdict

_NODE_PREFIX = {
    "Account": "U",
    "Bot": "BOT",
    "Organization": "O",
    "Repository": "R",
    "PullRequest": "PR",
    "PullRequestCommit": "PURC",
    "Review": "PRR",
    "ReviewComment": "PRRC",
    "Comment": "IC",
    "Issue": "I",
    "Commit": "C",
    "Label": "LA",
    "Ref": "REF",
    "Tag": "TA",
    "Release": "RE",
    "Deployment": "DE",
    "DeploymentStatus": "DES",
    "Environment": "EN",
    "Workflow": "W",
    "WorkflowRun": "WFR",
    "CheckSuite": "CS",
    "ReadyForReviewEvent": "RFRE",
    "ConvertToDraftEvent": "CTDE",
    "MergedEvent": "ME",
    "ClosedEvent": "CE",
    "ReopenedEvent": "REE",
    "HeadRefForcePushedEvent": "HRFPE",
    "LabeledEvent": "LE",
    "UnlabeledEvent": "UNLE",
}
_FIRST = {
    "Repository": 712_000_000,
    "PullRequest": 1_810_000_000,
    "Issue": 1_710_000_000,
    "Review": 1_730_000_000,
    "ReviewComment": 1_420_000_000,
    "Comment": 1_950_000_000,
    "Deployment": 1_540_000_000,
    "DeploymentStatus": 1_950_000_000,
    "Release": 138_000_000,
    "Workflow": 81_000_000,
    "WorkflowRun": 14_200_000_000,  # above 32 bits, as at GitHub
    "Job": 40_100_000_000,
}


class Ids:
    """Counters per kind."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._last: dict[str, int] = defaultdict(int)

    def number(self, kind: str) -> int:
        """The next database id of a kind; not dense, as at GitHub."""
        self._last[kind] += 1
        return _FIRST.get(kind, 1_000) + self._last[kind] * 7

    @staticmethod
    def node(kind: str, number: int, repository: int = 0) -> str:
        """The node id of the object with this database id."""
        packed = struct.pack(">II", repository & 0xFFFFFFFF, number & 0xFFFFFFFF)
        return f"{_NODE_PREFIX[kind]}_kwDO{base64.urlsafe_b64encode(packed).decode().rstrip('=')}"

    def sha(self, repository: int) -> str:
        """The next commit's hash."""
        self._last["sha"] += 1
        return hashlib.sha1(f"{self._seed}/{repository}/{self._last['sha']}".encode()).hexdigest()

    def uuid(self, kind: str) -> str:
        """The next of Linear's ids."""
        self._last["uuid"] += 1
        digest = hashlib.sha1(f"{self._seed}/{kind}/{self._last['uuid']}".encode()).digest()
        return str(uuid.UUID(bytes=digest[:16], version=4))
