"""How a raw table is declared: its columns, its key and how a later load changes it.

Every column of every raw table is declared, so that a column that is null in every row, or a table
without a row, exists all the same and staging never breaks on a quiet repository.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from veelocity_pipeline.safety.redaction import redacted_in_rows, spellings_in_rows

Row = dict[str, Any]
"""One flat row, by column name."""

TEXT = pa.string()
BIGINT = pa.int64()
DOUBLE = pa.float64()
BOOLEAN = pa.bool_()
TIMESTAMP = pa.timestamp("us", tz="UTC")

_MUCH = 30_000
"""Bytes of a column."""

GONE_COLUMN = "is_gone"
"""Of children: the set of this parent is empty now (the one row that says so is never stored)."""

CONNECTION_COLUMN = "connection"
"""In every raw table: the name of the connection that the row comes from. Null: the vendor's own."""


@dataclass(frozen=True)
class Table:
    """A raw table.

    Exactly one of ``primary_key`` and ``merge_key`` is set (both together make dlt's merge
    quadratic). With a primary key a row replaces its earlier self. With a merge key the rows of one
    parent replace all earlier rows of that parent, an empty set included.

    Attributes:
        name: name of the table, of the dlt resource and of the dbt source table.
        description: one sentence; its first words give the grain.
        columns: Arrow type of each column, in order.
        primary_key: columns that identify a row.
        merge_key: the parent's id, for tables whose rows come as whole sets.
    """

    name: str
    description: str
    columns: Mapping[str, pa.DataType]
    primary_key: tuple[str, ...] = ()
    merge_key: str = ""

    def __post_init__(self) -> None:
        if bool(self.primary_key) == bool(self.merge_key):
            raise ValueError(f"{self.name}: set exactly one of primary_key and merge_key")

    @property
    def stored_columns(self) -> Mapping[str, pa.DataType]:
        """The columns, and the one that says of which connection a row is."""
        return {**self.columns, CONNECTION_COLUMN: TEXT}

    @property
    def schema(self) -> pa.Schema:
        """Arrow schema; a table of sets has the flag that empties a set as well. Keys are never null."""
        columns = dict(self.stored_columns)
        if self.merge_key:
            columns[GONE_COLUMN] = BOOLEAN
        keys = (*self.primary_key, self.merge_key)
        return pa.schema([pa.field(name, kind, nullable=name not in keys) for name, kind in columns.items()])

    @property
    def keys(self) -> tuple[str, ...]:
        """Columns that hold ids of the provider as text, its own and those of other rows."""
        return tuple(
            name for name, kind in self.columns.items() if kind == TEXT and (name == "id" or name.endswith("_id"))
        )

    def arrow(self, rows: Iterable[Row], connection: str = "") -> pa.Table:
        """The rows as an Arrow table of the declared schema, without secrets of ours; a missing value is null.

        Args:
            connection: the name of the connection that they come from, by which their ids are told apart; empty for
                the vendor's own.

        Raises:
            pyarrow.ArrowInvalid, pyarrow.ArrowTypeError: a value is not of its column's type, or a key is null.
        """
        table = pa.Table.from_pylist(list(rows), schema=self.schema)
        for field in table.schema:
            # Arrow notices only where the rows are written, which is too late to tell whose they are.
            if not field.nullable and table[field.name].null_count:
                raise pa.ArrowInvalid(f"{self.name}.{field.name} is null")
        return _redacted(self._qualified(table, connection) if connection else table)

    def _qualified(self, table: pa.Table, connection: str) -> pa.Table:
        """Tell the ids of one connection from those of others, which may be equal."""
        for name in self.keys:
            place = table.schema.get_field_index(name)
            keys = pc.binary_join_element_wise(f"{connection}:", table[name], "")
            table = table.set_column(place, table.schema.field(place), keys)
        place = table.schema.get_field_index(CONNECTION_COLUMN)
        names = pa.array([connection] * table.num_rows, TEXT)
        return table.set_column(place, table.schema.field(place), names)

    def empty_set(self, parent: str) -> Row:
        """The row that says: this parent has no children (any more)."""
        return {self.merge_key: parent, GONE_COLUMN: True}


def _redacted(table: pa.Table) -> pa.Table:
    """Return the table without secrets: a user may write one into a title, and a server may repeat one."""
    spellings = spellings_in_rows()
    for number, field in enumerate(table.schema):
        if field.type == TEXT and spellings and _has_one_of(table[number], spellings):
            texts = [text if text is None else redacted_in_rows(text) for text in table[number].to_pylist()]
            table = table.set_column(number, field, pa.array(texts, TEXT))
    return table


def _has_one_of(column: pa.ChunkedArray, spellings: Sequence[str]) -> bool:
    """Whether a text of a column has one of these in it: a regular expression pays where there is much to search."""
    if column.nbytes > _MUCH:
        # RE2 takes fewer escapes than Python makes
        pattern = "|".join(re.sub(r"([^\w\s])", r"\\\1", each) for each in spellings)
        return bool(pc.any(pc.match_substring_regex(column, pattern)).as_py())
    # the texts as Arrow keeps them, one after the other
    kept = [buffer.to_pybytes() for chunk in column.chunks if (buffer := chunk.buffers()[2]) is not None]
    return any(each.encode() in texts for texts in kept for each in spellings)


def by_name(*tables: Table) -> dict[str, Table]:
    """The tables of a source, by name, in order."""
    return {table.name: table for table in tables}
