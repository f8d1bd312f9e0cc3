"""Foreign text becomes ours: no secret in any form, one line, bounded, nothing that acts."""

from __future__ import annotations

import base64
import io
import json
import logging
import time
import traceback
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pytest
from pydantic import SecretStr

from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.safety import foreign, logs, redaction
from veelocity_pipeline.safety.foreign import plain, sentence
from veelocity_pipeline.safety.redaction import Redacting, redacted, remember, remember_address, without_secrets
from veelocity_pipeline.sources.kit.connector import CheckResult, ScopeFailure
from veelocity_pipeline.sources.kit.http.errors import BadAnswerError, PermissionDeniedError
from veelocity_pipeline.sources.kit.tables import BIGINT, TEXT, Table

TOKEN = "ghp_0123456789abcdefABCDEF0123456789xyzW"
PASSWORD = "p/+ss wörd?&%=1"


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets of this test alone."""
    monkeypatch.setattr(redaction, "_KEPT", redaction._Kept())


def ways(secret: str) -> list[str]:
    """How a secret may be written by whoever repeats it."""
    found = [
        secret,
        quote(secret, safe=""),
        quote(quote(secret, safe=""), safe=""),
        "".join(f"%{byte:02X}" for byte in secret.encode()),
        "".join(f"%{byte:02x}" for byte in secret.encode()),
        json.dumps(secret),
        json.dumps(json.dumps({"token": secret})),
        "".join(f"\\u{ord(each):04X}" for each in secret),
        "".join(f"&#{ord(each)};" for each in secret),
        "".join(f"&#x{ord(each):x};" for each in secret),
        secret.encode().hex(),
        secret.encode().hex().upper(),
    ]
    for before in ("", ":", "me:", "x-access-token:", "Bearer ", "Authorization: Bearer "):
        for after in ("", "\n", '"}'):
            encoded = base64.b64encode(f"{before}{secret}{after}".encode()).decode()
            found += [
                encoded,
                encoded.rstrip("="),
                encoded.replace("+", "-").replace("/", "_"),
                quote(encoded, safe=""),
            ]
    return found


def in_it(secret: str, text: str) -> bool:
    """Whether somebody who looks hard finds six characters of the secret in a row."""
    texts = [text, json.loads(f'"{text}"') if "\\u" in text else text]
    return any(secret[at : at + 6] in each for at in range(len(secret) - 6) for each in texts)


@pytest.mark.parametrize("secret", [TOKEN, PASSWORD])
def test_no_form_of_a_secret_is_left(secret: str) -> None:
    remember(secret)
    for way in ways(secret):
        said = redacted(f"Bad credentials: {way} (ask someone)")
        assert way not in said, way
        assert redaction.STARS in said, way
        assert not in_it(secret, said), (way, said)
        assert said.startswith("Bad credentials: ")
        assert said.endswith(" (ask someone)")


def test_a_secret_that_somebody_cut_off_is_found_too() -> None:
    remember(TOKEN)
    for way in (TOKEN, base64.b64encode(f"me:{TOKEN}".encode()).decode(), TOKEN.encode().hex()):
        assert not in_it(TOKEN, redacted(f"it was {way[: len(way) * 3 // 4]}"))


def test_of_secrets_that_begin_alike_no_end_is_left() -> None:
    first, second = (f"ghp_TheyBothBeginLikeThisAndGoOn{end}" for end in ("0001", "00othertail"))
    remember(first)
    remember(second)
    assert redacted(f"it was {second} here") == "it was *** here"


def test_what_is_no_secret_stays() -> None:
    for secret in ("", "t", "t0ken", None):
        remember(secret)
    remember(TOKEN)
    for text in ("t0ken", "github_pat_1", "100 % of %41 \\u0041 &#65;", "ghp_", "a" * 1_000, ""):
        assert redacted(text) == text


def test_lines_of_a_key_are_secrets_and_its_frame_is_none() -> None:
    key = "-----BEGIN PRIVATE KEY-----\n" + "\n".join(letter * 64 for letter in "abc") + "\n-----END PRIVATE KEY-----\n"
    for text in (key, key.replace("\n", "\\n")):
        remember(text)
        said = redacted(f"cannot read {text}")
        assert "aaaa" not in said
        assert "cccc" not in said
        assert "BEGIN PRIVATE KEY" in said


def test_addresses_hide_what_is_secret_in_them() -> None:
    remember_address(SecretStr("postgresql://veelocity:p%40ssw0rd%2F1@db:5432/veelocity"))
    remember_address(SecretStr("https://hooks.example.com/services/T0000/B0000/abcdefghijklmnop?wait=no"))
    remember_address("https://me:gatewayPass1@ghe.example.com/api/v3")
    remember_address("http://proxy:3128")
    remember_address(SecretStr("postgresql://dagster:dagster@db/dagster"))
    said = redacted(
        "connecting as veelocity with p@ssw0rd/1 to db, p%40ssw0rd%2F1; services/abcdefghijklmnop of "
        "hooks.example.com; gatewayPass1@ghe.example.com; dagster"
    )
    assert said == (
        "connecting as veelocity with *** to db, ***; services/*** of hooks.example.com; ***@ghe.example.com; dagster"
    )


def test_settings_tell_their_secrets_of_whatever_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:proxyPass1@proxy:3128")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "bucketSecret1")
    secrets = {
        "github_tokens": (TOKEN, f"{TOKEN}2"),
        "linear_api_key": "lin_api_0123456789",
        "dagster_postgres_url": "postgresql://me:postgresPass1@db/name",
        "alert_url": "https://hooks.example.com/x/0123456789abcdef",
    }
    Settings.model_validate(secrets)
    for secret in (TOKEN, "lin_api_0123456789", "postgresPass1", "0123456789abcdef", "proxyPass1", "bucketSecret1"):
        assert redacted(f"it is {secret}.") == "it is ***.", secret


@pytest.mark.slow
def test_of_the_secrets_that_are_made_the_newest_are_kept() -> None:
    for number in range(redaction._MOST_MADE + 10):
        remember(f"installation{number:06}", is_made=True)
    assert redacted("installation000000") == "installation000000"
    assert redacted(f"installation{redaction._MOST_MADE:06}") == "***"


# ------------------------------------------------------------------------------------------ messages


def test_a_message_is_one_bounded_line_without_secrets() -> None:
    remember(TOKEN)
    for kind in (BadAnswerError, PermissionDeniedError):
        said = str(kind(f"it said:\r\n\x1b[2Jveelocity: all is well\x85{TOKEN}\u2028{'x' * 9_000}"))
        assert said.splitlines() == [said]
        assert said.isprintable()
        assert "it said: \\x1b[2Jveelocity: all is well *** " in said
        assert len(said) == foreign.MOST
    assert str(CheckResult("a\nb", True, f"{TOKEN}\x07")) == "CheckResult(subject='a b', ok=True, detail='***\\\\x07')"
    assert ScopeFailure("a", "a", f"\x9b31m {TOKEN}").error == "\\x9b31m ***"


def test_a_secret_at_the_end_of_what_is_kept_is_not_cut_to_a_half() -> None:
    remember(TOKEN)
    for length in (5, 15, 35, 100):
        for blanks in range(foreign._SEARCHED - 60, foreign._SEARCHED + 5):
            said = sentence(" " * blanks + TOKEN + "x" * 10_000, length)
            assert not in_it(TOKEN, said)
    assert not in_it(TOKEN, sentence("x" * 290 + TOKEN, 300))


def test_a_huge_message_takes_no_time() -> None:
    remember(TOKEN)
    begun = time.process_time()
    assert len(sentence("%67\\u0068" * 5_000_000, 300)) == 300
    assert time.process_time() - begun < 5


def test_what_acts_is_shown() -> None:
    acting = [*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200B, 0x200E, 0x200F, *range(0x2028, 0x202F), 0xFEFF]
    acting += [*range(0x2060, 0x2070), 0xAD, 0x180E, 0xD800, 0xDFFF, 0xE0001, 0xE0041]
    for code in acting:
        shown = plain(f"a{chr(code)}b")
        assert shown.isascii(), hex(code)
        assert shown.isprintable(), hex(code)
    assert plain("\x1b]8;;http://x\x07 \x9b2J \u202e\n\t\r") == "\\x1b]8;;http://x\\x07 \\x9b2J \\u202e\\n\\t\\r"
    assert plain("a\n\tb\x1b", lines=True) == "a\n\tb\\x1b"
    for text in ("Grüße, 日本語 שלום عربى", "👩\u200d💻 🏳\ufe0f\u200d🌈", "क्\u200dष", "a & <b> [/x] :bomb:"):
        assert plain(text) == text
    assert plain("pay\u200dpal") == "pay\\u200dpal"


# --------------------------------------------------------------------------------------- rows, errors, logs


@pytest.mark.parametrize("much", ["", "x" * 100_000], ids=["little", "much"])
def test_rows_hold_no_secret_that_an_api_was_sent(much: str) -> None:
    for secret in (TOKEN, r"w+i\e/r.d*[s]{e}(c)|^$?", "\\Qsecret\\E"):
        remember(secret, in_rows=True)
    remember("aPasswordOfMine1")
    table = Table("things", "One row per thing.", {"id": BIGINT, "title": TEXT, "note": TEXT}, primary_key=("id",))
    basic = base64.b64encode(f"x:{TOKEN}".encode()).decode()
    rows: list[dict[str, Any]] = [
        {"id": 1, "title": f"use {TOKEN}!", "note": None},
        {"id": 2, "title": None, "note": f"Basic {basic}"},
        {"id": 3, "title": "aPasswordOfMine1 is fine\n\x1b", "note": "[/x]"},
        {"id": 4, "title": much, "note": much},
        {"id": 5, "title": r"a w+i\e/r.d*[s]{e}(c)|^$? b", "note": "\\Qsecret\\E"},
    ]
    made = table.arrow(rows)
    assert made.schema == table.schema
    assert made.select(["id", "title", "note"]).to_pylist() == [
        {"id": 1, "title": "use ***!", "note": None},
        {"id": 2, "title": None, "note": "Basic ***"},
        rows[2],
        rows[3],
        {"id": 5, "title": "a *** b", "note": "***"},
    ]
    assert isinstance(table.arrow([]), pa.Table)


def test_json_is_searched_in_keys_and_texts() -> None:
    remember(TOKEN)
    value: dict[str, Any] = {"etags": [f'W/"{TOKEN}"', None, 1], TOKEN: {"x": True}}
    assert redaction.redacted_json(value) == {"etags": ['W/"***"', None, 1], "***": {"x": True}}
    same = {"a": ["b"]}
    assert redaction.redacted_json(same) is same


def test_no_logger_of_any_library_tells_a_secret(tmp_path: Path) -> None:
    remember(TOKEN)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    library = logging.getLogger("some.library")
    library.setLevel(logging.DEBUG)
    library.addHandler(handler)
    try:
        library.debug("headers %r of %d", [(b"authorization", f"Bearer {TOKEN}".encode())], 7)
        library.info(f"in the text {TOKEN}")
        try:
            raise ValueError(f"no {TOKEN}") from KeyError(TOKEN)
        except ValueError:
            library.exception("it failed")
        library.info("as it is %s", "here")
    finally:
        library.removeHandler(handler)
    said = stream.getvalue()
    assert TOKEN not in said
    assert "Bearer ***" in said
    assert "ValueError: no ***" in said
    assert "as it is here" in said
    with logs.kept(tmp_path / "log.jsonl"):
        try:
            raise ValueError(TOKEN)
        except ValueError:
            logging.getLogger("veelocity").exception("no %s", TOKEN, extra={"more": TOKEN})
    assert TOKEN not in (tmp_path / "log.jsonl").read_text()
    json.loads((tmp_path / "log.jsonl").read_text())


class _StubbornError(Exception):
    """Makes its text anew each time, as some libraries' do."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __str__(self) -> str:
        return f"with {self.token}"


@pytest.mark.parametrize("inner", [KeyError, ValueError, _StubbornError])
def test_no_exception_tells_a_secret_nor_what_it_came_from(inner: type[Exception]) -> None:
    remember(TOKEN)

    def fail() -> None:
        try:
            raise inner(TOKEN)
        except Exception as error:
            raise RuntimeError(f"outer {TOKEN}") from error

    with pytest.raises(Exception, match=r"\*\*\*") as caught, without_secrets():
        fail()
    told = "".join(traceback.format_exception(caught.value))
    assert TOKEN not in told
    assert "***" in told
    with pytest.raises(BadAnswerError, match="is as it was"), without_secrets():
        raise BadAnswerError("is as it was")


def test_what_is_printed_into_a_log_holds_no_secret_even_in_parts() -> None:
    remember(TOKEN)
    stream = io.StringIO()
    said = Redacting(stream)
    said.write("begin " + TOKEN[:9])
    said.write(TOKEN[9:] + " end\nand " + TOKEN)
    assert stream.getvalue() == "begin *** end\n"
    said.flush()
    assert stream.getvalue() == "begin *** end\nand ***"
