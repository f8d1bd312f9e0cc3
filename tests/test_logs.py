"""The log for machines."""

from __future__ import annotations

import json
import logging
import stat
from pathlib import Path

import pytest

from veelocity_pipeline.safety import logs


def lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_each_line_is_an_object_with_a_level_and_the_run(tmp_path: Path) -> None:
    path = tmp_path / "veelocity.jsonl"
    with logs.kept(path, job="rebuild", run="r1"):
        logging.getLogger("veelocity").warning("Two\nlines")
        try:
            raise ValueError("a cause")
        except ValueError:
            logging.getLogger("veelocity_pipeline.loading.read").exception("reading failed")
    logging.getLogger("veelocity").warning("too late")
    first, second = lines(path)
    assert (first["level"], first["logger"], first["message"]) == ("WARNING", "veelocity", "Two\nlines")
    assert (first["job"], first["run"]) == ("rebuild", "r1")
    assert first["time"].startswith("20")
    assert second["level"] == "ERROR"
    assert "a cause" in second["exc_info"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MOST_BYTES", 2_000)
    path = tmp_path / "veelocity.jsonl"
    with logs.kept(path):
        for number in range(200):
            logging.getLogger("veelocity").warning("line %d", number)
    files = list(tmp_path.iterdir())
    assert len(files) == 5
    assert sum(file.stat().st_size for file in files) <= 5 * 2_000
    assert lines(path)[-1]["message"] == "line 199"
