"""Prints what was measured beside what is allowed, and fails if it is more."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field


@dataclass
class Table:
    """The rows of one benchmark.

    Attributes:
        failed: the measures that are over their bound.
    """

    failed: list[str] = field(default_factory=list)

    def row(self, measure: str, figure: float, must: float, reach: float, unit: str = "") -> None:
        """Print one figure; smaller is better."""
        verdict = "FAIL" if figure > must else "pass" if figure > reach else "pass, reached"
        bounds = f"must {_shown(must)}{unit}, reach {_shown(reach)}{unit}"
        print(f"{measure:<58} {_shown(figure) + unit:>10}   {bounds:<34} {verdict}", flush=True)
        if figure > must:
            self.failed.append(measure)

    def note(self, measure: str, figure: float, unit: str = "") -> None:
        """Print a figure that has no bound."""
        print(f"{measure:<58} {_shown(figure) + unit:>10}", flush=True)

    def end(self) -> None:
        """Exit, with 1 if a bound was not kept."""
        sys.exit(1 if self.failed else 0)


def _shown(figure: float) -> str:
    return f"{figure:.3g}" if abs(figure) < 100 else f"{figure:.0f}"
