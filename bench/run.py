"""Run all benchmarks, then show all budgets in one table; exit with 1 if one is missed.

A benchmark that fails does not stop the others. With names, as in ``run.py https start``, only
those benchmarks run and only their budgets are shown.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from budgets import FIGURES, HEAD, LONG, MISSED, Budget, last_seen, load

HERE = Path(__file__).parent


def main() -> int:
    """Return 1 if a budget is missed or a benchmark failed."""
    known = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of: {', '.join(known)}")
    parser.add_argument("--long", action="store_true", help="measure what takes long, too")
    parser.add_argument("--keep", action="store_true", help="write the figures to bench/seen.json")
    options = parser.parse_args()
    if unknown := set(options.names) - set(known):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")

    figures: dict[str, float] = {}
    failed: list[str] = []
    for name in options.names or known:
        print(f"\n{name}", flush=True)
        found, code = run(name, is_long=options.long)
        figures |= found
        if code not in {0, MISSED}:
            failed.append(name)
    if options.keep:
        seen = {**last_seen(), **{name: float(f"{it:.4g}") for name, it in figures.items()}}
        (HERE / "seen.json").write_text(json.dumps(seen, indent=2) + "\n")
    shown = {
        name: budget
        for name, budget in load().items()
        if not options.names or budget.bench in options.names
    }
    return conclude(shown, figures, failed)


def run(name: str, *, is_long: bool) -> tuple[dict[str, float], int]:
    """Run one benchmark; return its figures and its exit code."""
    with tempfile.NamedTemporaryFile("r") as file:
        environ = {**os.environ, FIGURES: file.name, **({LONG: "1"} if is_long else {})}
        command = [sys.executable, HERE / f"bench_{name}.py"]
        code = subprocess.run(command, env=environ, check=False).returncode
        return dict(map(json.loads, file)), code


def conclude(budgets: dict[str, Budget], figures: dict[str, float], failed: list[str]) -> int:
    """Print the table and what is wrong in it; return the exit code."""
    print(f"\n{HEAD}")
    missed: list[str] = []
    absent: list[str] = []
    for name, budget in budgets.items():
        figure = figures.get(name)
        print(budget.line(figure))
        if figure is None and budget.bench:
            absent.append(name)
        elif figure is None or figure > budget.must:
            missed.append(name)
    for title, names in (("missed", missed), ("not measured", absent), ("failed", failed)):
        if names:
            print(f"\n{title}: {', '.join(names)}")
    return int(bool(missed or failed))


if __name__ == "__main__":
    sys.exit(main())
