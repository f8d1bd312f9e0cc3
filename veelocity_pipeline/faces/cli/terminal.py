"""What commands print on: consoles on which no text acts.

Nothing that is printed is read as markup or as emoji. What would steer a terminal is shown as an escape. Styles of our
own are ``Text`` objects.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.logging import RichHandler
from rich.segment import Segment
from rich.text import Text

from veelocity_pipeline.safety.foreign import plain


class Terminal(Console):
    """A console that prints texts as they are; arguments as ``rich.console.Console`` has them."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **arguments)
        self.push_render_hook(_OnlyPlain())

    def render_str(self, text: str, **options: Any) -> Text:
        """A text, or the cell of a table, before the library drops what it knows of what acts."""
        return super().render_str(plain(text, lines=True), **options)


class _OnlyPlain(RenderHook):
    """Whatever else is printed, ``Text`` objects above all, at the last moment."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Plain(each) for each in renderables]


class _Plain:
    def __init__(self, inner: ConsoleRenderable) -> None:
        self._inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._inner, options):
            yield segment if segment.control else Segment(plain(segment.text, lines=True), segment.style)


class _OneLine(logging.Formatter):
    """A message on one line, and below it the exception that it tells of."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        return plain(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the library's name
        return plain(super().formatException(ei), lines=True)


def log_handler() -> logging.Handler:
    """Prints log messages with their time on what is standard output now."""
    handler = RichHandler(
        console=Terminal(file=sys.stdout), show_path=False, show_level=False, log_time_format="%X", markup=False
    )
    handler.setFormatter(_OneLine("%(message)s"))
    return handler


out = Terminal()
err = Terminal(stderr=True)
