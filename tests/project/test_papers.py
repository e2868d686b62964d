"""The pages that are made of the program and its tests are as they would be made now."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path

import pytest

from checkup.app import read_config, registered_kinds
from tests.papers import reference, tables

EXAMPLES = sorted(reference.EXAMPLES.glob("*.yaml"))
TABLES = [tables.COMPAT, tables.FAULTS, tables.INVARIANTS]


def test_reference_is_as_the_program_is() -> None:
    page = (tables.ROOT / reference.PAGE).read_text(encoding="utf-8")
    assert page == reference.page(), "run: python -m tests.papers"


def test_every_kind_of_checker_has_an_example() -> None:
    assert {path.stem for path in EXAMPLES} == set(registered_kinds().checkers)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_loads_without_a_warning_and_is_about_its_kind(path: Path) -> None:
    config = read_config(str(path), {})

    assert config.warnings == ()
    assert {checker.kind for checker in config.checkers} == {path.stem}


@pytest.mark.parametrize("name", TABLES)
def test_every_test_that_a_table_names_is_there(name: str) -> None:
    page = (tables.ROOT / name).read_text(encoding="utf-8")
    named = set(re.findall(r"`(tests/[^`]+?)::([^`]+)`", page))

    assert len(named) > 20
    for file, test in named:
        source = (tables.ROOT / file).read_text(encoding="utf-8")
        function = test.rpartition("::")[2]
        assert f"def {function}(" in source, f"{file}::{test}; run: python -m tests.papers"


@pytest.mark.parametrize(
    ("name", "rows", "number"),
    [
        (tables.COMPAT, tables.compat_rows(), 170),
        (tables.FAULTS, tables.fault_rows(), 174),
        (tables.INVARIANTS, tables.invariant_rows(), 24),
    ],
    ids=["compat", "faults", "invariants"],
)
def test_every_row_is_in_its_table(name: str, rows: tuple[tables.Row, ...], number: int) -> None:
    page = (tables.ROOT / name).read_text(encoding="utf-8")

    assert len({row.id for row in rows}) == len(rows) == number
    for row in rows:
        assert f"| {row.id} | {row.text} |" in page, "run: python -m tests.papers"


def test_every_deviation_has_its_reason() -> None:
    for row in tables.compat_rows():
        assert row.kind in {"match", "superset", "deviation"}, row
        assert row.reason or row.kind == "match", row


@pytest.mark.parametrize(
    ("test", "compat", "faults"),
    [
        ("tests/a.py::test_x[A12-provider]", {"A12"}, set()),
        ("tests/a.py::test_b07_and_more", {"B07"}, set()),
        ("tests/a.py::test_x_c22", {"C22"}, set()),
        ("tests/a.py::test_x[A12-B13]", {"A12", "B13"}, set()),
        ("tests/a12.py::test_x[abc12-A1234-0xA12]", set(), set()),
        ("tests/a.py::test_x[fault-37-header]", set(), {"37"}),
        ("tests/a.py::test_x[37-header]", set(), set()),
        ("tests/a.py::TestA::test_37_header_of_2_lines", set(), {"37"}),
        ("tests/a.py::test_x[fault-146-1e9]", set(), {"146"}),
        ("tests/a.py::test_writers_c16_99_101[fs]", {"C16"}, {"99", "101"}),
        ("tests/a.py::test_x[5-healthy]", set(), set()),
        ("tests/a.py::test_x[300-status]", set(), set()),
        ("tests/a.py::test_fault_148_of_10000", set(), {"148"}),
        ("tests/a.py::test_default-37", set(), set()),
    ],
    ids=count(),
)
def test_rows_are_found_in_ids(test: str, compat: set[str], faults: set[str]) -> None:
    assert tables.compat_ids(test) == compat
    assert tables.fault_ids(test) == faults


@pytest.mark.parametrize(
    ("test", "invariants"),
    [
        ("tests/a.py::test_i4_one_after_the_other", {"I4"}),
        ("tests/a.py::test_94_i22_any_bytes[i9]", {"I22", "I9"}),
        ("tests/a.py::test_i17_to_i19_hold", {"I17", "I18", "I19"}),
        ("tests/i1.py::test_api2_of_i18n", set()),
    ],
    ids=count(),
)
def test_invariants_are_found_in_ids(test: str, invariants: set[str]) -> None:
    assert tables.invariant_ids(test) == invariants


def test_every_invariant_has_a_test() -> None:
    assert "**none**" not in (tables.ROOT / tables.INVARIANTS).read_text(encoding="utf-8")
