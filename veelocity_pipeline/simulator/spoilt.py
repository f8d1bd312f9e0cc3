"""Objects that never come as they should."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class Spoilt:
    """An object that never comes as it should.

    Attributes:
        object: its id.
        field: what of it fails; empty: all of it.
        code: of the error of GraphQL; 502 is a page of a server in between, whatever else was asked.
        value: what the field is instead of an error.
    """

    object: str
    field: str = ""
    code: str = "502"
    value: Any = None
