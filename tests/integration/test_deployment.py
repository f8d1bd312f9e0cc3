"""The files in ``deploy/``, as far as a machine without Docker can tell: what they say, and every command they run."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.conftest import VEELOCITY
from tests.integration.postgres import running_postgres
from veelocity_pipeline.config.settings import CHECKOUT, Settings
from veelocity_pipeline.faces.cli.main import app

DEPLOY = CHECKOUT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SENSORS = ("FIRST_START", "UPSTREAM", "SETTINGS", "DEAD_RUNS", "ALERTS")
PARTS = ("code", "daemon", "webserver")
EXACT = re.compile(r"\d+\.\d+(\.\d+)?-[a-z-]*bookworm(@sha256:[0-9a-f]{64})?")
"""The tag of a base image: a version to its last part, and the system that it is built on."""

# of the Compose specification, what these files use
KNOWN = {
    *("image", "build", "init", "restart", "cap_drop", "security_opt", "logging", "command", "env_file"),
    *("environment", "volumes", "depends_on", "stop_grace_period", "healthcheck", "tmpfs", "ports"),
}
HEALTHCHECK = {"test", "interval", "timeout", "start_period", "retries"}


def test_compose_says_what_it_means() -> None:
    assert {key for key in COMPOSE if not key.startswith("x-")} == {"name", "services", "volumes"}
    services = COMPOSE["services"]
    assert set(services) == {*PARTS, "postgres"}
    for name, service in services.items():
        assert set(service) <= KNOWN, name
        assert set(service.get("healthcheck", {})) <= HEALTHCHECK
        for other, condition in service.get("depends_on", {}).items():
            assert condition == {"condition": "service_healthy"}
            assert "healthcheck" in services[other]
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in COMPOSE["volumes"]
        assert service["image"] == "veelocity" or EXACT.fullmatch(service["image"].partition(":")[2])
        # a registry is a first part with a dot or a port in it
        assert not re.match(r"[^/]*[.:][^/]*/", service["image"])
    assert (DEPLOY / services["code"]["build"]["context"]).resolve() == CHECKOUT
    assert (CHECKOUT / services["code"]["build"]["dockerfile"]).exists()


def test_only_the_code_has_tokens_and_only_this_machine_the_ui() -> None:
    services = COMPOSE["services"]
    assert [name for name, service in services.items() if "env_file" in service] == ["code"]
    assert [service["ports"] for service in services.values() if "ports" in service] == [["127.0.0.1:3000:3000"]]
    # what the webserver is called it is told without them
    told = set(services["webserver"]["environment"]) - set(services["daemon"]["environment"])
    assert told == {"VEELOCITY_UI_URL", "VEELOCITY_UI_HOSTS"}
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    passwords = re.findall(r"(?:veelocity:|POSTGRES_PASSWORD: )(\S+)", text)
    assert len(passwords) >= 2
    assert all(password.startswith("${POSTGRES_PASSWORD:?") for password in passwords)


def test_a_unit_reads_the_tokens_for_the_code_alone() -> None:
    lines = (DEPLOY / "veelocity@.service").read_text(encoding="utf-8").splitlines()
    files = [line.removeprefix("EnvironmentFile=-") for line in lines if line.startswith("EnvironmentFile=")]
    assert files == ["/etc/veelocity.env", "/etc/veelocity.%i.env"]
    assert "ExecStart=/opt/veelocity/.venv/bin/veelocity serve %i" in lines
    page = (CHECKOUT / "docs" / "how-to" / "run-for-a-team.md").read_text(encoding="utf-8")
    assert "sudo install -m 600 .env.example /etc/veelocity.code.env" in page


def test_the_image_is_of_the_lock_file_and_of_no_root() -> None:
    lines = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").splitlines()
    stages = [line.split()[1] for line in lines if line.startswith("FROM")]
    assert stages == ["python:${PYTHON}"] * 2
    [tag] = [line.removeprefix("ARG PYTHON=") for line in lines if line.startswith("ARG PYTHON=")]
    assert EXACT.fullmatch(tag)
    installs = [line for line in lines if "pip install" in line]
    assert all("--require-hashes -r requirements.lock" in line or "--no-index" in line for line in installs)
    assert "USER veelocity" in lines
    assert any(line.startswith("HEALTHCHECK") for line in lines)
    assert not any("://" in line and "127.0.0.1" not in line for line in lines)
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    assert {".env", ".env.*", "data", "veelocity.toml", ".git", ".venv"} <= set(ignored)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait(condition: Callable[[], bool], what: str, log: Path) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.5)
    raise AssertionError(f"{what} did not come about:\n{log.read_text()[-3000:]}")


@contextlib.contextmanager
def started(arguments: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A part, with all that it starts in a group of its own; asked to end, and made to."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [VEELOCITY, *arguments], env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=30)


def listens(port: int) -> bool:
    """Whether somebody listens there: asked first, since each health check is a program that takes seconds to start."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def healthy(name: str, environment: dict[str, str], port: int) -> bool:
    """Ask as compose asks; the port is another."""
    kind, command, *arguments = COMPOSE["services"][name]["healthcheck"]["test"]
    assert kind == "CMD"
    known = [str(port) if argument == "4000" else argument for argument in arguments]
    program = Path(sys.executable).with_name(command)
    return subprocess.run([program, *known], env=environment, capture_output=True, check=False).returncode == 0


