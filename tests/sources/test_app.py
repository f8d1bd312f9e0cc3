"""Reading as a GitHub App: which token reads what, when it is made anew, and what is said when it cannot be."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jwt
import pytest
from pydantic import SecretStr

from veelocity_pipeline.config.settings import Settings
from veelocity_pipeline.simulator import Fault, SimulatedApp, SimulatedInstallation, Simulator
from veelocity_pipeline.simulator.organization.code_host import Account
from veelocity_pipeline.sources import github, github_actions
from veelocity_pipeline.sources.github import github_client
from veelocity_pipeline.sources.github.app import AppAccounts
from veelocity_pipeline.sources.github.connector import GitHubConnector
from veelocity_pipeline.sources.github.provider import GITHUB
from veelocity_pipeline.sources.kit.connector import RefreshRequest, ScopeFailure
from veelocity_pipeline.sources.kit.http.client import Client
from veelocity_pipeline.sources.kit.http.errors import AuthenticationError, PermissionDeniedError, SourceError

from .conftest import RawWarehouse

NewWarehouse = Callable[[str], RawWarehouse]


@pytest.fixture(scope="module")
def app() -> SimulatedApp:
    """One App: making its key takes a while."""
    return SimulatedApp()


@pytest.fixture
def simulator(app: SimulatedApp) -> Iterator[Simulator]:
    app.installations = [SimulatedInstallation(7_001, "acme")]
    app.issued.clear()
    with Simulator(size="small") as simulator:
        simulator.github.app = app
        yield simulator


def configured(simulator: Simulator, settings: Callable[..., Settings], **fields: Any) -> Settings:
    """Settings of the App alone, unless told otherwise."""
    assert simulator.github.app is not None
    names = simulator.environment()["GITHUB_REPOSITORIES"].split(",")
    return settings(
        **{
            "github_api_url": simulator.github_url,
            "github_tokens": (),
            "github_app_id": simulator.github.app.id,
            "github_app_private_key": simulator.github.app.private_key,
            "github_repositories": names,
            **fields,
        }
    )


def moved(simulator: Simulator, to: str) -> str:
    """Give the second repository to another owner; the name that it has then."""
    repository = simulator.organization.repositories[1]
    owner = Account(**{name: getattr(repository.owner, name) for name in repository.owner.__slots__})
    owner.login, owner.id = to, f"O_{to}"
    repository.owner = owner
    return repository.full_name


def tokens_made(simulator: Simulator) -> int:
    return sum(entry.path.endswith("/access_tokens") and entry.status == 201 for entry in simulator.log)


def test_everything_is_read_with_the_installations_token(
    simulator: Simulator, settings: Callable[..., Settings], new_warehouse: NewWarehouse
) -> None:
    chosen = configured(simulator, settings)
    with_app, with_token = new_warehouse("app"), new_warehouse("token")
    for entry in (github.ENTRY, github_actions.ENTRY):
        outcomes = with_app.refresh(entry, chosen)
        assert [outcome.error for outcome in outcomes if outcome.error] == []
    # the two sources of a run share what they found out, and the token
    assert tokens_made(simulator) == 1
    assert sum(entry.path.startswith("/app/installations?") and entry.status == 200 for entry in simulator.log) == 1
    token = simulator.environment()["GITHUB_TOKEN"]
    plain = settings(
        github_api_url=simulator.github_url,
        github_tokens=(token,),
        github_repositories=chosen.github_repositories,
    )
    for entry in (github.ENTRY, github_actions.ENTRY):
        with_token.refresh(entry, plain)
        expected = with_token.everything(entry)
        found = with_app.everything(entry)
        for table, rows in expected.items():
            if table.startswith("pull_request_review"):
                continue  # a person's token also sees the review that this person has not sent yet
            assert len(found[table]) == len(rows), table


def test_our_clock_may_be_wrong(simulator: Simulator, settings: Callable[..., Settings]) -> None:
    """The simulator's clock is not the machine's: the first signature is refused, the next is by the server's time."""
    assert abs(simulator.now.timestamp() - time.time()) > 600
    with github_client(configured(simulator, settings)) as client:
        assert client.for_owner("acme").get("/repos/acme/web").json["full_name"] == "acme/web"
    statuses = [entry.status for entry in simulator.log if entry.path.startswith("/app/installations?")]
    assert statuses == [401, 200]


