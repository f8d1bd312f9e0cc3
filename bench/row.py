"""One row of the table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measurement.

    Attributes:
        limit: the most that it may be; None where there is no target.
        note: what else was counted.
    """

    what: str
    unit: str
    measured: float
    limit: float | None = None
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether it is within its limit."""
        return None if self.limit is None else self.measured <= self.limit
