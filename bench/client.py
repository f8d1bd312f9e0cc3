"""One load of one home in a process of its own, so that its CPU and memory are its alone.

``python -m bench.client SOURCE…`` with the settings in the environment prints what it cost, as JSON.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.loading.dlt import make_pipeline
from veelocity_pipeline.loading.read import load
from veelocity_pipeline.sources import SOURCES, RefreshRequest
from veelocity_pipeline.warehouse.home import Home


@dataclass(frozen=True)
class Cost:
    """What loading some sources cost.

    Attributes:
        rows: rows loaded.
        seconds: on the clock.
        cpu: seconds of the process, all its threads, imports not counted.
        megabytes: the most memory that the process held, imports included.
        before: memory that it held before it began to load.
        errors: what could not be read.
    """

    rows: int
    seconds: float
    cpu: float
    megabytes: float
    before: float
    errors: list[str]


def measured(environment: dict[str, str], *sources: str) -> Cost:
    """Load these sources in another process, with these settings."""
    result = subprocess.run(
        [sys.executable, "-m", "bench.client", *sources], env=environment, capture_output=True, text=True, check=True
    )
    return Cost(**json.loads(result.stdout.splitlines()[-1]))


def main(sources: list[str]) -> None:
    """Load, and print the cost."""
    settings = load_settings()
    home = Home(Path(settings.home))
    home.make()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    wall, cpu = time.perf_counter(), time.process_time()
    outcomes = []
    for name in sources:
        entry = SOURCES[name]
        outcomes += list(load(entry, settings, make_pipeline(entry, home), RefreshRequest(run="bench")))
    cost = Cost(
        rows=sum(outcome.rows for outcome in outcomes),
        seconds=time.perf_counter() - wall,
        cpu=time.process_time() - cpu,
        megabytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        before=before,
        errors=sorted({outcome.error for outcome in outcomes if outcome.error}),
    )
    sys.stdout.write(json.dumps(asdict(cost)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
