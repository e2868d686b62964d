"""The page of the budgets of ``bench/budgets.toml``, with the last measurements."""

from __future__ import annotations

from typing import Final

from bench.budgets import last_seen, load

PAGE: Final = "docs/budgets.md"

_HEAD: Final = """\
# Budgets and last measurements

*must* is the limit of a measure, *reach* its goal; smaller is better. Both sides of a ratio are
measured in the same run. `make bench` measures all of them on an idle machine with two cores or
more, and exits with 1 if a budget is missed.

This page is generated from `bench/budgets.toml` and `bench/seen.json` by `make papers`; do not edit
it.

| # | measure | must | reach | last measurement |
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
