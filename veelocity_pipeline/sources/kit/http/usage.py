"""What requests cost, and how waits for limits are told."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass
class Usage:
    """What some requests cost.

    Attributes:
        requests: sent, retries and redirects included.
        points: the provider's own.
        waited: seconds of waiting at limits.
        received: bytes of the answers' bodies, as they came (compressed).
    """

    requests: int = 0
    points: int = 0
    waited: float = 0.0
    received: int = 0

    def add(self, other: Usage) -> None:
        """Count what another one counted."""
        self.requests += other.requests
        self.points += other.points
        self.waited += other.waited
        self.received += other.received


@dataclass(frozen=True)
class Wait:
    """A wait that goes on for another ``seconds``; ``reason`` is a sentence for the person who looks on."""

    seconds: float
    reason: str


class Spending:
    """What all views of one client have in common."""

    def __init__(self, on_wait: Callable[[Wait], None] | None) -> None:
        self.on_wait = on_wait
        self.server_date: datetime | None = None
        self.total = Usage()
        self.lock = threading.Lock()
        self.meters = threading.local()
        self.costs: dict[bytes, int] = {}
        self.resources: set[str] = set()
        self.told_until = self.quiet_until = -math.inf
