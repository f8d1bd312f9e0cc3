"""Makes every trial and prints the table; also as Markdown. See ``make faults``; ``--day`` is a day of refreshes."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.faults.day import day
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


def show_day(console: Console) -> int:
    """Print each hour as it ends."""
    with tempfile.TemporaryDirectory(prefix="veelocity-day-") as folder:
        console.print("hour · trouble · exit · requests · published · said")
        try:
            for each in day(Ground(Path(folder))):
                exit_ = f"killed ({-each.status})" if each.status < 0 else str(each.status)
                published = "new" if each.is_published else "as before"
                row = (f"{each.hour:02}", each.trouble, exit_, str(each.requests), published, each.said)
                console.print(" · ".join(row), markup=False, highlight=False)
        except AssertionError as difference:
            console.print(f"At the end: {difference}", markup=False, highlight=False)
            return 1
    console.print("At the end all raw rows and all marts are those of one fresh refresh.")
    return 0


def main() -> int:
    """Exit status: 1 where any trial did not end as an undisturbed refresh does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--match", default="", help="only trials whose name holds this")
    parser.add_argument("--rates", default=",".join(map(str, RATES)), help="shares of requests that are spoilt")
    parser.add_argument("--markdown", type=Path, help="write the table to this file")
    parser.add_argument("--day", action="store_true", help="only a day of hourly refreshes, each fourth disturbed")
    arguments = parser.parse_args()
    console = Console(soft_wrap=True)
    if arguments.day:
        return show_day(console)
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
