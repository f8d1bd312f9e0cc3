"""Makes every trial and prints the table; also as Markdown. See ``make faults``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.faults.trials import RATES, Ground, Result, trials

COLUMNS = (
    "fault",
    "where",
    "exit",
    "spoilt",
    "requests",
    "next",
    "waited",
    "right at once",
    "raw rows",
    "marts",
    "said",
)


def cells(result: Result) -> tuple[str, ...]:
    """A row of the table."""
    trial = result.trial
    return (
        trial.what,
        trial.detail,
        f"killed ({-result.status})" if result.status < 0 else str(result.status),
        f"{result.spoilt:,}" if trial.fault else "",
        f"{result.requests:+,}",
        f"{result.next_requests:,}",
        f"{result.waited:,.0f} s",
        "yes" if result.at_once else "no",
        "equal" if result.raw else "DIFFER",
        "equal" if result.marts else "DIFFER",
        result.differs or (result.said if result.status > 0 else ""),
    )


def main() -> int:
    """Exit status: 1 where any trial did not end as an undisturbed refresh does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--match", default="", help="only trials whose name holds this")
    parser.add_argument("--rates", default=",".join(map(str, RATES)), help="shares of requests that are spoilt")
    parser.add_argument("--markdown", type=Path, help="write the table to this file")
    arguments = parser.parse_args()
    console = Console(soft_wrap=True)
    rates = tuple(map(float, arguments.rates.split(",")))
    chosen = [each for each in trials(rates) if arguments.match in f"{each.what} {each.detail}"]
    results: list[Result] = []
    lines = [f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
    with tempfile.TemporaryDirectory(prefix="veelocity-faults-") as folder:
        ground = Ground(Path(folder))
        for trial in chosen:
            result = ground.run(trial)
            results.append(result)
            row = cells(result)
            console.print(f"{len(results)}/{len(chosen)}", " · ".join(row), markup=False, highlight=False)
            lines.append("| " + " | ".join(cell.replace("|", "/") for cell in row) + " |")
            if arguments.markdown:
                arguments.markdown.write_text("\n".join(lines) + "\n", encoding="utf-8")
    table = Table(*COLUMNS, box=None, padding=(0, 1, 0, 0))
    for result in results:
        table.add_row(*(cell[:60] for cell in cells(result)))
    Console(width=220).print(table)
    bad = [result for result in results if not (result.raw and result.marts)]
    console.print(f"{len(results) - len(bad)} of {len(results)} end as an undisturbed refresh does.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
