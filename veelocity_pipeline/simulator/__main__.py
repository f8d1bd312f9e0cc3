"""``python -m veelocity_pipeline.simulator``: serve until interrupted."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path

from veelocity_pipeline.simulator import Simulator
from veelocity_pipeline.simulator.organization.plan import PLANS


def main() -> int:
    """Print the settings that point the pipeline here, then serve."""
    parser = argparse.ArgumentParser(prog="veelocity_pipeline.simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=8765, help="port on loopback (default: %(default)s)")
    parser.add_argument("--size", choices=sorted(PLANS), default="demo", help="organisation (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="which organisation of that size (default: %(default)s)")
    parser.add_argument("--config", type=Path, help="write the organisation's veelocity.toml to this file")
    arguments = parser.parse_args()
    try:
        simulator = Simulator(size=arguments.size, seed=arguments.seed, port=arguments.port).bind()
    except OSError as error:
        sys.stderr.write(f"{error}; choose another one with --port\n")
        return 2
    for name, value in simulator.environment().items():
        sys.stdout.write(f"{name}={value}\n")
    if arguments.config:
        arguments.config.write_text(simulator.configuration(), encoding="utf-8")
    sys.stdout.write("\n")  # says to a program that reads this: that was all
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):
        simulator.serve()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
