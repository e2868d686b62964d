"""Prints what was measured beside what is allowed, and fails if it is more."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Final

_ROW: Final = "{:<62} {:>10} {:>10} {:>10}   {}"
HEAD: Final = _ROW.format("budget", "seen", "must", "reach", "")

_REACHED, _PASS, _FAIL = "pass, reached", "pass", "FAIL"


@dataclass
class Table:
    """The rows of one benchmark.

    Attributes:
        failed: the measures that are over their bound.
    """

    failed: list[str] = field(default_factory=list)

    def row(self, measure: str, figure: float, must: float, reach: float, unit: str = "") -> None:
        """Print one figure and its bounds; smaller is better.

        Args:
            measure: begins with the number of its budget, or with a space if that is the last one.
        """
        verdict = _FAIL if figure > must else _PASS if figure > reach else _REACHED
        cells = (_shown(it) + unit for it in (figure, must, reach))
        print(_ROW.format(measure, *cells, verdict), flush=True)
        if figure > must:
            self.failed.append(measure)

    def note(self, measure: str, figure: float, unit: str = "") -> None:
        """Print a figure that has no bound."""
        print(_ROW.format(measure, _shown(figure) + unit, "", "", "").rstrip(), flush=True)

    def end(self) -> None:
        """Exit, with 1 if a bound was not kept."""
        sys.exit(1 if self.failed else 0)


def is_row(line: str) -> bool:
    """Say whether a printed line has a figure with bounds."""
    return line.rstrip().endswith((_REACHED, _PASS, _FAIL))


def _shown(figure: float) -> str:
    return f"{figure:.3g}" if abs(figure) < 100 else f"{figure:.0f}"
