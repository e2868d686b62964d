"""The page of the budgets: those of ``bench/budgets.toml``, with what was measured last."""

from __future__ import annotations

from typing import Final

from bench.budgets import last_seen, load

PAGE: Final = "docs/budgets.md"

_HEAD: Final = """\
# Budgets, and what was measured last

*must* is what a measure may be at most, *reach* is what it is to become; smaller is better. Both
sides of a ratio are measured in the same run. `make bench` measures them all on an idle machine
with two cores or more, each benchmark to its end, and exits with 1 if a budget is missed.

This page is made of `bench/budgets.toml` and `bench/seen.json` by `make papers`; do not edit it.

| # | measure | must | reach | last seen |
|---|---|---|---|---|
"""


def page() -> str:
    """Return the page."""
    seen = last_seen()
    lines: list[str] = []
    for name, budget in load().items():
        figure = seen.get(name)
        outcome = budget.outcome(figure)
        last = outcome if figure is None else f"{budget.shown(figure)}, {outcome}"
        bounds = f"{budget.shown(budget.must)} | {budget.shown(budget.reach)}"
        lines.append(f"| {budget.row or '–'} | {budget.measure} | {bounds} | {last} |\n")  # noqa: RUF001
    return _HEAD + "".join(lines)
