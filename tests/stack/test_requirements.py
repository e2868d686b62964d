from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.emulators import ROOT

CORE = ROOT / "layers" / "core"
PAGE = ROOT / "statuspage"
WHERE_WHEELS_FIT = 'python_version >= "3.12"'  # the older runtime has too old a libc
ONLY_ON_A_MACHINE = {"click>=8.1,<9"}  # a function has no command line


def wanted(layer: Path) -> set[str]:
    return set((layer / "requirements.in").read_text().splitlines())


def locked(file: Path) -> dict[str, str]:
    """Return the version of each library in a lock or in constraints."""
    pins = re.findall(r"^([\w.-]+)==([\w.]+)", file.read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


def test_layers_together_require_what_the_project_requires() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    patterns = {f"{name}; {WHERE_WHEELS_FIT}" for name in extras["patterns"]}
    required = {*project["dependencies"], *extras["aws"], *patterns}
    assert wanted(CORE) | wanted(PAGE) == required - ONLY_ON_A_MACHINE


def test_layers_have_no_library_in_common() -> None:
    assert wanted(CORE).isdisjoint(wanted(PAGE))
    core, page = (locked(layer / "requirements.txt").keys() for layer in (CORE, PAGE))
    assert core.isdisjoint(page)


@pytest.mark.parametrize("layer", [CORE, PAGE], ids=["core", "page"])
def test_lock_holds_what_is_required_in_the_versions_that_are_tested(layer: Path) -> None:
    pinned = locked(layer / "requirements.txt")
    for requirement in map(Requirement, wanted(layer)):
        assert pinned[canonicalize_name(requirement.name)] in requirement.specifier
    assert pinned.items() <= locked(ROOT / "constraints.txt").items()


@pytest.mark.row("171", "S9.1")
@pytest.mark.parametrize("layer", [CORE, PAGE], ids=["core", "page"])
def test_lock_has_the_hashes_of_every_library(layer: Path) -> None:
    lines = (layer / "requirements.txt").read_text().replace("\\\n", "").splitlines()
    without = [
        line for line in lines if line[:1] != "#" and not re.search(r"--hash=sha256:\w{64}", line)
    ]
    assert without == []


def test_functions_require_nothing_beside_the_layers() -> None:
    assert not (ROOT / "functions" / "requirements.txt").exists()
