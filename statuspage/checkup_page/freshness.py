"""How old results may be before they say nothing about now."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median_low

from checkup.ports import PublisherSettings
from checkup_page.speech.words import MINUTE

MISSED_RUNS = 3
"""Runs that may be missing before the page stops believing the last one."""

GRACE = MINUTE
"""A scheduler is up to a minute late, and a run takes its time."""

PUBLISHED_EVERY = 5 * MINUTE
"""A page on which nothing changed is published again after this time at the latest."""

MAX_CLOCK_SKEW = 5 * MINUTE
"""By how much a run may be ahead of our clock; beyond that its time is wrong."""

_RECENT = 20
_SAME_SLOT = 1_000_000


def measured_interval(slots: Sequence[int]) -> int | None:
    """Return the usual time between runs, oldest first; None with fewer than two of them.

    It is measured because a schedule outside of this program may differ from the configured
    one. Runs of several regions share a slot, a few nanoseconds apart.
    """
    gaps = [after - before for before, after in pairwise(slots) if after - before > _SAME_SLOT]
    return median_low(gaps[-_RECENT:]) if gaps else None


def expected_interval(measured: int | None, configured: int, timeframe: int) -> int:
    """Return the time between runs to count with.

    What was measured counts, but no more than the time that the page looks back or what was
    configured: two runs that lie a year apart are no promise of a third.
    """
    return min(measured, max(configured, timeframe)) if measured else configured


def max_publish_delay(place: PublisherSettings | None) -> int:
    """Return how long a page may stay as it is where it is put, although nothing is wrong."""
    return place.delay if place else PUBLISHED_EVERY


def max_result_age(interval: int) -> int:
    """Return how old the newest run may be for the page to say how things are."""
    return MISSED_RUNS * interval + GRACE