def test_a_signature_is_what_github_asks_for(app: SimulatedApp, settings: Callable[..., Settings]) -> None:
    accounts = AppAccounts(app.id, SecretStr(app.private_key))
    client = Client("https://api.test", "https://api.test/graphql", accounts, provider=GITHUB)
    token = accounts.app.credential.value(client).get_secret_value()
    assert jwt.get_unverified_header(token)["alg"] == "RS256"
    claims = jwt.decode(token, app._key.public_key(), algorithms=["RS256"])
    assert claims["iss"] == app.id
    assert claims["iat"] == pytest.approx(time.time() - 60, abs=5)
    assert time.time() + 300 < claims["exp"] < time.time() + 600


def test_a_token_is_made_anew_before_it_expires(app: SimulatedApp, simulator: Simulator) -> None:
    now = [0.0]
    accounts = AppAccounts(app.id, SecretStr(app.private_key), clock=lambda: now[0])
    client = Client(
        simulator.github_url,
        f"{simulator.github_url}/graphql",
        accounts,
        sleep=lambda seconds: pytest.fail(f"waited {seconds} s"),
        provider=GITHUB,
    )
    reader = client.for_owner("acme")
    reader.get("/repos/acme/web")
    now[0] += 3_600 - 301
    reader.get("/repos/acme/web")
    assert tokens_made(simulator) == 1
    now[0] += 2
    reader.get("/repos/acme/web")
    assert tokens_made(simulator) == 2
    assert 401 not in [entry.status for entry in simulator.log if not entry.path.startswith("/app")]


def test_a_token_that_is_refused_early_is_made_anew(simulator: Simulator, settings: Callable[..., Settings]) -> None:
    client = github_client(configured(simulator, settings)).for_owner("acme")
    first = client.get("/repos/acme/web")
    etag = first.etag
    assert etag.startswith("i7001 ")
    assert client.get("/repos/acme/web", etag=etag).is_unchanged
    simulator.advance(minutes=61)
    again = client.get("/repos/acme/web", etag=etag)
    assert not again.is_unchanged  # another token, another tag: the whole answer, never a 304 of somebody else's
    assert again.json["full_name"] == "acme/web"
    assert tokens_made(simulator) == 2
    simulator.advance(minutes=61)
    assert client.graphql("{ rateLimit { cost } viewer { login } }")["viewer"]["login"].endswith("[bot]")
    assert tokens_made(simulator) == 3


def test_a_token_that_is_refused_again_and_again_is_an_error(
    simulator: Simulator, settings: Callable[..., Settings]
) -> None:
    client = github_client(configured(simulator, settings)).for_owner("acme")
    simulator.faults.append(Fault(kind="unauthorized", match="/repos/acme/web", times=9))
    with pytest.raises(AuthenticationError, match="GITHUB_APP_ID"):
        client.get("/repos/acme/web")
    assert tokens_made(simulator) == 2


def resolved(simulator: Simulator, chosen: Settings) -> dict[str, str | None]:
    """Each repository with its error."""
    found = GitHubConnector(chosen).scopes(RefreshRequest())
    return {item.name: item.error if isinstance(item, ScopeFailure) else None for item in found}


def test_an_owner_without_an_installation_fails_alone(simulator: Simulator, settings: Callable[..., Settings]) -> None:
    other = moved(simulator, "globex")
    chosen = configured(simulator, settings, github_repositories=("acme/web", other, "initech/*"))
    found = resolved(simulator, chosen)
    assert found["acme/web"] is None
    assert found[other] is not None
    assert "not installed at globex (it is at acme)" in str(found[other])
    assert "not installed at initech" in str(found["initech/*"])


def test_a_suspended_installation_fails_alone(simulator: Simulator, settings: Callable[..., Settings]) -> None:
    assert simulator.github.app is not None
    other = moved(simulator, "globex")
    simulator.github.app.installations.append(SimulatedInstallation(7_002, "Globex", suspended_at=simulator.now))
    found = resolved(simulator, configured(simulator, settings, github_repositories=("acme/web", other)))
    assert found["acme/web"] is None
    assert "suspended at globex" in str(found[other])


def test_each_owner_is_read_with_its_own_token(simulator: Simulator, settings: Callable[..., Settings]) -> None:
    assert simulator.github.app is not None
    other = moved(simulator, "globex")
    simulator.github.app.installations.append(SimulatedInstallation(7_002, "globex"))
    chosen = configured(simulator, settings, github_repositories=("acme/web", other))
    assert resolved(simulator, chosen) == {"acme/web": None, other: None}
    assert tokens_made(simulator) == 2
    with github_client(chosen) as client:
        assert client.for_owner("globex").get(f"/repos/{other}").json["full_name"] == other
        with pytest.raises(SourceError):
            client.for_owner("acme").get(f"/repos/{other}")  # not with the other owner's


