"""Links that somebody planted, folders that others may write, and how readable files are while they are made."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.conftest import veelocity
from veelocity_pipeline.config.load import load_settings
from veelocity_pipeline.faces.cli.demo import simulated_environment
from veelocity_pipeline.faces.report import render
from veelocity_pipeline.operations.upkeep import put_aside
from veelocity_pipeline.published.export import export
from veelocity_pipeline.safety import files, logs
from veelocity_pipeline.safety.files import FolderError
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.lock import alive, exclusively, writing
from veelocity_pipeline.warehouse.publish import publish
from veelocity_pipeline.warehouse.status import record_attempts
from veelocity_pipeline.warehouse.store import connect
from veelocity_pipeline.warehouse.upkeep import back_up, compact

SECRET = "what is in somebody's file"
OTHER = 12345
"""A user who is not us."""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A warehouse with one published table."""
    home = Home(tmp_path / "home")
    home.make()
    with connect(home) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.things as select 1::bigint as n")
    publish(home)
    record_attempts(home, [])
    return home


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Path]:
    """A file outside of the home, which nothing may touch."""
    folder = tmp_path / "victim"
    folder.mkdir()
    file = folder / "file"
    file.write_text(SECRET)
    file.chmod(0o640)
    yield file
    assert file.read_text() == SECRET
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert sorted(path.name for path in folder.iterdir()) == ["file"]  # nor is anything made at the end of a link


def write(home: Home) -> None:
    with writing(home, "a test"):
        pass


def log(home: Home) -> None:
    with logs.kept(home.log):
        logging.getLogger("veelocity").warning("a line")


def build(home: Home) -> None:
    with connect(home) as connection:
        connection.execute("create or replace table marts.things as select 2::bigint as n")


def live(home: Home) -> None:
    with alive(home, "run"):
        pass


def claim(home: Home) -> None:
    home.working.unlink()
    home.claim_for_demo()


def lock(name: str) -> Callable[[Home], None]:
    def act(home: Home) -> None:
        with exclusively(home.path / name):
            pass

    return act


REFUSED: dict[str, Callable[[Home], object]] = {
    "warehouse.lock": write,
    "warehouse.duckdb": build,
    "warehouse.duckdb.wal": build,
    ".demo": claim,
    "logs/veelocity.jsonl": log,
    "dagster/.make.lock": lock("dagster/.make.lock"),
    "dbt/prepared/.lock": lock("dbt/prepared/.lock"),
}
"""What is opened by its name and stays: a link in its place is refused."""

REPLACED: dict[str, Callable[[Home], object]] = {
    "veelocity.duckdb": publish,
    ".veelocity.duckdb.staged": publish,
    ".warehouse.duckdb.compacted": compact,
    ".warehouse.duckdb.compacted.wal": compact,
    "status.json": lambda home: record_attempts(home, []),
    ".status.json.{process}": lambda home: record_attempts(home, []),
    "dagster/alive/.run": live,
    "dagster/alive/run": live,
    "report/index.html": lambda home: render._write_in_one_step(home.report, b"a page"),
}
"""What is made and put in its place: a link there goes. ``{process}`` stands for the id of this process."""


def plant(path: Path, how: str, victim: Path) -> None:
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    if how == "link":
        path.symlink_to(victim)
    elif how == "dangling":
        path.symlink_to(victim.with_name("made-by-the-victim"))
    elif how == "hard link":
        path.hardlink_to(victim)
    else:
        os.mkfifo(path)


@pytest.mark.parametrize("how", ["link", "dangling", "hard link", "pipe"])
@pytest.mark.parametrize("name", REFUSED)
def test_a_link_where_a_file_of_ours_belongs_is_refused(name: str, how: str, home: Home, victim: Path) -> None:
    plant(home.path / name, how, victim)
    with pytest.raises(FolderError, match=Path(name).name.replace(".", r"\.")) as caught:
        REFUSED[name](home)
    assert "remove it" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("how", ["link", "dangling", "hard link"])
@pytest.mark.parametrize("name", REPLACED)
def test_a_link_where_something_is_staged_is_not_followed(name: str, how: str, home: Home, victim: Path) -> None:
    if name.startswith("dagster/alive"):
        live(home)  # makes the folder
    path = home.path / name.replace("{process}", str(os.getpid()))
    plant(path, how, victim)
    REPLACED[name](home)
    assert not path.is_symlink()
    assert not path.exists() or path.stat().st_nlink == 1


