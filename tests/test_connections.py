"""``[[connections]]``: what may stand there, whose settings a connection has, and what a name means."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.config.settings import Settings, SettingsError

GHES = """
[[connections]]
name = "ghes"
source = "github"
url = "https://git.acme.example/api/v3/"
token_env = "GHES_TOKEN"
repositories = ["acme/web", "globex/*", "!globex/old"]
"""

LINEAR = """
[[connections]]
name = "second"
source = "linear"
url = "https://linear.acme.example/graphql"
token_env = "SECOND_LINEAR_KEY"
"""


@pytest.fixture
def settings(config: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Settings]:
    """Load these connections beside a GitHub of which ``acme/*`` is read."""
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_of_the_first_one")
    monkeypatch.setenv("GITHUB_REPOSITORIES", "acme/*,initech/core")
    monkeypatch.setenv("GHES_TOKEN", "ghp_of_the_second_one")
    monkeypatch.setenv("SECOND_LINEAR_KEY", "lin_api_of_the_second")

    def load(text: str) -> Settings:
        config(text)
        return load_settings()

    return load


def test_each_connection_has_settings_of_its_own(settings: Callable[[str], Settings]) -> None:
    own, ghes = settings(GHES + LINEAR).connected("github")
    assert (own.connection, own.github_api_url) == ("", "https://api.github.com")
    assert (ghes.connection, ghes.github_api_url) == ("ghes", "https://git.acme.example/api/v3")
    assert [token.get_secret_value() for token in ghes.github_tokens] == ["ghp_of_the_second_one"]
    assert ghes.github_repositories == ("acme/web", "globex/*", "!globex/old")
    assert ghes.timezone == own.timezone
    _, second = own.connected("linear")
    assert second.linear_api_key is not None
    assert second.linear_api_key.get_secret_value() == "lin_api_of_the_second"
    assert own.linear_api_key is None
    assert own.repository_entries == (
        *("acme/*", "initech/core"),
        *("ghes:acme/web", "ghes:globex/*", "!ghes:globex/old"),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GHES.replace('"ghes"', '"github"'), "choose another name"),
        (GHES.replace('"ghes"', '"GHES"'), "must be lower-case letters"),
        (GHES.replace('"ghes"', '"a:b"'), "must be lower-case letters"),
        (GHES + GHES, "[[connections]] ghes: two connections have this name"),
        (GHES.replace("https://git", "git"), "[[connections]] ghes: url: 'git.acme.example/api/v3/' is no address"),
        (GHES.replace("https://git", "http://git"), "[[connections]] ghes: url begins with http://"),
        (GHES.replace('token_env = "GHES_TOKEN"', 'token = "ghp_in_the_open"'), "write no secret here"),
        (GHES.replace('"GHES_TOKEN"', '"ghp-in the-open"'), "name the variable that holds the secret"),
        (GHES.replace('"github"', '"gitea"'), "source"),
        (GHES.replace('repositories = ["acme/web", "globex/*", "!globex/old"]', ""), "name what is to be read"),
        (
            GHES.replace('"acme/web", "globex/*"', '"acme/web", "*/*"'),
            "ghes: repositories: an owner cannot be a pattern",
        ),
        (GHES.replace('"globex/*", ', ""), "!globex/old leaves out nothing; it goes with globex/*"),
        (LINEAR + 'repositories = ["acme/web"]', "only a code host has them"),
        (GHES + "color = 1", "unknown key"),
        (GHES + '[[services]]\nname = "a"\nrepository = "acme/web"', "write github:acme/web or ghes:acme/web"),
        (GHES + '[[repositories]]\nname = "acme/web"', "write github:acme/web or ghes:acme/web"),
        (GHES + '[[teams]]\nname = "T"\nrepositories = ["nope:acme/web"]', "there is no connection 'nope'"),
    ],
)
def test_what_is_wrong_is_said(text: str, message: str, settings: Callable[[str], Settings]) -> None:
    with pytest.raises(SettingsError) as error:
        settings(text)
    assert message in str(error.value)
    assert "ghp_in_the_open" not in str(error.value)
    assert "\n" not in str(error.value)


def test_a_name_means_one_connections_repository(settings: Callable[[str], Settings]) -> None:
    made = settings(
        GHES
        + """
[[services]]
name = "api"
repository = "ghes:acme/web"
[[services]]
name = "core"
repository = "initech/core"
[[services]]
name = "shop"
repository = "globex/shop"
"""
    )
    own, ghes = made.connected("github")
    assert [service.name for service in ghes.services_of("acme/Web")] == ["api"]
    assert own.services_of("acme/web") == []
    assert [service.name for service in own.services_of("initech/core")] == ["core"]
    # the connection may be left out where the name is unique
    assert [service.name for service in ghes.services_of("globex/shop")] == ["shop"]


def test_what_is_asked_for_goes_to_whom_it_means(settings: Callable[[str], Settings]) -> None:
    own, ghes = settings(GHES + LINEAR).connected("github")
    asked = ("acme/web", "ghes:acme/web", "globex/shop", "github:initech/core")
    own.require_repositories(asked, ())
    assert own.scopes_asked("github", asked) == ("acme/web", "initech/core")
    assert ghes.scopes_asked("github", asked) == ("acme/web", "acme/web", "globex/shop")
    _, second = own.connected("linear")
    assert own.scopes_asked("linear", ("ENG", "second:OPS")) == ("ENG",)
    assert second.scopes_asked("linear", ("ENG", "second:OPS")) == ("OPS",)


@pytest.mark.parametrize(
    ("name", "only", "message"),
    [
        ("nope:acme/web", (), "there is no connection 'nope', only github or ghes"),
        ("ghes:acme/api", (), "is not among the repositories of [[connections]] ghes"),
        ("globex/old", (), "leaves it out"),
        ("ENG", ("linear",), "write linear:ENG or second:ENG"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(
    name: str, only: tuple[str, ...], message: str, settings: Callable[[str], Settings]
) -> None:
    with pytest.raises(SettingsError) as error:
        settings(GHES + LINEAR).require_repositories([name], only)
    assert message in str(error.value)


def test_a_secret_that_is_not_set_is_named(
    settings: Callable[[str], Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GHES_TOKEN")
    with pytest.raises(SettingsError, match="GHES_TOKEN is not set"):
        settings(GHES).require_sources(())


def test_one_connection_is_enough(settings: Callable[[str], Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    monkeypatch.delenv("GITHUB_REPOSITORIES")
    settings(GHES).require_sources(())
