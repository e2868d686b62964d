"""The status of a component, a group or the page, its public reason, and its age limit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import pairwise
from statistics import median_low
from typing import Final

from checkup.interfaces import PublisherSettings
from checkup.model import Result, Status
from checkup.times import MINUTE

MISSED_RUNS = 3
"""Runs that may be missing before the newest result is stale."""

GRACE = MINUTE
"""A scheduler is up to a minute late, and a run takes its time."""

PUBLISHED_EVERY = 5 * MINUTE
"""An unchanged page is published again after this time at the latest."""

MAX_CLOCK_SKEW = 5 * MINUTE
"""How far a run may be ahead of this clock; beyond that its own clock is wrong."""

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
    """Return the time between runs that the age limit is based on.

    The measured one, but at most the configured one or the page's time frame: two runs a year
    apart do not make a yearly schedule.
    """
    return min(measured, max(configured, timeframe)) if measured else configured


def max_publish_delay(places: Iterable[PublisherSettings]) -> int:
    """Return how old an unchanged page may get at the slowest of its places."""
    return max((place.max_delay for place in places), default=PUBLISHED_EVERY)


def max_result_age(interval: int) -> int:
    """Return the age from which on the newest result is stale."""
    return MISSED_RUNS * interval + GRACE


SLOW: Final = "reason.slow"

_PHRASES: Final = {
    "body": "reason.answer",
    "connect": "reason.connection",
    "deadline": "reason.time",
    "dns": "reason.name",
    "empty": "reason.answer",
    "network": "reason.connection",
    "protocol": "reason.answer",
    "short": "reason.answer",
    "status": "reason.error",
    "tls": "reason.secure",
    "unreachable": "reason.connection",
}
"""By the first word of the failure class; no more than a visitor could find out.

The error's text is private, because it may contain addresses and contents, and so is the rest of
the class. A class that is not listed is not shown.
"""


def public_reason(result: Result) -> str:
    """Return a translation key, or an empty string."""
    if result.status is Status.DEGRADED:
        return SLOW if result.threshold else ""
    if result.status is Status.DOWN:
        return _PHRASES.get(result.failure.partition("_")[0], "")
    return ""


class ComponentStatus(StrEnum):
    """The statuses of the page, named as in the API of Statuspage where it has them."""

    OPERATIONAL = "operational"
    DEGRADED = "degraded"
    PARTIAL = "partial_outage"
    MAJOR = "major_outage"
    MAINTENANCE = "maintenance"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, status: Status) -> ComponentStatus:
        """Return the status of a component whose checker has this one."""
        return _STATES[status]

    @classmethod
    def combined(cls, states: Iterable[ComponentStatus]) -> ComponentStatus:
        """Return the status of several components: an outage of all of them is a major one.

        Unknown is worse than operational and better than degraded. Maintenance counts only if
        all others are operational.
        """
        every = set(states)
        seen = every - {cls.MAINTENANCE}
        if seen != every and seen <= {cls.OPERATIONAL}:
            return cls.MAINTENANCE
        if seen == {cls.MAJOR}:
            return cls.MAJOR
        if seen & {cls.MAJOR, cls.PARTIAL}:
            return cls.PARTIAL
        if cls.DEGRADED in seen:
            return cls.DEGRADED
        return cls.OPERATIONAL if seen == {cls.OPERATIONAL} else cls.UNKNOWN


_STATES = {
    Status.HEALTHY: ComponentStatus.OPERATIONAL,
    Status.DEGRADED: ComponentStatus.DEGRADED,
    Status.DOWN: ComponentStatus.MAJOR,
    Status.UNKNOWN: ComponentStatus.UNKNOWN,
}
