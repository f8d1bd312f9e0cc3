"""Prints every answer beside the computed one; those that differ are marked, and end with status 1."""

import sys
import tempfile
from pathlib import Path

from tests.golden import as_a_user, build
from tests.golden.answers import as_table

with tempfile.TemporaryDirectory() as folder:
    answers = build(Path(folder) / "home", as_a_user)
shown = [each for each in answers if each.why != "nothing of it happened" or not each.is_right]
right = sum(each.is_right for each in answers)
report = as_table(shown)
report += (
    f"\n\n{right} of {len(answers)} answers are right; {len(answers) - len(shown)} of them say that nothing happened.\n"
)
sys.stdout.write(report)
sys.exit(right != len(answers))
