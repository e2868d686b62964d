"""The documents of the history, and their keys.

``head.json`` is the state between updates; when a day is over, its hours are a file, and its
tallies and latencies are part of the two files of its month. Reading a span of time takes the
files of that span, however much came before it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec
from msgspec import Struct, field

from checkup.history.latency import LatencyHistogram
from checkup.history.tally import PeriodAggregate, Tally
from checkup.model import Status
from checkup.times import format_date, format_month

_log = logging.getLogger(__name__)

SCHEMA: Final = 1
"""The version of the layout of all documents here; a newer one is never overwritten."""

FOLDER: Final = "history/"
HISTORY_KEY: Final = FOLDER + "head.json"
PAGE_KEY: Final = FOLDER + "page.json"
HOURS: Final = FOLDER + "hours/"
DAYS: Final = FOLDER + "days/"
TIMES: Final = FOLDER + "times/"


def hours_key(day: int) -> str:
    """Return where the hours of a day are."""
    return f"{HOURS}{format_date(day)}.json"


def days_key(day: int) -> str:
    """Return where the days of the month of a day are."""
    return f"{DAYS}{format_month(day)}.json"


def latency_key(day: int) -> str:
    """Return where the response times of the month of a day are."""
    return f"{TIMES}{format_month(day)}.json"


class OpenCounters(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What it takes to go on counting one checker.

    Attributes:
        first, last: the slots of its first and of its last result.
        status: of its last result.
        in_maintenance: that result came in a maintenance window.
        counted_until: the time up to which its status has been counted.
        valid_until: the time from which on its last result is no longer valid.
        intervals: the last intervals between its results.
        hour, hour_latency: what has been counted of the open hour.
        day, day_latency: what has been counted of the open day, that hour included.
    """

    first: int
    last: int
    status: Status
    in_maintenance: bool = field(name="planned", default=False)
    counted_until: int = field(name="counted")
    valid_until: int = field(name="until")
    intervals: tuple[int, ...] = field(name="gaps", default=())
    hour: Tally = Tally()
    hour_latency: LatencyHistogram = field(name="hour_times", default=LatencyHistogram())
    day: Tally = Tally()
    day_latency: LatencyHistogram = field(name="day_times", default=LatencyHistogram())


class HistoryState(Struct, frozen=True, kw_only=True):
    """The document ``history/head.json``.

    Attributes:
        cursor: the key of the last run that was applied.
        hour: when the open hour began; 0 before the first run.
        checkers: by checker id.
        inconclusive: runs in a row in which the reference targets failed too, by region.
    """

    schema: int = SCHEMA
    cursor: str = ""
    hour: int = 0
    checkers: Mapping[str, OpenCounters] = field(name="accounts", default_factory=dict)
    inconclusive: Mapping[str, int] = field(default_factory=dict)


class PageIdentity(Struct, frozen=True, kw_only=True):
    """The document ``history/page.json``, written with the first page and never changed.

    Attributes:
        seed: the source of the public ids: ``page.id`` or ``page.url`` of that page.
    """

    schema: int = 1
    seed: str = ""


class DayStart(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The state at the start of a day, to count it again without the runs before it.

    Attributes:
        first_run: the time in the key of the first run that was applied on that day, or later if
            there was none.
        checkers, inconclusive: as in the state.
    """

    first_run: int
    checkers: Mapping[str, OpenCounters] = field(name="accounts", default_factory=dict)
    inconclusive: Mapping[str, int] = field(default_factory=dict)


class ClosedPeriods(Struct, frozen=True, kw_only=True):
    """What runs have closed, by the beginnings of hours and days, and by checker."""

    hours: Mapping[int, Mapping[str, PeriodAggregate]] = field(default_factory=dict)
    days: Mapping[int, Mapping[str, PeriodAggregate]] = field(default_factory=dict)
    openings: Mapping[int, DayStart] = field(default_factory=dict)


class HoursOfDay(Struct, frozen=True, kw_only=True):
    """The document ``history/hours/2026-08-03.json``.

    Attributes:
        opening: None if it is unknown.
        hours: by two digits and by checker.
    """

    schema: int = SCHEMA
    opening: DayStart | None = None
    hours: Mapping[str, Mapping[str, PeriodAggregate]] = field(default_factory=dict)


class DaysOfMonth(Struct, frozen=True, kw_only=True):
    """The document ``history/days/2026-08.json``: closed days, by date and by checker."""

    schema: int = SCHEMA
    days: Mapping[str, Mapping[str, Tally]] = field(default_factory=dict)


class LatencyOfMonth(Struct, frozen=True, kw_only=True):
    """The document ``history/times/2026-08.json``: closed days, by date and by checker."""

    schema: int = SCHEMA
    days: Mapping[str, Mapping[str, LatencyHistogram]] = field(default_factory=dict)


class LazyHours(Struct, frozen=True, kw_only=True):
    """:class:`HoursOfDay` to be decoded hour by hour: all hours of many checkers are large."""

    hours: Mapping[str, msgspec.Raw] = field(default_factory=dict)


class LazyLatency(Struct, frozen=True, kw_only=True):
    """:class:`LatencyOfMonth` to be decoded day by day, for the same reason."""

    days: Mapping[str, msgspec.Raw] = field(default_factory=dict)


Part = TypeVar("Part", bound=Struct)


def decode_part(
    key: str, parts: Mapping[str, msgspec.Raw], name: str, kind: type[Part]
) -> Mapping[str, Part]:
    """Return one part of a lazy document, by checker; nothing if none can be read."""
    if name not in parts:
        return {}
    try:
        return msgspec.json.decode(parts[name], type=dict[str, kind])  # type: ignore[valid-type]
    except ValueError as error:
        _log.warning("%s: %s cannot be read: %s", key, name, error)
        return {}
