"""What asking by REST and by GraphQL needs of a client."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection

import httpx

from veelocity_pipeline.sources.kit.http.accounts import Account
from veelocity_pipeline.sources.kit.http.answers import MOST_ATTEMPTS, Answers
from veelocity_pipeline.sources.kit.http.provider import Json, Provider


class Sender(ABC):
    """Sends requests to one provider."""

    provider: Provider
    answers: Answers

    @abstractmethod
    def _send(
        self,
        method: str,
        url: str,
        payload: bytes | None,
        subject: str,
        etag: str = "",
        attempts: int = MOST_ATTEMPTS,
        document: str = "",
        avoid: Collection[str] = (),
    ) -> tuple[httpx.Response, Json, Account]:
        """Send until there is an answer that is neither a limit nor a stumble."""

    @abstractmethod
    def _others(self, account: Account, avoid: Collection[str]) -> bool:
        """Whether another token is to be asked for what this one may not read."""

    @abstractmethod
    def _note_reach(self, account: Account, avoid: Collection[str]) -> None:
        """Remember that a token can read what others, which are to be avoided, cannot."""

    @abstractmethod
    def _back_off(self, attempt: int) -> None:
        """Wait before the next attempt."""
