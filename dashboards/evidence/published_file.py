"""Prints where the published file is, as Evidence's connector wants it: from the folder of the source."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.config.settings import SettingsError
from veelocity_pipeline.warehouse.home import Home

SOURCE = Path(__file__).resolve().parent / "sources" / "veelocity"


def main() -> int:
    try:
        published = Home(load_settings().home).published
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if not published.exists():
        sys.stderr.write(f"Nothing is published yet: {published} is not there; run `make refresh` or `make demo`\n")
        return 2
    sys.stdout.write(f"{os.path.relpath(published, SOURCE)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
