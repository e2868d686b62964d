"""Modules of Python that the program keeps away from, for what foreign data could do with them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    file
    for folder in ("layers/core/checkup", "statuspage/checkup_page", "functions")
    for file in (ROOT / folder).rglob("*.py")
]
RUNS_CODE = {"pickle", "marshal", "shelve", "dill", "jsonpickle"}
READS_XML = {"xml", "lxml", "xmlrpc"}


def imported(file: Path) -> Iterator[str]:
    """Yield the top packages that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]


@pytest.mark.row("172", "S4", "S8")
@pytest.mark.parametrize("banned", [RUNS_CODE, READS_XML], ids=["S8", "S4"])
def test_nothing_imports_what_foreign_data_could_abuse(banned: set[str]) -> None:
    assert len(SOURCES) > 100
    found = {file.name: banned & set(imported(file)) for file in SOURCES}
    assert {name: names for name, names in found.items() if names} == {}
