"""The page of licences names each package that the program needs, and what is said there of some is true."""

from __future__ import annotations

import re

from packaging.utils import canonicalize_name

from veelocity_pipeline.config.settings import CHECKOUT
from veelocity_pipeline.licences import licence, page, runtime

PAGE = (CHECKOUT / "docs" / "reference" / "licences.md").read_text(encoding="utf-8")
NAMED = {
    name: kind
    for kind, names in re.findall(r"^\| (.+?) \| (.+?) \|$", PAGE, flags=re.MULTILINE)
    for name in names.split(", ")
}
ASKS_FOR_MORE = ("LGPL", "GPL", "MPL", "Artistic", "EPL", "CDDL", "AGPL", "SSPL", "BUSL", "not declared", "Proprietary")


def test_each_package_that_is_needed_is_named_with_its_licence() -> None:
    for name, package in runtime().items():
        assert NAMED.get(name) == licence(package), f"{name}: run make licences"


def test_each_of_them_is_locked() -> None:
    lock = (CHECKOUT / "requirements.lock").read_text(encoding="utf-8")
    locked = {canonicalize_name(name) for name in re.findall(r"^([\w.-]+)(?:\[.*\])?==", lock, flags=re.MULTILINE)}
    assert set(runtime()) <= locked


def test_what_asks_for_more_than_a_notice_is_explained() -> None:
    explained = PAGE.split("## All packages")[0]
    for name, kind in NAMED.items():
        if any(re.search(rf"\b{word}", kind) for word in ASKS_FOR_MORE):
            assert name in explained, f"{name} is under {kind}"


def test_the_page_is_what_make_licences_writes() -> None:
    assert page(runtime()).split("## All packages")[0] == PAGE.split("## All packages")[0]
