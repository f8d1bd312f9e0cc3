"""The secrets of this process, taken out of every text that leaves it.

Whatever makes or reads a secret calls :func:`remember`; from then on :func:`redacted` finds it in any text, also
percent-encoded, escaped as in JSON or HTML, in hexadecimal, and in base64 wherever in a longer text it began (as in
``Basic`` authentication). No record of any logger in the process holds one from then on.
"""

from __future__ import annotations

import base64
import contextlib
import io
import logging
import re
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, TextIO
from urllib.parse import quote, unquote, urlsplit

import orjson
from pydantic import SecretStr

STARS = "***"
"""What is shown instead of a secret."""

LEAST = 8
"""Characters of a secret at least: a shorter one is a part of too many words."""

_LEAST_OF_PATH = 16
"""The same of a part of a webhook's address."""

_CUT = 32
"""Characters of a secret from which on its first half alone is taken out too: a server may cut off what it repeats."""

_MOST_MADE = 256
"""How many of the secrets that this process was given for a time are kept; they expire within the hour."""


def remember(secret: SecretStr | str | None, *, is_made: bool = False, in_rows: bool = False) -> None:
    """Take this out of every text from now on; several lines are several secrets.

    Args:
        is_made: for a time, so that it may be forgotten when many others were made after it.
        in_rows: also out of the rows that are loaded: it is sent to an API, which may send it back.
    """
    text = secret.get_secret_value() if isinstance(secret, SecretStr) else secret or ""
    for line in text.replace("\\n", "\n").splitlines():
        # the first and last line of a key in PEM are no secret
        if len(line.strip()) >= LEAST and not line.startswith("-----"):
            _KEPT.add(line.strip(), is_made, in_rows)


def remember_address(address: SecretStr | str | None) -> None:
    """Take out what is secret in an address: a password, and of a webhook what follows its host."""
    text = address.get_secret_value() if isinstance(address, SecretStr) else address or ""
    try:
        parts = urlsplit(text)
        user, password = parts.username, parts.password
    except ValueError:
        return
    # one that is the user's or the database's name is no secret, and in many a sentence
    if password and unquote(password) not in (user, parts.path.strip("/")):
        remember(unquote(password))
        remember(password)
    if user and password is None and len(user) >= _LEAST_OF_PATH:
        remember(unquote(user))  # a token, as git takes it
    if isinstance(address, SecretStr):
        remember(text)
        if parts.scheme in ("http", "https"):
            for part in re.split(r"[/?&;=]", f"{parts.path}?{parts.query}"):
                if len(part) >= _LEAST_OF_PATH:
                    remember(part)


def redacted(text: str) -> str:
    """The text without any secret that is remembered."""
    return _KEPT.forms.replace_in(text)


def redacted_json(value: Any) -> Any:
    """A value of JSON without secrets, in keys and texts; the same object where it holds none."""
    if not _KEPT.forms.may_be_in(orjson.dumps(value).decode()):
        return value
    return _walk(value)


def _walk(value: Any) -> Any:
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, dict):
        return {redacted(key): _walk(each) for key, each in value.items()}
    return [_walk(each) for each in value] if isinstance(value, list) else value


def spellings_in_rows() -> tuple[str, ...]:
    """What texts of rows that hold a secret have in them, unless it is escaped."""
    return _KEPT.forms_in_rows.spellings


def redacted_in_rows(text: str) -> str:
    """The text without any secret that rows are searched for."""
    return _KEPT.forms_in_rows.replace_in(text)


# --------------------------------------------------------------------------------------- errors, logs, output


@contextlib.contextmanager
def without_secrets() -> Iterator[None]:
    """Let no exception out whose text, or that of one it comes from, holds a secret."""
    try:
        yield
    except Exception as error:
        if _clean(error):
            raise
        # its class computes the text each time, so only another exception is without it
        raise RuntimeError(redacted(f"{type(error).__name__}: {error}")) from None


def _clean(error: BaseException | None) -> bool:
    """Take secrets out of a chain of exceptions, in place; whether that could be done."""
    seen: set[int] = set()
    ahead = [error]
    while ahead:
        one = ahead.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        ahead += [one.__cause__, one.__context__]
        if redacted(str(one)) == str(one) and redacted(repr(one)) == repr(one):
            continue
        one.args = tuple(redacted(each) if isinstance(each, str) else each for each in one.args)
        if redacted(str(one)) != str(one) or redacted(repr(one)) != repr(one):
            return False
    return True


class Redacting(io.TextIOBase):
    """A text stream that writes on to another one, line by line, without secrets."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._held = ""
        self._lock = threading.RLock()

    def write(self, text: str) -> int:
        """Write; the last line is held back until it ends, or the stream is flushed."""
        with self._lock:
            lines, newline, self._held = (self._held + text).rpartition("\n")
            if newline:
                self._stream.write(redacted(lines + newline))
        return len(text)

    def flush(self) -> None:
        """Write all that is held back."""
        with self._lock:
            held, self._held = self._held, ""
            self._stream.write(redacted(held))
            self._stream.flush()

    def writable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """That of the other stream."""
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of the other stream."""
        return self._stream.encoding


def _guard_logs() -> None:
    """Have the process make no log record that holds a secret."""
    make = logging.getLogRecordFactory()
    if getattr(make, "is_of_redaction", False):
        return

    def without(*arguments: Any, **named: Any) -> logging.LogRecord:
        record = make(*arguments, **named)
        with contextlib.suppress(Exception):  # what cannot be formatted is the handler's to complain of
            said = record.getMessage()
            if (clean := redacted(said)) != said:
                record.msg, record.args = clean, None
        if record.exc_info and record.exc_info[0] is not None:
            said = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
            if (clean := redacted(said)) != said:
                record.exc_info, record.exc_text = None, clean
        return record

    without.is_of_redaction = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(without)