@pytest.mark.postgres
def test_the_three_parts_work_together(tmp_path: Path) -> None:
    """Each as compose starts it: the UI shows what the code has, the daemon starts a run, the code executes it."""
    home, code_port, port = tmp_path / "data", free_port(), free_port()
    commands = {name: COMPOSE["services"][name]["command"] for name in PARTS}
    with contextlib.ExitStack() as stack:
        postgres = stack.enter_context(running_postgres())
        environment = {
            **os.environ,
            "DAGSTER_POSTGRES_URL": postgres.url,
            "VEELOCITY_CODE_HOST": "127.0.0.1",
            "VEELOCITY_CODE_PORT": str(code_port),
            "VEELOCITY_HOME": str(home),
            "DAGSTER_HOME": str(home / "dagster"),
        }
        # nothing begins by itself meanwhile
        idle = {f"VEELOCITY_{name}_SENSOR_MINUTES": "0" for name in SENSORS}
        idle |= {f"VEELOCITY_{name}_CRON": "0 0 1 1 *" for name in ("INCREMENTAL", "FULL")}
        # the daemon has nothing of the volume, and only the code knows a token
        tokens = {
            "GITHUB_TOKEN": "ghp_s3cret",
            "GITHUB_REPOSITORIES": "acme/web",
            "GITHUB_API_URL": "http://127.0.0.1:9",
        }
        apart = {"VEELOCITY_HOME": str(tmp_path / "tmpfs"), "DAGSTER_HOME": str(tmp_path / "tmpfs" / "dagster")}
        code_log, daemon_log, web_log = (tmp_path / f"{name}.log" for name in PARTS)
        stack.enter_context(started(commands["code"], {**environment, **tokens, **idle}, code_log))
        wait(lambda: listens(code_port), "a code server", code_log)
        wait(lambda: healthy("code", environment, code_port), "a healthy code server", code_log)
        # (also where one file of variables is given to all)
        daemon = stack.enter_context(started(commands["daemon"], {**environment, **apart, **tokens}, daemon_log))
        serve = [*commands["webserver"], "--port", str(port)]
        webserver = stack.enter_context(started(serve, {**environment, **tokens}, web_log))
        client = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30))

        def ask(query: str, **variables: Any) -> Any:
            answer = client.post("/graphql", json={"query": query, "variables": variables}).json()
            assert "errors" not in answer, answer
            return answer["data"]

        def is_up() -> bool:
            with contextlib.suppress(httpx.TransportError):
                return client.get("/server_info").is_success
            return False

        wait(is_up, "a UI", web_log)
        for process in (daemon, webserver):
            assert b"ghp_s3cret" not in Path(f"/proc/{process.pid}/environ").read_bytes()
        document = {"query": "{ version }"}
        assert client.post("/graphql", json=document, headers={"Host": "evil.test"}).status_code == 421
        assert client.post("/graphql", json=document, headers={"Origin": "http://evil.test"}).status_code == 403
        assert client.post("/graphql?query={version}", content="a=b").status_code == 415
        nodes = ask(
            "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } "
            "schedules { name scheduleState { status } } } } } }"
        )["repositoriesOrError"]["nodes"]
        assert [node["location"]["name"] for node in nodes] == ["veelocity"]
        schedules = {each["name"]: each["scheduleState"]["status"] for each in nodes[0]["schedules"]}
        assert schedules["incremental_refresh_schedule"] == schedules["full_refresh_schedule"] == "RUNNING"

        selector = {"repositoryLocationName": "veelocity", "repositoryName": nodes[0]["name"], "jobName": "rebuild"}
        launched = ask(
            """mutation($selector: JobOrPipelineSelector!) {
                launchRun(executionParams: {selector: $selector, runConfigData: {}}) {
                    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }""",
            selector=selector,
        )["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        run = launched["run"]["runId"]

        def status() -> str:
            question = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
            return str(ask(question, id=run)["runOrError"]["status"])

        wait(lambda: status() in ("SUCCESS", "FAILURE", "CANCELED"), "the run's end", daemon_log)
        assert status() == "SUCCESS", code_log.read_text()[-3000:]
        assert (home / "warehouse.duckdb").exists()  # where the code's volume is
        assert not (tmp_path / "tmpfs" / "warehouse.duckdb").exists()

        def has_heartbeats() -> bool:
            daemons = ask("{ instance { daemonHealth { allDaemonStatuses { required healthy } } } }")
            return all(
                each["healthy"] for each in daemons["instance"]["daemonHealth"]["allDaemonStatuses"] if each["required"]
            )

        wait(has_heartbeats, "a heartbeat", daemon_log)
        wait(lambda: healthy("daemon", {**environment, **apart}, code_port), "a healthy daemon", daemon_log)

        # no password among the arguments of any process, nor in what they say
        for command_line in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                assert b"R3cognisable" not in command_line.read_bytes()
    for log in (code_log, daemon_log, web_log):
        assert "R3cognisable" not in log.read_text()
        assert "ghp_s3cret" not in log.read_text()


def test_the_page_names_what_there_is() -> None:
    page = (CHECKOUT / "docs" / "how-to" / "run-for-a-team.md").read_text(encoding="utf-8")
    for variable in set(re.findall(r"`(VEELOCITY_[A-Z_]+|DAGSTER_[A-Z_]+)`", page)):
        known = {str(field.validation_alias) for field in Settings.model_fields.values()}
        assert variable in known | {"VEELOCITY_CODE_HOST", "VEELOCITY_CODE_PORT"}, variable
    commands = {str(command.name or getattr(command.callback, "__name__", "")) for command in app.registered_commands}
    named = set(re.findall(r"(?:^|`|code )veelocity ([a-z]+)", page, flags=re.MULTILINE))
    assert {"serve", "backup", "compact", "status", "refresh"} <= named <= commands
