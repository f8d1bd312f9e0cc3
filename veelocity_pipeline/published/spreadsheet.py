"""Text that a spreadsheet would run as a formula, and the apostrophe that keeps it text.

Others write the titles. A spreadsheet runs one such as ``=HYPERLINK(…)`` when it opens a CSV file. So
every CSV file that is written here (``veelocity export``, the report's downloads) guards each text:

- an apostrophe goes before what begins with ``=``, ``+``, ``-``, ``@`` or a full-width form of these, also where
  blanks, invisible characters or quotes come first;
- likewise after each ``;``, tab or line break inside of the text, since a spreadsheet whose list separator is ``;`` or
  a tab begins a cell there;
- and before a text that begins with a tab or a line break.

Numbers are not text: ``-7`` in a numeric column stays what it is.
"""

from __future__ import annotations

_BLANK = (
    r"\x00-\x08\x0b\x0c\x0e-\x20\x7f-\xa0\xad"
    "\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
    "\"'`\u2018-\u201f\u00ab\u00bb\u2039\u203a\uff02\uff07"
)
_FORMULA = "=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b"

GUARDS = (
    (rf"(^|[;\t\r\n])([{_BLANK}]*[{_FORMULA}])", r"\1'\2"),
    (r"^([\t\r\n])", r"'\1"),
)
"""What is replaced everywhere in a text, one after the other, and by what. The patterns mean the same to DuckDB's RE2
and to JavaScript."""


def guarded(column: str) -> str:
    """Return SQL for the text of a column as a CSV file may hold it.

    Args:
        column: an expression of type VARCHAR.
    """
    for pattern, replacement in GUARDS:
        column = f"regexp_replace({column}, {_literal(pattern)}, {_literal(replacement)}, 'g')"
    return column


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
