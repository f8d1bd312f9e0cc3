"""A window on the time axis and its pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from veelocity_pipeline.sources.github_actions.mark import PageMark, WindowMark
from veelocity_pipeline.sources.github_actions.windows import SECOND, Window, whole_second


@dataclass
class WindowPages:
    """A window and what is known of its pages: an ETag each, and when the newest run on it was created."""

    window: Window
    pages: list[PageMark] = field(default_factory=list)
    oldest: datetime | None = None  # run on the pages that were read; not kept

    def to_mark(self) -> WindowMark:
        """Return what is kept of it."""
        end = self.window.end
        return WindowMark(self.window.start.isoformat(), end.isoformat() if end else None, self.pages)

    @classmethod
    def from_mark(cls, mark: WindowMark) -> WindowPages:
        """Return what was kept."""
        window = Window(datetime.fromisoformat(mark.start), datetime.fromisoformat(mark.end) if mark.end else None)
        return cls(window, list(mark.pages))

    @property
    def etag(self) -> str:
        """The first page's; empty if it was not read yet."""
        return self.pages[0].etag if self.pages else ""

    def read_so_far(self) -> WindowPages | None:
        """The newest part of a window of which not all pages were read yet; None if that is not a second of it."""
        if self.oldest is None or self.window.end is None or self.oldest + SECOND > self.window.end:
            return None
        # It is asked again with other words, so that no ETag of its pages is good.
        part = Window(whole_second(self.oldest) + SECOND, self.window.end)
        return WindowPages(part, [PageMark("", self.pages[0].newest)])

    def since(self, moment: datetime) -> WindowPages:
        """This without the pages on which all is older than a moment."""
        return WindowPages(self.window, [page for page in self.pages if datetime.fromisoformat(page.newest) >= moment])
