"""The part of a build that dbt does: every model and every test, on a warehouse that is loaded.

``python -m bench.transform`` builds the home of the environment and prints seconds and nodes as JSON.
"""

from __future__ import annotations

import json
import sys
import time

from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.transform.build import steps
from veelocity_pipeline.transform.fingerprint import Building
from veelocity_pipeline.transform.prepare import prepared
from veelocity_pipeline.transform.runner import Done, Runner
from veelocity_pipeline.warehouse.home import Home


def main() -> None:
    """Build all, and print what it took: dbt's import and what it read of the project included."""
    home = Home(load_settings().home)
    project = prepared(home)
    done: list[Done] = []
    begun = time.perf_counter()
    for _plan, of_step in steps(Building(project, home, everything=True), Runner(project, home), lambda _text: None):
        done += of_step
    seconds = time.perf_counter() - begun
    failed = [each.unique_id for each in done if not each.is_good]
    if failed:
        raise SystemExit(f"{', '.join(failed)} failed")
    tests = sum(each.unique_id.startswith("test.") for each in done)
    sys.stdout.write(json.dumps({"seconds": seconds, "models": len(done) - tests, "tests": tests}) + "\n")


if __name__ == "__main__":
    main()
