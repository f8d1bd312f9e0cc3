"""The page that names the licence of each dependency: what `make licences` writes from the installed packages.

Versions are left out: they are in `requirements.lock`, and the licence of a package seldom changes with them.
"""

from __future__ import annotations

import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from veelocity_pipeline.config.settings import CHECKOUT

_NAMES = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "Artistic License": "Artistic-1.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD",
    "GNU General Public License (GPL)": "GPL",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""SPDX's names, by what packages call their licences."""

_HEAD = """\
# Licences

Veelocity is under the [MIT licence](../../LICENSE). This page names the licence of each package that it needs to run,
as the package itself declares it. `make licences` writes it; development tools are left out.

## What asks for more than a copyright notice

Running Veelocity, for yourself or in your company, asks for nothing. Where you hand on a copy with its dependencies (a
container image, say):

- **psycopg2-binary** (LGPL-3.0-or-later, with exceptions) is the driver for `DAGSTER_POSTGRES_URL`. It is used as it
  is, through Python's import, and can be replaced by another build. Hand on its licence text, and name the place of its
  source. Its wheel also holds libpq (PostgreSQL licence) and OpenSSL (Apache-2.0).
- **text-unidecode** (Artistic-1.0 or GPL-2.0-or-later, at your choice) comes with dbt's python-slugify. Under the
  Artistic licence it may be handed on unchanged, with its notices.
- **certifi, orjson, pathspec, tqdm** (MPL-2.0, in part): the licence covers their own files. If you change these files
  and hand them on, publish your changes to them. Your own code is not affected.

The report that you send to others holds Plotly's script (MIT) with its notice, and no other foreign code.

## All packages
"""


def closure(requirements: Iterable[str]) -> dict[str, Distribution]:
    """Return the packages that some requirements bring on this machine, theirs included, by canonical name.

    Raises:
        PackageNotFoundError: one of the requirements themselves is not installed.
    """
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    left = [Requirement(text) for text in requirements]
    while left:
        wanted = left.pop()
        key = (canonicalize_name(wanted.name), frozenset(wanted.extras))
        if key in seen:
            continue
        seen.add(key)
        found[key[0]] = installed = distribution(wanted.name)
        for text in installed.requires or ():
            further = Requirement(text)
            extras = ("", *wanted.extras)
            if further.marker is None or any(further.marker.evaluate({"extra": extra}) for extra in extras):
                left.append(further)
    return found


def licence(package: Distribution) -> str:
    """Return what a package says of its licence, in SPDX's names where it uses others."""
    said = package.metadata
    for expression in said.get_all("License-Expression") or ():
        return str(expression)
    classifiers = [str(each) for each in said.get_all("Classifier") or ()]
    names = [each.rpartition(" :: ")[2] for each in classifiers if each.startswith("License :: OSI Approved :: ")]
    names = names or [str(text).strip().partition("\n")[0] for text in said.get_all("License") or ("not declared",)]
    return " or ".join(_NAMES.get(name, name) for name in names)


def page(packages: dict[str, Distribution]) -> str:
    """Return the page, in Markdown."""
    by_licence: dict[str, list[str]] = defaultdict(list)
    for name, package in packages.items():
        by_licence[licence(package)].append(name)
    rows = [f"| {name} | {', '.join(sorted(mine))} |" for name, mine in sorted(by_licence.items())]
    return "\n".join([_HEAD, "| licence | packages |", "| --- | --- |", *rows, ""])


def runtime() -> dict[str, Distribution]:
    """Return the packages that the program needs to run.

    Raises:
        PackageNotFoundError: one is not installed.
    """
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return closure(project["dependencies"])


def main(target: Path) -> int:
    """Write the page to a file."""
    try:
        target.write_text(page(runtime()), encoding="utf-8")
    except PackageNotFoundError as error:
        sys.stderr.write(f"{error}: run make setup first\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
