"""The budgets, and how a benchmark prints a figure beside what it may be.

The numbers are in ``budgets.toml`` alone; ``seen.json`` has the figures that were measured last.
"""

from __future__ import annotations

import json
import math
import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

FIGURES: Final = "BENCH_FIGURES"
"""The environment variable with the file that a benchmark adds its figures to, one a line."""

LONG: Final = "BENCH_LONG"
"""The environment variable that is set when what takes ten minutes is measured too."""

MISSED: Final = 3
"""The exit code of a benchmark that ran to its end and missed a budget."""

_FILE: Final = Path(__file__).with_name("budgets.toml")
_LINE: Final = "{:<3} {:>9} {:>9} {:>9}  {:<17} {}"
HEAD: Final = _LINE.format("#", "seen", "must", "reach", "", "measure")


@dataclass(frozen=True)
class Budget:
    """One measure and its bounds; smaller is better.

    Attributes:
        row: its number in the table; several measures can share one, and some have none.
        bench: the benchmark that measures it; empty if what it is about is not built.
        must, reach: what it may be at most, and what it is to become, in ``unit``.
    """

    measure: str
    must: float
    reach: float
    row: str = ""
    bench: str = ""
    unit: str = ""

    def shown(self, figure: float) -> str:
        """Return a figure in the budget's unit."""
        return shown(figure, self.unit)

    def outcome(self, figure: float | None) -> str:
        """Return in a word whether a figure keeps the budget; None if it was not measured."""
        if figure is None:
            return "not measured" if self.bench else "missed: not built"
        return "missed" if figure > self.must else "kept" if figure > self.reach else "reached"

    def line(self, figure: float | None) -> str:
        """Return the line of the table."""
        seen = "-" if figure is None else self.shown(figure)
        bounds = self.shown(self.must), self.shown(self.reach)
        return _LINE.format(self.row or "-", seen, *bounds, self.outcome(figure), self.measure)


def load() -> Mapping[str, Budget]:
    """Return the budgets by their names, in the order of the table."""
    return {name: Budget(**it) for name, it in tomllib.loads(_FILE.read_text("utf-8")).items()}


def last_seen() -> Mapping[str, float]:
    """Return the figures that were kept last, by the names of their budgets."""
    found: Mapping[str, float] = json.loads(_FILE.with_name("seen.json").read_text())
    return found


def shown(figure: float, unit: str = "") -> str:
    """Return a figure with three digits and its unit; infinity is what never happened."""
    if math.isinf(figure):
        return "never"
    if unit == "$":
        return f"${figure:.2f}"
    digits = f"{figure:.0f}" if abs(figure) >= 100 else f"{float(f'{figure:.3g}'):g}"
    return f"{digits} {unit}".rstrip()


@dataclass
class Table:
    """The figures of one benchmark.

    Attributes:
        missed: the names of budgets that are not kept.
    """

    budgets: Mapping[str, Budget] = field(default_factory=load)
    missed: list[str] = field(default_factory=list)

    def row(self, name: str, figure: float) -> None:
        """Print a figure that has a budget; `run.py` finds it in the file that it asked for."""
        budget = self.budgets[name]
        print(budget.line(figure), flush=True)
        if figure > budget.must:
            self.missed.append(name)
        if FIGURES in os.environ:
            with Path(os.environ[FIGURES]).open("a") as file:
                print(json.dumps([name, figure]), file=file)

    def note(self, measure: str, figure: float, unit: str = "") -> None:
        """Print a figure that has no budget."""
        print(_LINE.format("", shown(figure, unit.strip()), "", "", "", measure), flush=True)

    def end(self) -> None:
        """Exit, with ``MISSED_RUNS`` if a budget is not kept."""
        sys.exit(MISSED if self.missed else 0)
