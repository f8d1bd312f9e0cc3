"""``make soak``: histories by the thousand. Each seed stands for a few of them, and always for the same."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from .steps import CHANGES, histories
from .world import DifferenceError, History, run

PER_SEED = 5


def main() -> int:
    """Let histories happen until there were enough; print each failure with its seed, and go on."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--histories", type=int, default=1_000, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the first seed (default: %(default)s)")
    parser.add_argument("--source", choices=sorted(CHANGES), help="one source alone (default: all in turn)")
    parser.add_argument("--no-shrink", action="store_true", help="print failures as they were found")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    sources = [arguments.source] if arguments.source else sorted(CHANGES)
    done = refreshes = failures = 0
    began = time.monotonic()
    number = arguments.seed
    while done < arguments.histories:
        source = sources[number % len(sources)]
        passed = 0

        def happen(history: History) -> None:
            nonlocal passed, refreshes
            with tempfile.TemporaryDirectory(prefix="veelocity-history-") as folder:
                refreshes += run(history, Path(folder)).refreshes
            passed += 1

        phases = [Phase.generate] if arguments.no_shrink else [Phase.generate, Phase.shrink]
        test = settings(
            max_examples=PER_SEED,
            deadline=None,
            database=None,
            phases=phases,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        )(seed(number)(given(histories(source))(happen)))
        try:
            test()
        except DifferenceError as error:
            failures += 1
            again = f"make soak HISTORIES={PER_SEED} SEED={number}" + (
                f" SOURCE={arguments.source}" if arguments.source else ""
            )
            print(f"\nFailure with seed {number}; again: {again}\n{error}\n", flush=True)  # noqa: T201
        done += PER_SEED
        minutes = (time.monotonic() - began) / 60
        print(  # noqa: T201
            f"{done:,} histories, {refreshes:,} refreshes, {failures} failures, {minutes:.1f} minutes "
            f"(seed {number}: {source})",
            flush=True,
        )
        number += 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
