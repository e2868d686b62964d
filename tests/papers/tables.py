"""Which tests show which row of the four lists beside this module.

``compat.txt`` has what the Go program does, ``faults.txt`` what can go wrong, ``invariants.txt``
what always holds, and ``security.txt`` what is asked of the security. A test names the rows that it
shows in a mark: ``@pytest.mark.row("133", "I4")``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parent.parent
LISTS: Final = ("compat", "faults", "invariants", "security")


class CollectedTest(NamedTuple):
    """A test as pytest collects it, with the rows that its marks name."""

    id: str
    rows: frozenset[str] = frozenset()


class Row(Struct, frozen=True):
    """One line of a list.

    Attributes:
        section: the heading above it.
        kind: match, superset or deviation; empty outside of ``compat.txt``.
        reason: why the answer differs from what is asked, or what else there is to know.
        faults: rows of ``faults.txt`` whose tests show this one, too.
    """

    section: str
    id: str
    text: str
    kind: str = ""
    reason: str = ""
    faults: tuple[str, ...] = ()


def collect() -> tuple[CollectedTest, ...]:
    """Collect all tests, sorted by id, without running any.

    Raises:
        SystemExit: pytest could not collect them.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        options = ["--collect-only", "-q", "-p", "no:randomly", "-p", "tests.papers.collecting"]
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", *options, "--rows-to", str(file)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode != 0:
            raise SystemExit(ended.stdout[-2000:] + ended.stderr[-2000:])
        found = json.loads(file.read_text(encoding="utf-8"))
    return tuple(sorted(CollectedTest(name, frozenset(rows)) for name, rows in found))


def read_list(name: str) -> tuple[Row, ...]:
    """Return the rows of one of ``LISTS``."""
    section, rows = "", list[Row]()
    for line in (HERE / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("= "):
            section = line[2:]
        elif line.startswith("  because "):
            rows[-1] = replace(rows[-1], reason=line.removeprefix("  because "))
        elif line.startswith("  faults "):
            rows[-1] = replace(rows[-1], faults=tuple(line.split()[1:]))
        elif line and not line.startswith("#"):
            row, _, text = line.partition(" ")
            kind = reason = ""
            if name == "compat":
                kind, _, text = text.partition(" ")
                text, _, reason = text.partition("|")
            rows.append(Row(section, row, text.strip(), kind, reason.strip()))
    return tuple(rows)


def tests_by_row(tests: Iterable[CollectedTest]) -> Mapping[str, Sequence[str]]:
    """Return the test functions of each row of all lists, in order, each once."""
    named: dict[str, dict[str, None]] = defaultdict(dict)
    for test in tests:
        for row in test.rows:
            named[row][test.id.partition("[")[0]] = None
    return {
        row.id: list(dict.fromkeys(it for key in (row.id, *row.faults) for it in named[key]))
        for name in LISTS
        for row in read_list(name)
    }


def table(name: str, found: Mapping[str, Sequence[str]]) -> str:
    """Return a list as Markdown, with the tests of each row."""
    rows, lines, section = read_list(name), list[str](), ""
    for row in rows:
        if row.section != section:
            section = row.section
            lines += [f"\n## {section}\n", "| row | meaning | tests |", "|---|---|---|"]
        meaning = "; ".join(filter(None, (row.text, row.kind, row.reason)))
        tests = "<br>".join(f"`{test}`" for test in found[row.id]) or "**none**"
        lines.append(f"| {row.id} | {meaning} | {tests} |")
    covered = sum(bool(found[row.id]) for row in rows)
    head = [f"# {name}.txt\n", f"{covered} of {len(rows)} rows have a test."]
    return "\n".join([*head, *lines]) + "\n"
