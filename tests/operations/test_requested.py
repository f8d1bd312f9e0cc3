"""What a run may be asked to read."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from veelocity_pipeline.config.settings import Settings, SettingsError
from veelocity_pipeline.operations.requested import check_requested

SETTINGS = Settings(
    github_repositories=("acme/web", "globex/*", "!globex/old"),
    start_date=date(2026, 1, 1),
)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("github", ["acme/web"]),
        ("github", ["ACME/Web"]),
        ("github", ["globex/anything", "globex/*"]),
        ("github_actions", ["globex/tools"]),
        ("github", ["acme/renamed"]),
        ("linear", ["ENG", "ops", "acme/web"]),
    ],
)
def test_what_the_settings_name_may_be_read(source: str, names: list[str]) -> None:
    check_requested(SETTINGS, source, {"repositories": names}, known=["acme/Renamed"])
    check_requested(SETTINGS, source, {"full": True, "since": "2026-01-31"})
    check_requested(SETTINGS, source, {})


@pytest.mark.parametrize(
    ("source", "config", "sentence"),
    [
        ("github", {"repositories": ["acme/api"]}, "'acme/api' is not in GITHUB_REPOSITORIES; add it there first"),
        ("github", {"repositories": ["acme/*"]}, "'acme/*' is not in GITHUB_REPOSITORIES"),
        ("github", {"repositories": ["globex/../../user"]}, "is not in GITHUB_REPOSITORIES"),
        ("github", {"repositories": ["web"]}, "'web' is not in GITHUB_REPOSITORIES"),
        ("github", {"repositories": [""]}, "'' is not in GITHUB_REPOSITORIES"),
        ("github", {"repositories": ["globex/old"]}, "leaves 'globex/old' out; remove !globex/old there first"),
        ("github_actions", {"repositories": ["acme/web", "acme/api"]}, "'acme/api' is not in"),
        ("linear", {"repositories": ["initech/web"]}, "'initech/web' is not in"),
        ("linear", {"repositories": ["ENG\n--"]}, r"'ENG\n--' is not the key of a team in Linear; write one like ENG"),
        ("github", {"since": "2026-01-31"}, "since: goes with a full refresh"),
        ("github", {"full": True, "since": "2025-12-31"}, "since: 2025-12-31 is before VEELOCITY_START_DATE"),
        ("github", {"full": True, "since": "../x"}, "since: '../x' is not a day"),
    ],
)
def test_what_they_do_not_name_is_refused_in_one_sentence(source: str, config: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError) as refused:
        check_requested(SETTINGS, source, config)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_refusal_stays_short() -> None:
    with pytest.raises(SettingsError) as refused:
        check_requested(SETTINGS, "github", {"repositories": ["a/" + "b" * 10_000]})
    assert len(str(refused.value)) < 250
