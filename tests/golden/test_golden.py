"""The golden organisation: its story served, refreshed and published, and compared with the hand's answers.

``make golden`` prints the whole table, of a refresh by the command line.
"""

from __future__ import annotations

import collections
from pathlib import Path

import pytest

from tests.golden import build
from tests.golden.answers import Answer, as_table
from tests.golden.story import StoryError, tell
from veelocity_pipeline.simulator import Simulator


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[Answer]:
    """Every answer beside what one refresh has published."""
    return build(tmp_path_factory.mktemp("golden") / "home")


TABLES = (
    "metrics",
    "fct_deployed_changes",
    "fct_deployment_failures",
    "bridge_pull_requests_issues",
    "fct_issues",
    "fct_pull_requests",
    "metric_exclusions",
)


@pytest.mark.parametrize("table", TABLES)
def test_the_product_says_what_the_hand_says(answers: list[Answer], table: str) -> None:
    own = [each for each in answers if each.table == table]
    wrong = [each for each in own if not each.is_right]
    assert own
    assert not wrong, f"{len(wrong)} of {len(own)} answers differ:\n{as_table(wrong)}"


def test_the_answers_are_many_and_each_is_given_once(answers: list[Answer]) -> None:
    assert {each.table for each in answers} == set(TABLES)
    assert sum(bool(each.why) for each in answers) > 900
    twice = [
        key for key, count in collections.Counter((a.table, a.row, a.column) for a in answers).items() if count > 1
    ]
    assert not twice


def test_a_story_is_told_the_same_every_time() -> None:
    path = Path(__file__).with_name("organization.txt")
    assert tell(path).organization == tell(path).organization


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("    10:00  bob pushes a", "KeyError('bob')"),
        ("    10:00  ann merges #1", "StopIteration"),
        ("    10:00  ann opens #1", "not enough values"),
        ("    10:00", "not enough values"),
        ("  2027-01-01\n    10:00  ann pushes a", "after the story's now"),
    ],
)
def test_a_line_that_makes_no_sense_is_named(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "story.txt"
    head = "now 2026-05-06 12:00\npeople\n  ann Ann a@acme.example\nrepository web\n  2026-01-01\n"
    path.write_text(f"{head}{line}\n", "utf-8")
    with pytest.raises(StoryError) as raised:
        tell(path)
    number = head.count("\n") + line.count("\n") + 1
    assert str(raised.value).startswith(f"line {number}: {line.splitlines()[-1].strip()}")
    assert says in str(raised.value)


def test_a_given_organisation_has_no_settings_of_the_simulators_own() -> None:
    organization = tell(Path(__file__).with_name("organization.txt")).organization
    with pytest.raises(ValueError, match="giver"):
        Simulator(organization=organization).configuration()
