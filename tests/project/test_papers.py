"""Every row of the lists has a test, and the pages made of the program are current."""

from __future__ import annotations

from pathlib import Path

import pytest

from checkup.app import read_config, registered_kinds
from tests.papers import reference, tables
from tests.papers.tables import CollectedTest

EXAMPLES = sorted(reference.EXAMPLES.glob("*.yaml"))
SIZES = {"compat": 170, "faults": 174, "invariants": 28, "security": 37}


def test_reference_is_current() -> None:
    page = (tables.ROOT / reference.PAGE).read_text(encoding="utf-8")
    assert page == reference.page(), "run: python -m tests.papers"


def test_every_kind_of_checker_has_an_example() -> None:
    assert {path.stem for path in EXAMPLES} == set(registered_kinds().checkers)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_loads_without_a_warning_and_is_about_its_kind(path: Path) -> None:
    config = read_config(str(path), {"REPORTS_TOKEN": "set"})

    assert config.warnings == ()
    assert {checker.kind for checker in config.checkers} == {path.stem}


@pytest.mark.timeout(300)
def test_every_row_has_a_test_and_every_mark_a_row() -> None:
    tests = tables.collect()
    found = tables.tests_by_row(tests)

    assert [row for row, functions in found.items() if not functions] == []
    assert {row for test in tests for row in test.rows} <= found.keys()


def test_row_without_a_test_is_seen() -> None:
    found = tables.tests_by_row([CollectedTest("tests/a.py::test_a", frozenset({"133"}))])

    assert [row for row, functions in found.items() if functions] == ["133", "S7"]
    assert "| I4 | incidents open and close in turn" in tables.table("invariants", found)
    assert "**none**" in tables.table("invariants", found)


@pytest.mark.parametrize("name", tables.LISTS)
def test_rows_are_numbered_without_gaps_or_doubles(name: str) -> None:
    rows = tables.read_list(name)

    assert len({row.id for row in rows}) == len(rows) == SIZES[name]
    assert {fault for row in rows for fault in row.faults} <= {
        row.id for row in tables.read_list("faults")
    }


def test_every_deviation_has_its_reason_and_is_in_the_page() -> None:
    page = (tables.ROOT / "docs" / "compat.md").read_text(encoding="utf-8")
    for row in tables.read_list("compat"):
        assert row.kind in {"match", "superset", "deviation"}, row
        assert row.reason or row.kind == "match", row
        assert row.kind != "deviation" or f"| {row.id} |" in page, row