def test_owners_without_an_installation_are_read_with_the_tokens(
    simulator: Simulator, settings: Callable[..., Settings]
) -> None:
    other = moved(simulator, "globex")
    token = simulator.environment()["GITHUB_TOKEN"]
    chosen = configured(simulator, settings, github_tokens=(token,), github_repositories=("acme/web", other))
    assert resolved(simulator, chosen) == {"acme/web": None, other: None}
    asked = [entry for entry in simulator.log if entry.api == "graphql"]
    assert len(asked) == 2  # one request for both would have been with one token


def test_one_request_asks_for_all_repositories_of_an_installation(
    simulator: Simulator, settings: Callable[..., Settings]
) -> None:
    assert set(resolved(simulator, configured(simulator, settings)).values()) == {None}
    assert len([entry for entry in simulator.log if entry.api == "graphql"]) == 1


def test_many_installations_are_read_page_by_page(simulator: Simulator, settings: Callable[..., Settings]) -> None:
    assert simulator.github.app is not None
    simulator.github.app.installations = [
        *(SimulatedInstallation(number, f"org-{number}") for number in range(1, 230)),
        SimulatedInstallation(7_001, "acme"),
    ]
    assert set(resolved(simulator, configured(simulator, settings)).values()) == {None}


def test_another_apps_key_is_said(simulator: Simulator, settings: Callable[..., Settings]) -> None:
    chosen = configured(simulator, settings, github_app_private_key=SimulatedApp().private_key)
    with pytest.raises(AuthenticationError, match="GITHUB_APP_ID or the private key"):
        GitHubConnector(chosen).scopes(RefreshRequest())


def test_what_is_no_key_is_said(settings: Callable[..., Settings]) -> None:
    text = "-----BEGIN RSA PRIVATE KEY-----\nbm90IGEga2V5\n-----END RSA PRIVATE KEY-----\n"
    with pytest.raises(AuthenticationError, match="GITHUB_APP_PRIVATE_KEY") as caught:
        github_client(settings(github_app_id="1", github_app_private_key=text))
    assert "bm90" not in str(caught.value)


def test_a_missing_permission_fails_by_name_and_at_once(
    simulator: Simulator, settings: Callable[..., Settings], new_warehouse: NewWarehouse
) -> None:
    assert simulator.github.app is not None
    for permission in ("actions", "issues"):
        del simulator.github.app.installations[0].permissions[permission]
    chosen = configured(simulator, settings, github_repositories=("acme/web",))
    (failure,) = {outcome.error for outcome in new_warehouse("home").refresh(github_actions.ENTRY, chosen)}
    assert "Resource not accessible by integration" in str(failure)
    client = github_client(chosen).for_owner("acme")
    with pytest.raises(PermissionDeniedError, match="actions=read"):
        client.get("/repos/acme/web/actions/runs")
    lines = {line.subject: line for line in GitHubConnector(chosen).check()}
    assert lines["GitHub App"].ok
    assert "installed at acme" in lines["GitHub App"].detail
    lacking = lines["GitHub App at acme"]
    assert not lacking.ok
    assert "issues (issues); actions (workflow runs)" in lacking.detail


def test_check_says_who_the_app_is(simulator: Simulator, settings: Callable[..., Settings]) -> None:
    lines = GitHubConnector(configured(simulator, settings)).check()
    assert all(line.ok for line in lines), lines
    assert [line.subject for line in lines[:3]] == ["GitHub", "GitHub App", "GitHub App at acme"]
    assert "veelocity-reads[bot]" in lines[0].detail
    assert "Veelocity reads" in lines[1].detail


def test_the_budget_is_the_installations_and_shared_by_all_clients_of_a_run(
    simulator: Simulator, settings: Callable[..., Settings]
) -> None:
    chosen = configured(simulator, settings)
    one, two = github_client(chosen), github_client(chosen)
    assert one.accounts is two.accounts
    assert github_client(configured(simulator, settings)).accounts is not one.accounts
    one.for_owner("acme").get("/repos/acme/web")
    before = one.remaining
    assert before is not None
    two.for_owner("acme").get("/repos/acme/web")
    assert one.remaining == before - 1


def test_an_answer_that_is_no_token_is_said(simulator: Simulator, settings: Callable[..., Settings]) -> None:
    assert simulator.github.app is not None
    client = github_client(configured(simulator, settings)).for_owner("acme")
    simulator.github.app.installations.clear()  # removed after it was listed
    with pytest.raises(PermissionDeniedError, match="at acme"):
        client.get("/repos/acme/web")


def test_threads_that_need_a_token_at_once_make_one(simulator: Simulator, settings: Callable[..., Settings]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    client = github_client(configured(simulator, settings)).for_owner("acme")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(partial(client.get), ["/repos/acme/web"] * 16))
    assert tokens_made(simulator) == 1
