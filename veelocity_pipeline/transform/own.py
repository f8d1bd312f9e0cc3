"""A user's own models: dbt reads them with the project's; one that is wrong is left out, and its file is named.

dbt refuses a whole project for one bad file. So the project and the user's files are copied into a folder of the home,
and what dbt complains about is taken out of the copy until it can be parsed.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from veelocity_pipeline.safety.foreign import sentence
from veelocity_pipeline.transform.project import CUSTOM, MODELS, LeftOut, Project, digest, project_files
from veelocity_pipeline.transform.runner import BuildError
from veelocity_pipeline.warehouse.home import Home
from veelocity_pipeline.warehouse.publish import PUBLIC_SCHEMA
from veelocity_pipeline.warehouse.store import connect, write_tables

PRIVATE_SCHEMA = "intermediate"
"""Where a model of one's own may be kept that is not to be published."""

_DESCRIBES = (".yml", ".yaml")
_KINDS = (".sql", ".py", *_DESCRIBES)
_PLACE = f"models/{CUSTOM}"


def own_files(folder: Path) -> list[str]:
    """Return the files of a folder that dbt would read as models, relative to it; hidden ones are skipped."""
    names = (path.relative_to(folder) for path in folder.rglob("*") if path.suffix in _KINDS and path.is_file())
    return sorted(name.as_posix() for name in names if not any(part.startswith(".") for part in name.parts))


def whole_digest(folder: Path | None) -> str:
    """Return a short text that differs for any other project or any other files in the user's folder."""
    if folder is None:
        return digest()
    found = hashlib.sha256(json.dumps([digest(), str(folder)]).encode())
    for name in own_files(folder):
        found.update(f"{name}\n".encode())
        found.update((folder / name).read_bytes())
    return found.hexdigest()[:20]


@dataclass
class Copy:
    """A copy of the project together with a user's files.

    Attributes:
        path: the copy.
        folder: the user's.
        reserved: names of the project's models and seeds.
        parse: has dbt parse the copy and compile the user's models; returns the schema of each by its file.
        left_out: what was taken out of the copy, and why.
    """

    path: Path
    folder: Path
    reserved: Iterable[str]
    parse: Callable[[], Mapping[str, str]]
    left_out: list[LeftOut]

    def make(self) -> None:
        """Copy all files but those that are wrong at first sight."""
        for source in project_files(MODELS):
            target = self.path / source.relative_to(MODELS)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        names = {name.casefold(): "" for name in self.reserved}
        for file in own_files(self.folder):
            if problem := self._at_first_sight(file, names):
                self.left_out.append(_left_out(file, problem))
                continue
            target = self.path / _PLACE / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.folder / file, target)

    def _at_first_sight(self, file: str, names: dict[str, str]) -> str:
        """Return what is wrong with a file without asking dbt; nothing if it seems fine."""
        path = self.folder / file
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            return f"it cannot be read: {getattr(error, 'strerror', None) or 'it is not text'}"
        if path.suffix in _DESCRIBES:
            import yaml

            try:
                yaml.safe_load(text)
            except yaml.YAMLError as error:
                mark = getattr(error, "problem_mark", None)
                where = f"line {mark.line + 1}: " if mark else ""
                return f"it is not valid YAML: {where}{sentence(getattr(error, 'problem', None) or error)}"
            return ""
        name = path.stem.casefold()
        if name in names:
            other = names[name]
            taken = f"{other} has the same name" if other else f"Veelocity has a model called {path.stem} itself"
            return f"{taken}; rename yours"
        names[name] = file
        return ""

    def settle(self) -> None:
        """Have dbt parse the copy, without the files that it refuses."""
        while True:
            try:
                schemas = self.parse()
            except BuildError as error:
                self._without_culprits(str(error.__cause__ or error))
                continue
            foreign = {
                file: schema for file, schema in schemas.items() if schema not in (PUBLIC_SCHEMA, PRIVATE_SCHEMA)
            }
            for file, schema in foreign.items():
                allowed = f"{PUBLIC_SCHEMA} (published) or {PRIVATE_SCHEMA} (not published)"
                self._take_out(file, f"its schema is {schema}; it must be {allowed}")
            if not foreign:
                return

    def _without_culprits(self, said: str) -> None:
        """Take out the files that dbt names; all of them if it names none.

        Raises:
            BuildError: there is none left, so the project itself cannot be parsed.
        """
        there = own_files(self.path / _PLACE)
        if not there:
            raise BuildError(f"dbt could not begin: {sentence(said)}")
        named = [file for file in there if re.search(rf"(?<![\w/-]){_PLACE}/{re.escape(file)}(?![\w.])", said)]
        named = named or [file for file in there if re.search(rf"{CUSTOM}/{re.escape(file)}(?![\w.])", said)]
        if named:  # of two that do not go together the first may stay
            self._take_out(named[-1], _told(said))
        else:
            for file in there:
                self._take_out(file, f"dbt cannot read your models: {_told(said)}")

    def _take_out(self, file: str, problem: str) -> None:
        (self.path / _PLACE / file).unlink()
        self.left_out.append(_left_out(file, problem))


