"""What is started by itself, and why not now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from veelocity_pipeline.config.cron import comes, earliest, longest_gap
from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.operations.decisions import (
    Configuration,
    Run,
    Start,
    Wait,
    first_start,
    resting,
    settings_changed,
)

NOW = datetime(2026, 3, 4, 12, 10, tzinfo=UTC)  # a Wednesday


def run(job: str = "full_refresh", *, ended: int | None = 1, failed: bool = False, succeeded: bool = False) -> Run:
    """A run that ended some minutes ago; None: it goes on."""
    moment = None if ended is None else NOW - timedelta(minutes=ended)
    return Run("0123456789abcdef", job, NOW - timedelta(hours=1), moment, failed=failed, succeeded=succeeded)


def first(published: bool = False, runs: list[Run] | None = None, tries: list[Run] | None = None) -> Start | Wait:
    return first_start(is_published=published, job="full_refresh", runs=runs or [], tries=tries or [], now=NOW)


def test_nothing_published_starts_the_full_refresh() -> None:
    decided = first()
    assert isinstance(decided, Start)
    assert (decided.job, decided.scopes) == ("full_refresh", {})


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"published": True}, "first load is done"),
        ({"runs": [run(ended=None)]}, "full_refresh (run 01234567) is queued or going on"),
        ({"runs": [run("incremental_refresh", ended=None)]}, "incremental_refresh"),
        ({"tries": [run(ended=4, failed=True)]}, "not before 2026-03-04 12:11 UTC"),
        # nothing could be read, which is no failure of the run; it was cancelled
        ({"tries": [run(ended=4, succeeded=True)]}, "not before 2026-03-04 12:11 UTC"),
        ({"tries": [run(ended=4)]}, "not before 2026-03-04 12:11 UTC"),
        ({"tries": [run(ended=15, failed=True)] * 3}, "each of the last 3 tries"),
    ],
)
def test_why_the_first_load_is_not_started(arguments: dict[str, object], says: str) -> None:
    decided = first(**arguments)  # type: ignore[arg-type]
    assert isinstance(decided, Wait)
    assert says in decided.reason


def test_pauses_grow_to_six_hours() -> None:
    def first_moment(tries: int) -> timedelta:
        minutes = 0
        while resting([run(ended=minutes, failed=True)] * tries, NOW):
            minutes += 5
        return timedelta(minutes=minutes)

    assert [first_moment(tries) for tries in (1, 2, 3, 4)] == [timedelta(minutes=m) for m in (5, 10, 20, 40)]
    assert first_moment(50) == timedelta(hours=6)
    assert resting([run(ended=0, succeeded=True), run(failed=True)], NOW) is None
    assert resting([], NOW) is None


# ------------------------------------------------------------------------------------------------ settings

BUILT = Configuration(("acme/web", "acme/api"), "r1")


def changed(built: Configuration | None, *repositories: str, rules: str = "r1") -> Start | Wait:
    return settings_changed(
        built,
        Configuration(repositories, rules),
        increment="incremental_refresh",
        rebuild="rebuild",
        sources=["github", "github_actions"],
    )


def test_an_added_repository_is_read_alone() -> None:
    decided = changed(BUILT, "acme/new", "acme/web", "ACME/api", rules="r2")
    assert decided == Start(
        "incremental_refresh",
        "The settings changed (added: acme/new; rules are others)",
        {"github": ("acme/new",), "github_actions": ("acme/new",)},
    )


def test_other_rules_and_a_removed_repository_need_no_request() -> None:
    assert changed(BUILT, "acme/web", "acme/api", rules="r2") == Start(
        "rebuild", "The settings changed (rules are others)"
    )
    assert changed(BUILT, "acme/web") == Start("rebuild", "The settings changed (removed: acme/api)")


@pytest.mark.parametrize(
    ("built", "present", "added", "removed"),
    [
        ("acme/*", "acme/* !acme/old", "", "acme/old"),
        ("acme/* !Acme/old", "acme/* !acme/OLD", None, None),
        ("acme/* !acme/old", "acme/*", "acme/old", ""),
        # named instead of left out, and the other way round: said once
        ("acme/* !acme/old", "acme/* acme/old", "acme/old", ""),
        ("acme/* acme/old", "acme/* !acme/old", "", "acme/old"),
        # its owner's went too, or came: nothing of it comes back by itself
        ("acme/* !acme/old", "acme/web", "acme/web", "acme/*"),
        ("acme/web", "acme/* !acme/old", "acme/*", "acme/web, acme/old"),
    ],
)
def test_a_repository_that_is_left_out_is_removed_and_taken_back_is_added(
    built: str, present: str, added: str | None, removed: str | None
) -> None:
    decided = changed(Configuration(tuple(built.split()), "r1"), *present.split())
    if added is None:
        assert isinstance(decided, Wait)
        return
    said = "; ".join(f"{word}: {names}" for word, names in (("added", added), ("removed", removed)) if names)
    assert isinstance(decided, Start)
    assert decided.reason == f"The settings changed ({said})"
    assert decided.job == ("incremental_refresh" if added else "rebuild")
    assert decided.scopes == (dict.fromkeys(("github", "github_actions"), (added,)) if added else {})


def test_the_same_settings_start_nothing() -> None:
    assert isinstance(changed(BUILT, "acme/api", "Acme/Web"), Wait)  # neither order nor case is a change
    assert isinstance(changed(None, "acme/web"), Wait)


def test_a_configuration_is_told_by_what_reaches_the_models(
    config: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORIES", "acme/web,acme/api")
    before = Configuration.of(load_settings())
    assert before == Configuration.of(load_settings())
    assert Configuration.from_json(before.to_json()) == before
    monkeypatch.setenv("VEELOCITY_FULL_CRON", "0 5 * * 0")  # changes no number
    assert Configuration.of(load_settings()) == before
    monkeypatch.setenv("GITHUB_REPOSITORIES", "acme/web")
    assert Configuration.of(load_settings()) == Configuration(("acme/web",), before.rules)
    for rules in ("[deployments]\ncount_redeploys = true\n", 'timezone = "Asia/Tokyo"\n', '[people]\nbots = ["x"]\n'):
        config(rules)
        assert Configuration.of(load_settings()).rules != before.rules


# ------------------------------------------------------------------------------------------------- cadence


def test_what_missed_three_ticks_and_the_present_one() -> None:
    assert earliest("0 * * * *", 3, NOW) == datetime(2026, 3, 4, 9, tzinfo=UTC)
    # over a weekend nothing is missed
    assert earliest("0 9 * * 1-5", 3, NOW) == datetime(2026, 2, 27, 9, tzinfo=UTC)


def test_the_longest_gap_of_a_schedule() -> None:
    assert longest_gap("0 * * * *") == timedelta(hours=1)
    assert longest_gap("0 3 * * 0") == timedelta(days=7)
    assert longest_gap("*/5 8-18 * * 1-5") == timedelta(days=2, hours=13, minutes=5)


def test_a_cron_line_must_come_some_day() -> None:
    assert comes("0 3 * * SUN")
    for line in ("", "hourly", "0 25 * * *", "* * * *", "0 0 31 2 *", "0 * * * * *"):
        assert not comes(line), line
