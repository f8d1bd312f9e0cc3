"""How far a scope was read: a typed mark, and the state of JSON values that a load saves of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import orjson
from pydantic import TypeAdapter

State = Mapping[str, Any]


@dataclass
class Mark:
    """The base of every mark; a connector has a dataclass of its own for each kind of scope.

    Attributes:
        VERSION: of the form in which it is saved. State without a version is of version 1.
    """

    VERSION: ClassVar[int]

    def to_state(self) -> dict[str, Any]:
        """Return the mark as it stands now; what happens to it later does not show in there."""
        return {"version": self.VERSION, **orjson.loads(orjson.dumps(self))}

    @classmethod
    def from_state(cls, state: State) -> Self:
        """Return the mark that was saved; a new one where nothing was, or a later version has saved it."""
        if not state:
            return cls()
        version = int(state.get("version", 1))
        if version > cls.VERSION:
            return cls()
        current = state if version == cls.VERSION else cls.upgraded(state)
        if cls not in _ADAPTERS:
            _ADAPTERS[cls] = TypeAdapter(cls)
        read: Self = _ADAPTERS[cls].validate_python(dict(current))
        return read

    @classmethod
    def upgraded(cls, state: State) -> State:
        """Return state of an earlier version in the form of this one."""
        return state


_ADAPTERS: dict[type[Mark], TypeAdapter[Any]] = {}
"""What reads state, by kind of mark: making one takes 20 ms, and there is a mark for each scope."""
