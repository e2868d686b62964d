"""How many checkers have to run at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from checkup.ports import Checker

MIN_CONCURRENCY: Final = 5
"""The Go program's number, which is enough where checkers answer."""

MAX_CONCURRENCY: Final = 256
"""A function of Lambda has 1,024 descriptors, and a checker may need three."""


def default_concurrency(checkers: Sequence[Checker], run_deadline: int) -> int:
    """Return the number with which each checker has its verdict even if all of them hang.

    With less, a mass failure would leave those at the end of the file without a look, in every
    run again: unknown, and so never announced.

    Args:
        run_deadline: how long a run may take, in nanoseconds.
    """
    times = [min(checker.longest, run_deadline) for checker in checkers]
    # The last one to start still needs its own time; where there is none, some will be cut short.
    room = max(run_deadline - max(times, default=0), run_deadline // 4)
    return max(MIN_CONCURRENCY, min(MAX_CONCURRENCY, -(-sum(times) // room)))
