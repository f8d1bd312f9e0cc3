"""Answers of GitHub's REST: a body, or a problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = Any
_DOCS = "https://docs.github.com/rest"


class ProblemError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None, **more: Json) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body = {"message": message, **more, "documentation_url": _DOCS, "status": str(status)}


@dataclass(frozen=True)
class Answer:
    """A body and the number of pages, where it is a page of a list."""

    body: Json
    page: int = 0
    last_page: int = 0
