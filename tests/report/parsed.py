"""The written page, as a parser sees it."""

from __future__ import annotations

import base64
import gzip
import html.parser
import json
from pathlib import Path
from typing import Any

from veelocity_pipeline.faces.report import render_report


class Page(html.parser.HTMLParser):
    """The parts of a page that matter here, as a parser sees them."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.text.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.script(id="data"))
        return found

    def packed(self, name: str) -> Any:
        """What is packed under that name."""
        return json.loads(self.text_of(name))

    def text_of(self, name: str) -> str:
        return gzip.decompress(base64.b64decode(self.script(**{"data-name": name}))).decode()

    def script(self, **attributes: str) -> str:
        """The content of the script element with these attributes."""
        elements = [attrs for tag, attrs in self.tags if tag == "script"]
        [at] = [at for at, attrs in enumerate(elements) if attributes.items() <= attrs.items()]
        return self.scripts[at]

    @property
    def programs(self) -> list[str]:
        """The scripts that run."""
        elements = [attrs for tag, attrs in self.tags if tag == "script"]
        return [text for attrs, text in zip(elements, self.scripts, strict=True) if "type" not in attrs]


def rendered(published: Path, folder: Path) -> Page:
    return Page(render_report(published, folder / "report" / "index.html").read_text(encoding="utf-8"))


def words(page: Page) -> str:
    return " ".join("".join(page.text).split())
