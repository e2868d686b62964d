"""Writes the pages under docs/ that are made of the program and of its tests.

python -m tests.papers            write them
python -m tests.papers --check    fail if one of them is not as it would be written
"""

from __future__ import annotations

import sys

from tests.papers import budgets, reference, security, tables


def main() -> int:
    """Return 0 unless a page is checked and is stale."""
    tests = tables.collect()
    pages = {
        tables.COMPAT: tables.compat_table(tests),
        tables.FAULTS: tables.faults_table(tests),
        tables.INVARIANTS: tables.invariants_table(tests),
        security.PAGE: security.table(tests),
        reference.PAGE: reference.page(),
        budgets.PAGE: budgets.page(),
    }
    stale = [
        name
        for name, text in pages.items()
        if not (path := tables.ROOT / name).exists() or path.read_text(encoding="utf-8") != text
    ]
    if "--check" in sys.argv[1:]:
        print("\n".join(f"{name} is stale; run: python -m tests.papers" for name in stale))
        return int(bool(stale))
    for name in stale:
        (tables.ROOT / name).write_text(pages[name], encoding="utf-8")
        print(f"written: {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