def _left_out(file: str, problem: str) -> LeftOut:
    lost = "; the tests and descriptions in it are left out" if file.endswith(_DESCRIBES) else ""
    return LeftOut(file, problem + lost)


def _told(said: str) -> str:
    """Return what dbt says of a file, as a part of a sentence that begins with the file."""
    lines = [line.strip() for line in said.strip().splitlines() if line.strip()]
    while len(lines) > 1 and re.match(r"\w+ Error( in |$)", lines[0]):  # the kind and the place, above the reason
        lines = lines[1:]
    text = " ".join(lines).replace(f"{_PLACE}/", "")
    text = re.split(r" (?=To fix this|This can happen when|Resources and their associated)", text)[0]  # dbt's advice
    return sentence(re.sub(r"^Model 'model\.\w+\.\w+' \([^)]*\) ", "it ", text), 400).rstrip(".")


# ------------------------------------------------------------------------------------- what became of them in a build

_PROBLEMS = pa.schema({"model": pa.string(), "file": pa.string(), "problem": pa.string()})
"""``operations.own_problems``: models of the user that could not be built, or failed a test, by dbt's unique id."""


def remember_problems(home: Home, project: Project, built: Iterable[str], problems: Mapping[str, str]) -> None:
    """Write down what is wrong with the user's own models, by dbt's unique id.

    Args:
        built: models that were built and found good.
    """
    nodes, good = project.manifest["nodes"], set(built)
    known = {name: problem for name, _, problem in _problems(home) if name in nodes and name not in good}
    rows = [
        {"model": name, "file": project.own_file(name), "problem": problem}
        for name, problem in sorted({**known, **problems}.items())
    ]
    write_tables(home, "operations", {"own_problems": pa.Table.from_pylist(rows, schema=_PROBLEMS)})


def _problems(home: Home) -> Iterator[tuple[str, str, str]]:
    with connect(home) as connection:
        there = connection.execute(
            "select 1 from duckdb_tables() where schema_name = 'operations' and table_name = 'own_problems'"
        ).fetchall()
        yield from connection.execute("from operations.own_problems order by all").fetchall() if there else ()


def own_problems(home: Home, project: Project) -> dict[str, str]:
    """Return what is wrong with the user's own models, by file: what dbt refused, could not build, or a test found."""
    return {
        **{each.file: each.problem for each in project.left_out},
        **{file: problem for name, file, problem in _problems(home) if name in project.manifest["nodes"]},
    }


def own_tables(project: Project) -> dict[str, str]:
    """Return the files of the user's own models by the tables that they make."""
    return {project.manifest["nodes"][name]["alias"]: file for name, file in project.own.items()}


def stale_tables(home: Home, project: Project) -> set[str]:
    """Return the tables of these models, which keep the rows that they had."""
    nodes = project.manifest["nodes"]
    failed = {nodes[name]["alias"] for name, _, _ in _problems(home) if name in project.own}
    refused = {Path(each.file).stem for each in project.left_out if not each.file.endswith(_DESCRIBES)}
    # a file may be left out because another model has its name
    return failed | (refused - {node["alias"] for node in nodes.values() if node["resource_type"] in ("model", "seed")})
