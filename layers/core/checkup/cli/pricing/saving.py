"""What would cost half as much."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from msgspec.structs import replace

from checkup.cli.pricing.usage import StackSize
from checkup.cli.spans import format_timespan

_SLOWER: Final = (2, 3, 5, 10)
_LEAST_MEMORY: Final = 128


class CostSaving(NamedTuple):
    """A change of one thing, and the dollars that a month costs then."""

    what: str
    paid: float


def cheapest_change(sizes: StackSize, paid: Callable[[StackSize], float]) -> CostSaving:
    """Return the smallest change of one thing that halves what is paid, else what saves most.

    Args:
        paid: the dollars for a month of a stack of such sizes.
    """
    enough = paid(sizes) / 2
    savings = [CostSaving(what, paid(smaller)) for what, smaller in _smaller(sizes)]
    most = min(savings, key=lambda saving: saving.paid)
    return next((saving for saving in savings if saving.paid <= enough), most)


def _smaller(sizes: StackSize) -> Iterator[tuple[str, StackSize]]:
    """Yield smaller sizes with what to set, those first that are missed the least."""
    if sizes.architecture != "arm64":
        yield "Architecture=arm64", replace(sizes, architecture="arm64")
    if sizes.memory >= 2 * _LEAST_MEMORY:
        memory = sizes.memory // 2
        yield f"MemorySize={memory}", replace(sizes, memory=memory)
    if sizes.retention > 1:
        days = sizes.retention // 2
        yield f"RunRetentionDays={days}", replace(sizes, retention=days)
    for times in _SLOWER:
        interval = sizes.interval * times
        yield (
            f"a run each {format_timespan(interval)} (interval, Schedule)",
            replace(sizes, interval=interval),
        )
