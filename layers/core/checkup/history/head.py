"""What is remembered between folds: the cursor, and the hour and day that are still open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field

from checkup.history.tally import Tally
from checkup.history.times import LatencyHistogram
from checkup.model import Status

SCHEMA: Final = 1
"""The version of the layout of all documents here; a newer one is never overwritten."""


class OpenCounters(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What there is to know of one checker to go on counting.

    Attributes:
        first, last: the slots of its first and of its last result.
        status: of its last result.
        planned: that result came in a maintenance window.
        counted: the moment up to which its time has been counted.
        until: the moment from which on its last result no longer stands.
        gaps: the last intervals between its results.
        hour, hour_times: what has been counted of the open hour.
        day, day_times: what has been counted of the open day, that hour included.
    """

    first: int
    last: int
    status: Status
    planned: bool = False
    counted: int
    until: int
    gaps: tuple[int, ...] = ()
    hour: Tally = Tally()
    hour_times: LatencyHistogram = LatencyHistogram()
    day: Tally = Tally()
    day_times: LatencyHistogram = LatencyHistogram()


class HistoryState(Struct, frozen=True, kw_only=True):
    """The document ``history/head.json``.

    Attributes:
        cursor: the key of the last run that was folded.
        hour: when the open hour began; 0 before the first run.
        accounts: by checker id.
        inconclusive: runs in a row in which the reference targets failed too, by region.
    """

    schema: int = SCHEMA
    cursor: str = ""
    hour: int = 0
    accounts: Mapping[str, OpenCounters] = field(default_factory=dict)
    inconclusive: Mapping[str, int] = field(default_factory=dict)


class PeriodAggregate(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One closed hour or day of one checker."""

    tally: Tally = Tally()
    times: LatencyHistogram = LatencyHistogram()


class DayStart(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a day began, so that it can be counted again without the runs before it.

    Attributes:
        first_run: the moment in the key of the first run that was folded on that day, or later if
            there was none.
        accounts, inconclusive: as in the head.
    """

    first_run: int
    accounts: Mapping[str, OpenCounters] = field(default_factory=dict)
    inconclusive: Mapping[str, int] = field(default_factory=dict)


class ClosedPeriods(Struct, frozen=True, kw_only=True):
    """What a fold has finished, by the beginnings of hours and days, and by checker."""

    hours: Mapping[int, Mapping[str, PeriodAggregate]] = field(default_factory=dict)
    days: Mapping[int, Mapping[str, PeriodAggregate]] = field(default_factory=dict)
    openings: Mapping[int, DayStart] = field(default_factory=dict)
