"""One question in SQL to the published marts, which can read them and do nothing else."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Sequence
from pathlib import Path

import duckdb

from veelocity_pipeline.config.settings import SettingsError
from veelocity_pipeline.published.open import read_published
from veelocity_pipeline.warehouse.publish import PUBLIC_SCHEMA

MOST_ROWS = 200
"""Rows that are shown, of the first ten thousand."""

_QUERIES = "SELECT, WITH, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN"


def ask(published: Path, query: str) -> str:
    """Run one query and return its answer as a table for people.

    The connection is read-only, reaches no file but the published one, loads no extension, and its settings are locked.

    Raises:
        SettingsError: it is not one query, or it does not run.
        WarehouseError: nothing was published yet.
        KeyboardInterrupt: it was interrupted.
    """
    require_query(query)
    with read_published(published) as connection:
        connection.execute(f"set search_path = '{PUBLIC_SCHEMA}'")
        connection.execute("set lock_configuration = true")
        shown = io.StringIO()
        try:
            with contextlib.redirect_stdout(shown):
                connection.sql(query).show(max_rows=MOST_ROWS)
        except duckdb.Error as error:
            raise _does_not_run(error) from None
        except RuntimeError as error:
            if "interrupted" not in str(error).lower():
                raise
            raise KeyboardInterrupt from None
    return shown.getvalue()


def require_query(query: str) -> None:
    """Refuse what is not one query.

    Raises:
        SettingsError: it is none, more than one, or another statement.
    """
    statement, words = _only_statement(query), _words(query)
    if statement.type == duckdb.StatementType.EXPLAIN:
        # what is explained may be run, and may be anything
        del words[: _length_of_explain([word for _, word in words])]
        query = query.encode()[words[0][0] :].decode() if words else ""
        statement = _only_statement(query)
    word = words[0][1]
    # (a PRAGMA that has an answer is taken for a SELECT)
    if statement.type != duckdb.StatementType.SELECT or word == "PRAGMA":
        raise SettingsError(f"only a query is answered ({_QUERIES}), not {word}")


def _only_statement(query: str) -> duckdb.Statement:
    try:
        statements = duckdb.extract_statements(query)
    except duckdb.Error as error:
        raise _does_not_run(error) from None
    if len(statements) != 1:
        pivots = " (PIVOT takes its columns from a list: ON … IN (…))" if "pivot" in query.lower() else ""
        raise SettingsError(f"give one query, not {len(statements) or 'none'}{pivots}")
    return statements[0]


def _words(query: str) -> list[tuple[int, str]]:
    """Where each word, sign or text of a query begins, in bytes, and what it is, in capitals; comments are left out."""
    content = query.encode()
    found = []
    for start, _ in duckdb.tokenize(query):
        word = re.match(r"\w+|.", content[start:].decode(), re.DOTALL)
        found.append((start, word[0].upper() if word else ""))
    return found


def _length_of_explain(words: Sequence[str]) -> int:
    """How many words come before what is explained: EXPLAIN, and ANALYZE or options in brackets."""
    if words[1:2] == ["ANALYZE"]:
        return 2
    if words[1:2] == ["("] and words[2:3] in (["ANALYZE"], ["FORMAT"]):
        return words.index(")") + 1
    return 1


def _does_not_run(error: duckdb.Error) -> SettingsError:
    return SettingsError(f"the query does not run: {str(error).splitlines()[0]}")
