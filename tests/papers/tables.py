"""Tables of what is tested: the rows of a list, and the tests that name them in their ids.

A test names a row of ``compat.txt`` as ``A12`` anywhere in its name or in the id of its parameters.
It names one of ``faults.txt`` as ``fault-37`` there, or with a number at the beginning or the end
of its name: ``test_37_…``, ``…_37_38``. It names invariants as ``_i4_``, or ``_i12_to_i19_``.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from msgspec import Struct

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parent.parent
COMPAT: Final = "docs/compat.md"
FAULTS: Final = "docs/faults.md"
INVARIANTS: Final = "docs/invariants.md"

_COMPAT_ID = re.compile(r"(?<![A-Za-z0-9])([A-Fa-f][0-9]{2})(?![A-Za-z0-9])")
_FAULT_ID = re.compile(r"(?<![A-Za-z0-9])fault[-_]([0-9]{1,3})(?![0-9])")
_NUMBER_FIRST = re.compile(r"(?:^|::)test_([0-9]{1,3})_[a-z]")
_NUMBERS_LAST = re.compile(r"((?:_[0-9]{2,3})+)(?:\[|$)")
_LAST_FAULT = 174
_INVARIANT_ID = re.compile(r"(?<![A-Za-z0-9])i([0-9]{1,2})(?:_to_i([0-9]{1,2}))?(?![A-Za-z0-9])")
_SHOWN = 4
"""Tests that are named for a row; of the others there is a number."""

_COMPAT_HEAD = """\
# Row by row: the Go program and this one

*match*: the same. *superset*: the same and more. *deviation*: different, on purpose, and why.

This page is made of the tests' names by `python -m tests.papers`; do not edit it.
"""
_FAULTS_HEAD = """\
# What can go wrong, and the tests that make it go wrong

This page is made of the tests' names by `python -m tests.papers`; do not edit it.
"""
_INVARIANTS_HEAD = """\
# What always holds, and the tests that would notice if it did not

Worlds are made of random results, events, kills and lost answers; `make soak` lives through
thousands of runs in real processes. `python -m tests.protocol.mutants` breaks the program in
fifteen ways that these tests have to notice.

This page is made of the tests' names by `python -m tests.papers`; do not edit it.
"""


class Row(Struct, frozen=True):
    """One line of a list.

    Attributes:
        section: the heading that it stands under.
        kind: match, superset or deviation; empty for faults.
        reason: why it differs, if it does.
    """

    section: str
    id: str
    text: str
    kind: str = ""
    reason: str = ""


class Listed(Protocol):
    """Whatever a test can name."""

    @property
    def id(self) -> str:
        """How it is named."""


def collect() -> tuple[str, ...]:
    """Return the ids of all tests, sorted, without running any."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:randomly"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        raise SystemExit(listed.stdout[-2000:])
    return tuple(sorted({line for line in listed.stdout.splitlines() if "::" in line}))


def compat_rows() -> tuple[Row, ...]:
    """Return the rows of the comparison with the Go program."""
    return tuple(
        Row(section, name, text.strip(), kind, reason.strip())
        for section, name, rest in _lines("compat.txt")
        for kind, _, words in [rest.partition(" ")]
        for text, _, reason in [words.partition("|")]
    )


def fault_rows() -> tuple[Row, ...]:
    """Return the rows of the catalogue of faults."""
    return tuple(Row(section, name, text) for section, name, text in _lines("faults.txt"))


def invariant_rows() -> tuple[Row, ...]:
    """Return the rows of the list of what always holds."""
    return tuple(Row(section, name, text) for section, name, text in _lines("invariants.txt"))


def compat_table(tests: Sequence[str]) -> str:
    """Return the page about the Go program."""
    found = by_row(tests, compat_ids)
    rows = compat_rows()
    lines = [_COMPAT_HEAD, count(rows, found)]
    for section, members in _sections(rows):
        lines += [f"\n## {section}\n", "| row | meaning | kind | tests |", "|---|---|---|---|"]
        lines += [
            f"| {row.id} | {row.text} | {row.kind}{f': {row.reason}' if row.reason else ''} "
            f"| {shown(found.get(row.id, []))} |"
            for row in members
        ]
    return "\n".join(lines) + "\n"


def faults_table(tests: Sequence[str]) -> str:
    """Return the page about faults."""
    return _table(_FAULTS_HEAD, "fault", fault_rows(), by_row(tests, fault_ids))


def invariants_table(tests: Sequence[str]) -> str:
    """Return the page about what always holds."""
    return _table(_INVARIANTS_HEAD, "invariant", invariant_rows(), by_row(tests, invariant_ids))


def _table(head: str, title: str, rows: Sequence[Row], found: Mapping[str, list[str]]) -> str:
    lines = [head, count(rows, found)]
    for section, members in _sections(rows):
        lines += [f"\n## {section}\n", f"| row | {title} | tests |", "|---|---|---|"]
        lines += [f"| {row.id} | {row.text} | {shown(found.get(row.id, []))} |" for row in members]
    return "\n".join(lines) + "\n"


def compat_ids(test: str) -> set[str]:
    """Return the rows of the Go program that a test's id names."""
    return {name.upper() for name in _COMPAT_ID.findall(_name(test).replace("_", "-"))}


def fault_ids(test: str) -> set[str]:
    """Return the faults that a test's id names."""
    name = _name(test)
    first = _NUMBER_FIRST.findall(name)
    last = [number for run in _NUMBERS_LAST.findall(name) for number in run.split("_") if number]
    return {*_FAULT_ID.findall(name), *(n for n in (*first, *last) if int(n) <= _LAST_FAULT)}


def invariant_ids(test: str) -> set[str]:
    """Return the invariants that a test's id names."""
    name = _name(test).replace("_", "-").replace("-to-i", "_to_i")
    found = [(int(first), int(last or first)) for first, last in _INVARIANT_ID.findall(name)]
    return {f"I{number}" for first, last in found for number in range(first, last + 1)}


def by_row(tests: Iterable[str], ids: Callable[[str], set[str]]) -> Mapping[str, list[str]]:
    """Return the test functions of each row, in order, each once."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for test in tests:
        for row in ids(test):
            found[row][test.partition("[")[0]] = None
    return {row: list(functions) for row, functions in found.items()}


def _name(test: str) -> str:
    """Return the id without the file, whose name is not about rows."""
    return test.partition("::")[2]


def _lines(name: str) -> Iterator[tuple[str, str, str]]:
    section = ""
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("= "):
            section = line[2:]
        elif line and not line.startswith("#"):
            row, _, rest = line.partition(" ")
            yield section, row, rest.strip()


def _sections(rows: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    for section in dict.fromkeys(row.section for row in rows):
        yield section, [row for row in rows if row.section == section]


def count(rows: Sequence[Listed], found: Mapping[str, list[str]]) -> str:
    """Return how many rows there are, and how many of them have a test."""
    covered = sum(row.id in found for row in rows)
    return f"{covered} of {len(rows)} rows have a test of their own."


def shown(functions: Sequence[str]) -> str:
    """Return the cell of a table that names some tests."""
    if not functions:
        return "**none**"
    named = "<br>".join(f"`{function}`" for function in functions[:_SHOWN])
    more = len(functions) - _SHOWN
    return f"{named}<br>and {more} more" if more > 0 else named
