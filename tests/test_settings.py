"""Settings: where they come from, which wins, and what a mistake says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from veelocity_pipeline.config.load import exposed_secrets, load_settings
from veelocity_pipeline.config.patterns import contains_regex, glob_regex
from veelocity_pipeline.config.settings import Settings, SettingsError

Config = Callable[[str], None]


def test_nothing_needs_to_be_set() -> None:
    settings = load_settings()
    assert settings.github_tokens == ()
    assert settings.timezone == "UTC"
    assert settings.deployments.workflow_patterns == ("deploy", "release", "publish")


def test_the_environment_wins_over_the_file(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    config('timezone = "Europe/Vienna"\nstart_date = 2025-01-01\n[deployments]\nworkflow_patterns = ["ship"]\n')
    monkeypatch.setenv("VEELOCITY_TIMEZONE", "Asia/Tokyo")
    monkeypatch.setenv("DEPLOYMENT_PATTERNS", "go-live, /^cd$/")
    settings = load_settings()
    assert settings.timezone == "Asia/Tokyo"
    assert settings.start_date is not None
    assert settings.start_date.year == 2025
    assert settings.rules_for("acme/web")[0].workflow_patterns == ("go-live", "/^cd$/")


def test_a_variable_set_to_nothing_is_not_set(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    config('timezone = "Europe/Vienna"')
    monkeypatch.setenv("VEELOCITY_TIMEZONE", "")
    monkeypatch.setenv("LINEAR_API_KEY", "")
    assert load_settings().timezone == "Europe/Vienna"
    assert load_settings().linear_api_key is None


def test_an_env_file_is_read_and_may_hold_other_peoples_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.env"
    file.write_text("GITHUB_TOKEN=one, two\nGITHUB_REPOSITORIES=acme/web,acme/*\nEDITOR=vi\n")
    monkeypatch.setenv("VEELOCITY_ENV_FILE", str(file))
    settings = load_settings()
    assert [token.get_secret_value() for token in settings.github_tokens] == ["one", "two"]
    assert settings.github_repositories == ("acme/web", "acme/*")


def test_the_names_of_the_ui(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().ui_hosts == ()
    config('ui_hosts = ["ui.example.com"]')
    assert load_settings().ui_hosts == ("ui.example.com",)
    monkeypatch.setenv("VEELOCITY_UI_HOSTS", "UI.example.com:8443, 10.0.0.5,[fd00::1]:3000")
    assert load_settings().ui_hosts == ("UI.example.com:8443", "10.0.0.5", "[fd00::1]:3000")
    for wrong in ("*", "*.example.com", "https://ui.example.com", "ui.example.com/", "ui example", "a@b", ":3000"):
        monkeypatch.setenv("VEELOCITY_UI_HOSTS", f"ui.example.com,{wrong}")
        with pytest.raises(SettingsError, match=r"VEELOCITY_UI_HOSTS: .* is not a host; write ui\.example\.com"):
            load_settings()
    monkeypatch.delenv("VEELOCITY_UI_HOSTS")
    monkeypatch.setenv("VEELOCITY_UI_URL", "https://user:secret@ui.example.com")
    with pytest.raises(SettingsError, match="VEELOCITY_UI_URL names no plain host") as refused:
        load_settings()
    assert "secret" not in str(refused.value)


def test_a_token_never_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_secret")
    monkeypatch.setenv("LINEAR_API_KEY", "lin_secret")
    assert "secret" not in repr(load_settings())
    assert "_secret" not in str(load_settings().model_dump())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("colour = 1", "unknown key 'colour'"),
        ("[deployments]\nsorce = 'auto'", "deployments.sorce: unknown key"),
        ("[deployments\n", "not valid TOML"),
        ("[deployments]\nsource = 'magic'", "deployments.source"),
        ("[[repositories]]\nname = 'acme/shop'\ndeployments.colour = 1", "acme/shop: colour: unknown key"),
        ("timezone = 'Mars/Olympus'", "VEELOCITY_TIMEZONE: 'Mars/Olympus'"),
        ("[deployments]\nworkflow_patterns = ['/(a/']", "/(a/ is not a regular expression"),
        ("[deployments]\nworkflow_patterns = ['/a(?=b)/']", "look-around"),
        ("[[teams]]\nname = 'A'\nservices = ['nope']", "no [[services]] entry named 'nope'"),
        ("incremental_cron = 'hourly'", "VEELOCITY_INCREMENTAL_CRON"),
        ("[failures]\nincident_window_hours = -1", "failures.incident_window_hours"),
        ("github_repositories = ['acme']", "write it as owner/name"),
        ("github_repositories = ['acme/*', '!acme']", "write it as owner/name"),
        ("github_repositories = ['acme/*', '!acme/*']", "!acme/* is a pattern"),
        ("github_repositories = ['acme/*', '!acme/old-*']", "leave out one repository by its name"),
        ("github_repositories = ['acme/*', 'acme/Web', '!ACME/web']", "ACME/web is both named and left out"),
        ("github_repositories = ['globex/*', '!acme/web']", "!acme/web leaves out nothing; it goes with acme/*"),
    ],
)
def test_a_mistake_in_the_file_is_named_in_one_line(config: Config, text: str, says: str) -> None:
    config(text)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_of_an_owners_repositories_can_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORIES", "acme/*, !Acme/Old, globex/web")
    settings = load_settings()
    assert settings.wanted_repositories == ("acme/*", "globex/web")
    assert [settings.is_excluded(name) for name in ("acme/old", "ACME/OLD", "acme/older", "globex/web")] == [
        True,
        True,
        False,
        False,
    ]


def test_a_config_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VEELOCITY_CONFIG", str(tmp_path / "gone.toml"))
    with pytest.raises(SettingsError, match=r"VEELOCITY_CONFIG: there is no file .*gone\.toml"):
        load_settings()


def test_a_repository_keeps_the_rules_it_does_not_change(config: Config) -> None:
    config(
        "[deployments]\ncount_redeploys = true\n[[repositories]]\nname = 'acme/shop'\ndeployments.source = 'releases'"
    )
    shop, _ = load_settings().rules_for("Acme/Shop")
    other, _ = load_settings().rules_for("acme/web")
    assert (shop.source, shop.count_redeploys) == ("releases", True)
    assert (other.source, other.count_redeploys) == ("auto", True)


def test_a_repository_may_deploy_by_tags(config: Config) -> None:
    config("[[repositories]]\nname = 'acme/lib'\ndeployments = {source = 'tags', tag_patterns = ['release-*']}")
    lib, _ = load_settings().rules_for("acme/lib")
    other, _ = load_settings().rules_for("acme/web")
    assert (lib.source, lib.tag_patterns) == ("tags", ("release-*",))
    assert (other.source, other.tag_patterns) == ("auto", ("v*",))


@pytest.mark.parametrize(
    ("root", "graphql"),
    [
        ("https://api.github.com", "https://api.github.com/graphql"),
        ("https://api.github.com/", "https://api.github.com/graphql"),
        ("https://git.example.com/api/v3", "https://git.example.com/api/graphql"),
        ("http://127.0.0.1:9/github", "http://127.0.0.1:9/github/graphql"),
    ],
)
def test_where_graphql_is(monkeypatch: pytest.MonkeyPatch, root: str, graphql: str) -> None:
    monkeypatch.setenv("GITHUB_API_URL", root)
    assert load_settings().github_graphql_url == graphql


@pytest.mark.parametrize(
    ("name", "path", "deploys"),
    [
        ("Deploy to production", ".github/workflows/cd.yml", True),
        ("CD", ".github/workflows/deploy.yml", True),
        ("CD", ".github/workflows/cd.yml", False),
        ("Deploy preview", ".github/workflows/preview.yml", False),
        ("Release notes", ".github/workflows/notes.yml", False),
        (None, ".github/workflows/publish.yml", True),
        (None, None, False),
    ],
)
def test_which_workflows_deploy(name: str | None, path: str | None, deploys: bool) -> None:
    assert load_settings().deploys("acme/web", name, path) is deploys


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("prod*", "prod-eu", True),
        ("prod*", "nonprod", False),
        ("live", "Live", True),
        ("hotfix/*", "hotfix/a/b", True),
        ("sev*", "SEV-1", True),
        ("v1.2*", "v1x2", False),
        ("/^(eu|us)-prod$/", "eu-prod", True),
    ],
)
def test_patterns_mean_the_same_to_python_and_to_duckdb(pattern: str, text: str, matches: bool) -> None:
    regex = glob_regex(pattern)
    assert bool(re.search(regex, text, re.IGNORECASE)) is matches
    assert duckdb.execute("select regexp_matches(?, ?, 'i')", [text, regex]).fetchone() == (matches,)


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("services/checkout/**", "services/checkout/a/b.py", True),
        ("services/checkout/**", "services/checkout2/a.py", False),
        ("services/*/x.py", "services/a/b/x.py", False),
        ("**/Dockerfile", "Dockerfile", True),
        ("**/Dockerfile", "a/b/Dockerfile", True),
    ],
)
def test_paths_know_folders(pattern: str, path: str, matches: bool) -> None:
    regex = glob_regex(pattern, is_path=True)
    assert bool(re.search(regex, path)) is matches
    assert duckdb.execute("select regexp_matches(?, ?)", [path, regex]).fetchone() == (matches,)


def test_a_plain_pattern_is_taken_literally() -> None:
    regex = contains_regex("deploy (v1.0) a+b")
    assert duckdb.execute("select regexp_matches('x deploy (v1.0) a+b', ?, 'i')", [regex]).fetchone() == (True,)
    assert duckdb.execute("select regexp_matches('deploy (v1x0) a+b', ?, 'i')", [regex]).fetchone() == (False,)


def test_what_a_refresh_cannot_do_without(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="GITHUB_TOKEN is not set"):
        load_settings().require_sources(())
    monkeypatch.setenv("GITHUB_TOKEN", "t")
    with pytest.raises(SettingsError, match="GITHUB_REPOSITORIES is not set"):
        load_settings().require_sources(())
    with pytest.raises(SettingsError, match="LINEAR_API_KEY is not set"):
        load_settings().require_sources(("linear",))
    monkeypatch.setenv("GITHUB_REPOSITORIES", "acme/web")
    load_settings().require_sources(())


KEY = "-----BEGIN RSA PRIVATE KEY-----\nbm90IGEga2V5\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize("text", [KEY, KEY.replace("\n", "\\n"), f"\n{KEY}\n"])
def test_an_apps_key_may_be_on_one_line(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("GITHUB_APP_ID", "12")
    monkeypatch.setenv("GITHUB_APP_PRIVATE_KEY", text)
    monkeypatch.setenv("GITHUB_REPOSITORIES", "acme/web")
    settings = load_settings()
    settings.require_sources(())
    key = settings.app_private_key()
    assert key is not None
    assert key.get_secret_value() == KEY + "\n"
    assert "bm90" not in repr(settings)


def test_an_apps_key_may_be_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "app.pem").write_text(KEY)
    monkeypatch.setenv("GITHUB_APP_ID", "12")
    monkeypatch.setenv("GITHUB_APP_PRIVATE_KEY_FILE", "app.pem")
    key = load_settings(tmp_path).app_private_key()
    assert key is not None
    assert key.get_secret_value() == KEY + "\n"


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"GITHUB_APP_ID": "12"}, "GITHUB_APP_ID is set, but no key"),
        ({"GITHUB_APP_PRIVATE_KEY": KEY}, "not GITHUB_APP_ID"),
        (
            {"GITHUB_APP_ID": "12", "GITHUB_APP_PRIVATE_KEY": KEY, "GITHUB_APP_PRIVATE_KEY_FILE": "x"},
            "both set",
        ),
        ({"GITHUB_APP_ID": "12", "GITHUB_APP_PRIVATE_KEY": "s3cret"}, "GITHUB_APP_PRIVATE_KEY is not a private key"),
        (
            {"GITHUB_APP_ID": "12", "GITHUB_APP_PRIVATE_KEY_FILE": "/nowhere/app.pem"},
            "/nowhere/app.pem cannot be read: No such file",
        ),
    ],
)
def test_what_is_missing_of_an_app_is_said(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], says: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GITHUB_REPOSITORIES", "acme/web")
    with pytest.raises(SettingsError, match=says) as caught:
        load_settings().require_sources(())
    assert "s3cret" not in str(caught.value)
    assert "bm90" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["postgres://a:s3cret@b/c", "mysql://a:s3cret@b/c", "postgresql://a:s3cret@b:x/c", "no"]
)
def test_an_address_that_is_not_postgres_is_refused_and_not_repeated(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", url)
    with pytest.raises(SettingsError, match="DAGSTER_POSTGRES_URL is no address") as raised:
        load_settings()
    assert "s3cret" not in str(raised.value)


def test_what_runs_by_itself_is_set_in_the_file_or_the_environment(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings()
    minutes = {name: getattr(settings, name) for name in Settings.model_fields if name.endswith("_sensor_minutes")}
    assert minutes.pop("upstream_sensor_minutes") == 10
    assert set(minutes.values()) == {1}
    config("\n".join(f"{name} = 0" for name in (*minutes, "upstream_sensor_minutes")) + "\nstale_after = 7")
    monkeypatch.setenv("VEELOCITY_UPSTREAM_SENSOR_MINUTES", "30")
    settings = load_settings()
    assert (settings.alerts_sensor_minutes, settings.upstream_sensor_minutes, settings.stale_after) == (0, 30, 7)


def test_the_alerts_address_is_a_secret(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEELOCITY_ALERT_URL", "https://hooks.slack.com/services/T0SECRET")
    assert "T0SECRET" not in repr(load_settings())
    monkeypatch.setenv("VEELOCITY_ALERT_URL", "T0SECRET")
    with pytest.raises(SettingsError, match="VEELOCITY_ALERT_URL: what is set is no address") as caught:
        load_settings()
    assert "T0SECRET" not in str(caught.value)
    monkeypatch.delenv("VEELOCITY_ALERT_URL")
    config("alert_url = 'https://hooks.slack.com/services/x'")  # secrets stand in the environment alone
    with pytest.raises(SettingsError, match="unknown key 'alert_url'"):
        load_settings()


@pytest.mark.parametrize("name", ["GITHUB_API_URL", "LINEAR_API_URL", "VEELOCITY_ALERT_URL"])
@pytest.mark.parametrize(
    ("url", "is_fine"),
    [
        ("https://git.example.com/api/v3", True),
        ("http://127.0.0.1:8765/github", True),
        ("http://127.9.9.9/", True),
        ("http://[::1]:8080", True),
        ("http://localhost:8765", True),
        ("http://LOCALHOST", True),
        ("http://api.localhost", True),
        ("http://git.example.com/api/v3", False),
        ("http://10.0.0.1", False),
        ("http://localhost.example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://127.0.0.1@example.com", False),
        ("http://localhost:80@example.com", False),
        ("http://0.0.0.0", False),
        ("http://[::ffff:10.0.0.1]", False),
    ],
)
def test_what_is_not_encrypted_stays_on_this_machine(
    name: str, url: str, is_fine: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, url)
    if not is_fine:
        with pytest.raises(SettingsError, match=rf"^{name} begins with http://.*VEELOCITY_ALLOW_HTTP=1") as caught:
            load_settings()
        assert "\n" not in str(caught.value)
        assert url not in str(caught.value)
        monkeypatch.setenv("VEELOCITY_ALLOW_HTTP", "1")
    load_settings()


@pytest.mark.parametrize("url", ["http://", "http://[x", "HTTP://a", "ftp://a", "api.github.com", "https:///x"])
def test_an_address_that_is_none_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_API_URL", url)
    with pytest.raises(SettingsError, match=r"GITHUB_API_URL: .* is no address"):
        load_settings()


def test_the_interfaces_own_address_is_only_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEELOCITY_UI_URL", "http://veelocity.internal")
    load_settings()


@pytest.mark.parametrize(("mode", "is_exposed"), [(0o600, False), (0o400, False), (0o640, True), (0o644, True)])
def test_secrets_that_others_may_read_are_found(
    mode: int, is_exposed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VEELOCITY_ENV_FILE")
    assert exposed_secrets(load_settings(tmp_path), tmp_path) == []
    (tmp_path / ".env").write_text("GITHUB_TOKEN=t\n")
    (tmp_path / ".env").chmod(mode)
    assert exposed_secrets(load_settings(tmp_path), tmp_path) == ([tmp_path / ".env"] if is_exposed else [])


def test_a_key_that_others_may_read_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = tmp_path / "app.pem"
    key.write_text(KEY)
    monkeypatch.setenv("GITHUB_APP_ID", "12")
    monkeypatch.setenv("GITHUB_APP_PRIVATE_KEY_FILE", str(key))
    for mode, found in ((0o600, []), (0o440, []), (0o644, [key])):
        key.chmod(mode)
        assert exposed_secrets(load_settings(tmp_path), tmp_path) == found


def test_a_repository_that_is_not_configured_is_named_with_those_that_are_like_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORIES", "acme/web, acme/*, !acme/old, globex/shop")
    settings = load_settings()
    for name in ("acme/web", "ACME/Web", "acme/whatever", "acme/*", "globex/shop"):
        settings.require_repositories([name], ())
    settings.require_repositories(["ENG"], ("linear",))
    for names, only, says in (
        (["globex/shp"], (), r"^--repository globex/shp is not among .*; did you mean globex/shop\?$"),
        (
            ["globex/shop", "initech/x"],
            (),
            "^--repository initech/x is not among GITHUB_REPOSITORIES: add it there first$",
        ),
        (["Acme/Old"], (), "^--repository Acme/Old: !Acme/Old in GITHUB_REPOSITORIES leaves it out"),
        (["ENG"], (), "write it as owner/name"),
        (["acme/web"], ("linear",), "Linear has no repositories"),
    ):
        with pytest.raises(SettingsError, match=says) as caught:
            settings.require_repositories(names, only)
        assert "\n" not in str(caught.value)
    with pytest.raises(SettingsError, match="did you mean globex/Warehouse"):
        settings.require_repositories(["globex/werehouse"], (), ["globex/Warehouse", "*", "ENG"])
