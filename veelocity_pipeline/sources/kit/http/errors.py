"""What can go wrong between us and a provider, each as one sentence that a person can act on.

The message of every error names the cause and, where there is one, the cure. It is one line without secrets and of a
bounded length, whatever foreign text is in it (``foreign.sentence``).
"""

from __future__ import annotations

from veelocity_pipeline.safety.foreign import sentence

TOKEN_REJECTED = "is wrong, expired or revoked"
"""What is said of a token that is not accepted, after the name of its setting; the command line looks for it."""


class SourceError(Exception):
    """A source, or one repository or team of it, could not be read."""

    def __init__(self, message: str) -> None:
        super().__init__(sentence(message))


class AuthenticationError(SourceError):
    """The token is missing, wrong or expired; nothing of this source can be read."""


class PermissionDeniedError(SourceError):
    """The token is fine but may not read this."""


class NotFoundError(SourceError):
    """There is no such thing, or the token may not know of it (providers answer both alike)."""


class RateLimitedError(SourceError):
    """The provider's limit would keep us waiting longer than we are willing to."""


class UnreachableError(SourceError):
    """The host does not answer: name, network, TLS or time-out."""


class BadAnswerError(SourceError):
    """The host answered, but not as its API does.

    Attributes:
        code: the provider's own code of the error, where it gave one.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = sentence(code, 100)


class OverloadedError(SourceError):
    """The provider gave up on this request, after every retry: 5xx, a time-out, or only a part of the answer.

    Asking for less at once is the cure, which is what ``http.PageSize`` does before this gets out.
    """


class TooLargeError(OverloadedError):
    """The provider or our own bounds refuse an answer of this size; asking again for the same is of no use."""


class CancelledError(SourceError):
    """The run was interrupted while it waited or read."""
