from __future__ import annotations

import tomllib
from pathlib import Path

from tests.emulators import ROOT

CORE = ROOT / "layers" / "core" / "requirements.txt"
PAGE = ROOT / "statuspage" / "requirements.txt"
WHERE_WHEELS_FIT = 'python_version >= "3.12"'  # the older runtime has too old a libc
ONLY_ON_A_MACHINE = {"click>=8.1,<9"}  # a function has no command line


def lines(file: Path) -> set[str]:
    return set(file.read_text().splitlines())


def test_layers_have_no_requirement_in_common() -> None:
    assert lines(CORE).isdisjoint(lines(PAGE))


def test_layers_together_require_what_the_project_requires() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    patterns = {f"{name}; {WHERE_WHEELS_FIT}" for name in extras["patterns"]}
    required = {*project["dependencies"], *extras["aws"], *patterns}
    assert lines(CORE) | lines(PAGE) == required - ONLY_ON_A_MACHINE


def test_functions_require_nothing_beside_the_layers() -> None:
    assert not (ROOT / "functions" / "requirements.txt").exists()