@pytest.mark.parametrize("name", ["dagster", "dlt", "dbt", "logs", "report"])
def test_a_folder_of_the_home_is_no_link(name: str, tmp_path: Path, victim: Path) -> None:
    home = Home(tmp_path / "new")
    home.path.mkdir()
    (home.path / name).symlink_to(victim.parent)
    with pytest.raises(FolderError, match=f"{name} is a link"):
        home.make()


def test_the_home_itself_may_be_a_link_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "home").symlink_to(tmp_path / "disk")
    write(Home(tmp_path / "home"))
    assert (tmp_path / "disk" / "warehouse.lock").exists()


@pytest.mark.parametrize("name", ["refresh.log", "warehouse.lock", "logs/veelocity.jsonl"])
def test_a_refresh_says_in_one_line_what_is_planted(
    name: str, home: Home, victim: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(home.path / name, "link", victim)
    monkeypatch.setenv("GITHUB_TOKEN", "t")
    monkeypatch.setenv("GITHUB_REPOSITORIES", "acme/web")
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    if name == "logs/veelocity.jsonl":
        (home.dagster / "dagster.yaml").touch()  # so that what is new is asked for before all else
    result = veelocity("refresh", VEELOCITY_HOME=str(home.path))
    assert result.returncode == 2, result.stdout + result.stderr
    [line] = result.stderr.strip().splitlines()
    assert f"{name} is a link" in line


def test_a_large_log_is_put_aside_without_looking_where_a_link_leads(home: Home, victim: Path) -> None:
    (home.path / "refresh.log").symlink_to(victim)
    put_aside(home.path / "refresh.log")
    assert (home.path / "refresh.log").is_symlink()


# ------------------------------------------------------------------------------------- backup and export


@pytest.mark.parametrize("how", ["link", "dangling", "hard link"])
@pytest.mark.parametrize("name", ["warehouse.duckdb", ".warehouse.duckdb.copying", "veelocity.duckdb", "status.json"])
def test_a_backup_follows_no_link(name: str, how: str, home: Home, victim: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    target.mkdir()
    plant(target / name, how, victim)
    copies = back_up(home, target)
    assert [copy.name for copy in copies] == ["warehouse.duckdb", "veelocity.duckdb", "status.json"]
    modes = {copy.name: stat.S_IMODE(copy.lstat().st_mode) for copy in copies}
    assert modes == {"warehouse.duckdb": 0o600, "veelocity.duckdb": 0o644, "status.json": 0o600}
    for copy in copies:
        assert copy.read_bytes() == (home.path / copy.name).read_bytes()
        assert copy.stat().st_mtime_ns == (home.path / copy.name).stat().st_mtime_ns


def test_a_backup_copies_no_file_that_a_link_leads_to(home: Home, victim: Path, tmp_path: Path) -> None:
    plant(home.status, "link", victim)
    with pytest.raises(FolderError, match=r"status\.json is a link"):
        back_up(home, tmp_path / "backup")
    assert SECRET not in "".join(path.read_text("latin1") for path in (tmp_path / "backup").rglob("*"))


@pytest.mark.parametrize("how", ["link", "dangling", "hard link"])
@pytest.mark.parametrize("name", ["things.csv", ".things.csv.staged"])
def test_an_export_follows_no_link(name: str, how: str, home: Home, victim: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    plant(target / name, how, victim)
    export(home.published, target, "csv")
    assert (target / "things.csv").read_text() == "n\n1\n"
    assert not (target / "things.csv").is_symlink()


def test_nothing_can_be_read_while_it_is_written(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the moment before it is put in its place, each file is where nobody else gets."""
    open_to: list[int] = []
    real = Path.replace

    def replace(self: Path, target: Any) -> Path:
        open_to.append(stat.S_IMODE(self.parent.stat().st_mode) & 0o077 and self.stat().st_mode & 0o077)
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    os.umask(0)
    publish(home)
    compact(home)
    record_attempts(home, [])
    back_up(home, tmp_path / "backup")
    export(home.published, tmp_path / "out", "parquet")
    assert len(open_to) == 7
    assert set(open_to) == {0}
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o700
    left = [path for folder in (home.path, tmp_path / "backup", tmp_path / "out") for path in folder.iterdir()]
    assert not [path for path in left if path.name.startswith(files.STAGED)]


def test_what_was_open_to_others_is_closed(home: Home) -> None:
    for file in (home.working, home.lock, home.log):
        file.touch()
        file.chmod(0o666)
    home.dlt.chmod(0o777)
    write(home)
    log(home)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (home.working, home.lock, home.log)} == {0o600}
    assert stat.S_IMODE(home.dlt.stat().st_mode) == 0o755


def test_a_command_makes_nothing_that_others_may_read(home: Home, tmp_path: Path) -> None:
    """Whatever the umask of who calls it, what libraries make too."""
    for arguments in (["compact"], ["backup", str(tmp_path / "backup")], ["report"]):
        subprocess.run(
            [Path(sys.executable).with_name("veelocity"), *arguments],
            env={**os.environ, "VEELOCITY_HOME": str(home.path)},
            preexec_fn=lambda: os.umask(0) and None,
            capture_output=True,
            check=arguments != ["report"],  # there is not enough for one
        )
    public = {home.path, home.published, tmp_path / "backup" / home.published.name}
    made = {home.path, *home.path.rglob("*"), *(tmp_path / "backup").rglob("*")}
    assert {path for path in made if path.stat().st_mode & 0o077} == public


# ------------------------------------------------------------------------------- folders that others may write


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o770, 0o707, 0o1777])
def test_a_home_that_others_may_write_is_refused(mode: int, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.path.mkdir()
    home.path.chmod(mode)
    with pytest.raises(FolderError, match=rf"VEELOCITY_HOME: .* \(mode {mode:04o}\): chmod go-w"):
        home.make()
    assert list(home.path.iterdir()) == []
    Home(home.path, is_shared=True).make()
    home.path.chmod(0o755)
    home.make()


def test_a_folder_above_may_be_shared_like_tmp_and_not_otherwise(tmp_path: Path) -> None:
    above = tmp_path / "above"
    above.mkdir()
    above.chmod(0o777)
    with pytest.raises(FolderError, match=f"lies in {above}, which may be written by other users"):
        Home(above / "home").make()
    above.chmod(0o1777)
    Home(above / "home").make()
    # nor is it reached through a link
    above.chmod(0o777)
    (tmp_path / "home").symlink_to(above / "home")
    with pytest.raises(FolderError, match=f"lies in {above}"):
        Home(tmp_path / "home").make()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    (folder / "home").mkdir(parents=True)
    os.chown(folder, OTHER, -1)
    with pytest.raises(FolderError, match=rf"lies in {folder}, which belongs to user {OTHER}"):
        Home(folder / "home").make()
    os.chown(folder, 0, -1)
    os.chown(folder / "home", OTHER, -1)
    with pytest.raises(FolderError, match=rf"belongs to user {OTHER}, not to (root|0): run this as that user"):
        Home(folder / "home").make()


def test_a_folder_of_roots_and_of_ones_own_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.check_folder(tmp_path / "not" / "there", "VEELOCITY_HOME")
    monkeypatch.setattr(os, "geteuid", lambda: OTHER)  # all of it is root's then, or still another's
    if tmp_path.stat().st_uid == 0:
        files.check_folder(tmp_path, "VEELOCITY_HOME")


def test_each_command_refuses_such_a_folder(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "t")
    monkeypatch.setenv("GITHUB_REPOSITORIES", "acme/web")
    target = tmp_path / "target"
    target.mkdir()
    target.chmod(0o777)

    def complaint(*arguments: str, **environment: str) -> str:
        result = veelocity(*arguments, **{"VEELOCITY_HOME": str(home.path), **environment})
        assert result.returncode == 2, result.stdout + result.stderr
        [line] = result.stderr.strip().splitlines()
        return line

    for arguments in (["backup", str(target)], ["export", "--to", str(target)]):
        assert f"{target} may be written by other users (mode 0777)" in complaint(*arguments)
    assert list(target.iterdir()) == []
    for arguments in (["refresh"], ["rebuild"], ["compact"], ["demo"], ["report"], ["serve", "daemon"]):
        home.path.chmod(0o777)
        assert "VEELOCITY_HOME" in complaint(*arguments)
    assert veelocity("backup", str(target), VEELOCITY_HOME=str(home.path)).returncode == 2
    shared = {"VEELOCITY_HOME": str(home.path), "VEELOCITY_ALLOW_SHARED_FOLDERS": "1"}
    assert veelocity("backup", str(target), **shared).returncode == 0
    assert len(list(target.iterdir())) == 3


def test_the_setting_takes_folders_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not Home.of(load_settings()).is_shared
    monkeypatch.setenv("VEELOCITY_ALLOW_SHARED_FOLDERS", "true")
    assert Home.of(load_settings()).is_shared


# ------------------------------------------------------------------------------------------------- staging


def test_what_a_killed_process_left_goes_and_what_a_living_one_makes_stays(tmp_path: Path) -> None:
    left = tmp_path / f"{files.STAGED}left"
    left.mkdir()
    (left / "a").write_text("half a file")
    planted = tmp_path / f"{files.STAGED}planted"
    planted.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    with files.staging(tmp_path) as first:
        assert not left.exists()
        with files.staging(tmp_path) as second:
            assert first.exists()
            assert first != second
            assert stat.S_IMODE(second.stat().st_mode) == 0o700
        assert not second.exists()
    assert not first.exists()
    assert (tmp_path / "elsewhere").exists()


# ------------------------------------------------------------------------------- users that nobody knows

NOBODY = """
import os, pwd

def unknown(*_):
    raise KeyError("getpwuid(): uid not found: 12345")

pwd.getpwuid = pwd.getpwnam = unknown
"""


def test_a_user_without_an_entry_in_the_systems_list_can_write(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container that is given a user id of its own."""
    (tmp_path / "sitecustomize.py").write_text(NOBODY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for name in ("USER", "LOGNAME", "USERNAME", "LNAME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    (home.dagster / "dagster.yaml").touch()  # so that compacting looks at the history, too
    result = veelocity("compact", VEELOCITY_HOME=str(home.path))
    assert result.returncode == 0, result.stdout + result.stderr
    lost = veelocity("status", VEELOCITY_HOME="~/data")
    assert lost.returncode == 2
    assert "VEELOCITY_HOME: ~/data begins with a home folder that is not known" in lost.stderr
    assert "Traceback" not in lost.stderr


def test_libraries_find_a_name_a_home_and_no_settings_of_strangers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object) -> None:
        raise KeyError("getpwuid(): uid not found")

    for name in ("USER", "LOGNAME", "USERNAME", "LNAME", "DLT_PROJECT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))
    monkeypatch.setattr("pwd.getpwuid", unknown)
    assert files.user_name() == str(os.getuid())
    files.settle_libraries(tmp_path)
    assert os.environ["USER"] == str(os.getuid())
    assert os.environ["HOME"] == str(tmp_path)
    assert os.environ["DLT_PROJECT_DIR"] == str(tmp_path / "dlt")


def test_settings_of_dlt_in_the_folder_that_one_stands_in_are_not_taken(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = tmp_path / "planted" / ".dlt"
    planted.mkdir(parents=True)
    (planted / "config.toml").write_text('[sources]\nplanted = "yes"\n')
    code = "import dlt; print(dlt.config.get('sources.planted'))"
    settle = (
        "from pathlib import Path; from veelocity_pipeline.safety.files import settle_libraries; "
        f"settle_libraries(Path({str(home.path)!r}))"
    )
    for prepared, said in (("pass", "yes"), (settle, "None")):
        result = subprocess.run(
            [sys.executable, "-c", f"{prepared}\n{code}"],
            cwd=planted.parent,
            capture_output=True,
            text=True,
            check=True,
        )
        assert result.stdout.strip() == said


def test_the_demo_imports_nothing_from_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "veelocity_pipeline").mkdir()
    (tmp_path / "veelocity_pipeline" / "__init__.py").write_text("print('GITHUB_TOKEN=planted', flush=True)")
    monkeypatch.chdir(tmp_path)
    with simulated_environment() as environment:
        assert environment["GITHUB_TOKEN"] != "planted"


def test_a_published_file_is_one_that_any_reader_opens(home: Home) -> None:
    assert stat.S_IMODE(home.published.stat().st_mode) == 0o644
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o755
    with duckdb.connect(str(home.published), read_only=True) as connection:
        assert connection.execute("select n from marts.things").fetchall() == [(1,)]
