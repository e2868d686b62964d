"""Writes the pages under docs/ that are made of the program, and checks them.

python -m tests.papers            write docs/reference.md and docs/budgets.md
python -m tests.papers --check    fail if one of them is stale, or a row of the lists has no test;
                                  write the tables of rows and their tests to var/papers
"""

from __future__ import annotations

import sys

from tests.papers import budgets, reference, tables

FOLDER = tables.ROOT / "var" / "papers"


def main() -> int:
    """Return 0 unless something is wrong."""
    pages = {reference.PAGE: reference.page(), budgets.PAGE: budgets.page()}
    stale = [
        name
        for name, text in pages.items()
        if not (path := tables.ROOT / name).exists() or path.read_text(encoding="utf-8") != text
    ]
    if "--check" in sys.argv[1:]:
        print("".join(f"{name} is stale; run: python -m tests.papers\n" for name in stale), end="")
        return int(bool(stale) or not every_row_is_tested())
    for name in stale:
        (tables.ROOT / name).write_text(pages[name], encoding="utf-8")
        print(f"written: {name}")
    return 0


def every_row_is_tested() -> bool:
    """Write the tables and print what is missing."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = tables.tests_by_row(tables.collect())
    for name in tables.LISTS:
        (FOLDER / f"{name}.md").write_text(tables.table(name, found), encoding="utf-8")
        missing = [row.id for row in tables.read_list(name) if not found[row.id]]
        print(f"{name}.txt: " + (f"no test for {', '.join(missing)}" if missing else "all tested"))
    print(f"tables of rows and tests: {FOLDER.relative_to(tables.ROOT)}")
    return all(found.values())


if __name__ == "__main__":
    sys.exit(main())
