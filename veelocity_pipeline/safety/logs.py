"""What the pipeline says of itself, kept for machines: one JSON object a line, bounded in size."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

from pythonjsonlogger.json import JsonFormatter

from veelocity_pipeline.safety.files import open_text
from veelocity_pipeline.safety.redaction import redacted

LOGGERS = ("veelocity", "veelocity_pipeline")
"""Progress for people, and what modules tell of their mistakes."""

MOST_BYTES = 5_000_000
"""Of one file; then it becomes ``.1``, and so on to ``.4``."""


class _Formatter(JsonFormatter):
    """One object a line; what an exception says is in it, so that secrets are looked for in all of it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return redacted(super().format(record))


class _Handler(RotatingFileHandler):
    """As the library's, whose files are readable by all and which follows a link."""

    def _open(self) -> TextIO:  # type: ignore[override]
        return open_text(Path(self.baseFilename), "a")


@contextlib.contextmanager
def kept(path: Path, **about: str) -> Iterator[None]:
    """Append what is logged meanwhile to a file: ``time``, ``level``, ``logger``, ``message``, and ``about``.

    Args:
        path: its folder is there; a new file is its owner's alone.
        about: what stands in every line, as the run's id.
    """
    handler = _Handler(path, maxBytes=MOST_BYTES, backupCount=4)
    handler.setFormatter(
        _Formatter(
            "%(levelname)s %(name)s %(message)s",
            rename_fields={"levelname": "level", "name": "logger", "timestamp": "time"},
            static_fields=about,
            timestamp=True,
        )
    )
    loggers = [logging.getLogger(name) for name in LOGGERS]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
        handler.close()
