"""How long a result stands. Pure.

A result stands until the next one, but not for ever: when nobody looks any more, nothing is
known. The usual time between results decides, measured from the results themselves, so that it
need not be configured and the same results always count the same.
"""

from __future__ import annotations

from statistics import median_low
from typing import Final

from checkup.history.periods import DAY, HOUR
from checkup.model import SECOND

INTERVALS: Final = 3
"""Usual intervals for which a result stands; the page stops believing it after as many."""

GRACE: Final = 60 * SECOND
"""A scheduler is up to a minute late."""

FIRST_LIFETIME: Final = HOUR
"""How long the very first result stands at most, when nothing is usual yet."""

MAX_LIFETIME: Final = 8 * DAY
"""How long a result stands at most: who looks once a week has no gaps."""

INTERVALS_KEPT: Final = 5
"""Intervals that tell what is usual; a few odd ones among them change nothing."""


def result_lifetime(gaps: tuple[int, ...]) -> int:
    """Return how long a result stands that comes after these intervals."""
    if not gaps:
        return FIRST_LIFETIME
    return min(INTERVALS * median_low(gaps) + GRACE, MAX_LIFETIME)
