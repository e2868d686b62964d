"""Runs all benchmarks, and then shows all budgets in one table; fails if one is not kept.

Names of benchmarks as arguments, as in ``run.py https start``, leave out the others.
"""

from __future__ import annotations

import subprocess
import sys
from itertools import takewhile
from pathlib import Path

from budgets import HEAD, is_row

Row = tuple[int, str]
"""The number of a budget, and a printed line about it."""


def main(names: list[str]) -> int:
    """Return 1 if a bound was not kept or a benchmark did not come to its end."""
    rows: list[Row] = []
    failed: list[str] = []
    for name in names or benchmarks():
        print(f"\n{name}", flush=True)
        found, is_well = run(name)
        rows += found
        if not is_well:
            failed.append(name)
    print(f"\n{HEAD}")
    for _, line in sorted(rows, key=lambda row: row[0]):
        print(line, end="")
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return int(bool(failed))


def benchmarks() -> list[str]:
    """Return the names of all."""
    here = Path(__file__).parent
    return sorted(path.stem.removeprefix("bench_") for path in here.glob("bench_*.py"))


def run(name: str) -> tuple[list[Row], bool]:
    """Run one and show what it prints; return its budgets, and whether all are kept."""
    file = Path(__file__).with_name(f"bench_{name}.py")
    rows: list[Row] = []
    number = 0
    with subprocess.Popen([sys.executable, file], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        for line in running.stdout:
            print(line, end="", flush=True)
            if is_row(line):
                number = int("".join(takewhile(str.isdigit, line)) or number)
                rows.append((number, line))
    return rows, running.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