# ------------------------------------------------------------------------------------------------- forms


_AROUND = {
    "plain": "",
    "hexadecimal": "0123456789abcdefABCDEF",
    "base64": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=-_",
}
"""By kind of form, the characters that go with it where they are beside it: what was encoded together."""


@dataclass(frozen=True)
class _Form:
    """One way to write a secret.

    Attributes:
        kind: a key of ``_AROUND``.
        text: as it is written where nothing is escaped.
        least: how many of its first characters suffice.
    """

    kind: str
    text: str
    least: int

    @property
    def spellings(self) -> tuple[str, ...]:
        """What suffices, as it may be written without an escape."""
        head = self.text[: self.least]
        return head, _ALIKE[self.kind](head)

    def end(self, text: str, at: int) -> int:
        """Where in a text it ends of which the first part ended at ``at``."""
        for character in self.text[self.least :]:
            found = _unit(character, self.kind).match(text, at)
            if found is None:
                break
            at = found.end()
        return at


def _forms(secret: str) -> Iterator[_Form]:
    def form(kind: str, text: str) -> _Form:
        return _Form(kind, text, len(text) // 2 if len(secret) >= _CUT else len(text))

    yield form("plain", secret)
    data = secret.encode()
    yield form("hexadecimal", data.hex())
    for ahead in range(3):
        encoded = base64.b64encode(b"\0" * ahead + data).decode().rstrip("=")
        # the first and last of them may hold bits of what is beside the secret
        begin, end = (0, 2, 3)[ahead], len(encoded) - (1 if (ahead + len(data)) % 3 else 0)
        yield form("base64", encoded[begin:end])


@cache
def _unit(character: str, kind: str) -> re.Pattern[str]:
    return re.compile(_one(character, kind))


@cache
def _one(character: str, kind: str) -> str:
    """A regular expression for a character, as itself or escaped in a URL, in JSON or in HTML, also several times."""
    ways = []
    for each in dict.fromkeys((character, _ALIKE[kind](character))):
        escape = re.escape(each)
        ways += [escape] if each.isalnum() else [escape, rf"\\+{escape}"]
        ways.append("".join(f"%(?:25)*(?i:{byte:02x})" for byte in each.encode()))
        ways.append(rf"\\+(?i:u00{ord(each):02x}|x{ord(each):02x})")
        ways.append(rf"&(?:amp;)*#(?i:0*{ord(each)}|x0*{ord(each):x});")
    return f"(?:{'|'.join(ways)})"


_ALIKE: dict[str, Callable[[str], str]] = {
    "plain": str,
    "hexadecimal": str.upper,
    "base64": lambda text: text.replace("+", "-").replace("/", "_"),
}
"""By kind of form, its other alphabet."""

_ESCAPED = re.compile(r"%[0-9a-fA-F]{2}|\\|&#|&amp;")


class _Forms:
    """All forms of some secrets, ready to search with.

    Attributes:
        spellings: texts of which a text has one that holds a secret, unless that is escaped.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        found = list(secrets)
        self._all = [form for secret in found for form in _forms(secret)]
        texts = (spelling for form in self._all for spelling in form.spellings)
        self.spellings = tuple(dict.fromkeys((*texts, *(quote(secret, safe="") for secret in found))))
        self._heads: list[re.Pattern[str]] = []
        self._pattern: re.Pattern[str] | None = None

    def may_be_in(self, text: str) -> bool:
        """Whether a search is worth it: fast, and wrong only where something is escaped."""
        return any(spelling in text for spelling in self.spellings) or (
            bool(self._all) and _ESCAPED.search(text) is not None
        )

    def replace_in(self, text: str) -> str:
        """The text with stars in the place of each."""
        if not self.may_be_in(text):
            return text
        if self._pattern is None:
            heads = ["".join(_one(each, form.kind) for each in form.text[: form.least]) for form in self._all]
            self._heads = [re.compile(head) for head in heads]
            self._pattern = re.compile("|".join(heads))
        parts: list[str] = []
        done = 0
        while found := self._pattern.search(text, done):
            start = found.start()
            # secrets may begin alike: the one that goes on longest is meant
            end, form = max(
                ((form.end(text, head.end()), form) for form, head in self._beginning(text, start)),
                key=lambda each: each[0],
            )
            around = _AROUND[form.kind]
            while start > done and text[start - 1] in around:
                start -= 1
            while end < len(text) and text[end] in around:
                end += 1
            parts += [text[done:start], STARS]
            done = end
        return "".join([*parts, text[done:]])

    def _beginning(self, text: str, at: int) -> Iterator[tuple[_Form, re.Match[str]]]:
        """The forms whose first part is at this place."""
        for form, head in zip(self._all, self._heads, strict=True):
            if found := head.match(text, at):
                yield form, found


class _Kept:
    """What is remembered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fixed: dict[str, bool] = {}
        self._made: dict[str, bool] = {}
        self.forms = self.forms_in_rows = _Forms(())

    def add(self, secret: str, is_made: bool, in_rows: bool) -> None:
        with self._lock:
            known = self._fixed.get(secret, self._made.get(secret))
            if known is not None and known >= in_rows:
                return
            if is_made:
                self._made[secret] = in_rows
                while len(self._made) > _MOST_MADE:
                    del self._made[next(iter(self._made))]
            else:
                self._fixed[secret] = in_rows
            secrets = self._made | self._fixed
            self.forms = _Forms(secrets)
            self.forms_in_rows = _Forms(secret for secret, is_in_rows in secrets.items() if is_in_rows)
            _guard_logs()


_KEPT = _Kept()
