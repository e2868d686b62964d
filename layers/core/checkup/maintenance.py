"""Maintenance windows: times in which failures are expected, once or recurring. Pure.

A recurring window starts by the local time of its zone, and lasts its length in real time: one from
01:30 for two hours starts at 01:30 on the day that the clocks change, too.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from msgspec import Struct

from checkup.times import DAY, SECOND

# Which days a recurring window begins on: the part of RFC 5545's RRULE that speaks of days. Pure.
#
# A rule is never expanded from its beginning: each of its parts says of a given day whether it
# fits, so a rule that is ten years old costs no more than one of today. Only COUNT has to count.


_WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")

_PARTS: Final = (
    "FREQ",
    "INTERVAL",
    "COUNT",
    "UNTIL",
    "BYDAY",
    "BYMONTHDAY",
    "BYMONTH",
    "WKST",
)

_Part = TypeVar("_Part")
_WEEKDAY: Final = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_UNTIL: Final = {
    re.compile(r"\d{8}", re.ASCII): "%Y%m%d",
    re.compile(r"\d{8}T\d{6}", re.ASCII): "%Y%m%dT%H%M%S",
    re.compile(r"\d{8}T\d{6}Z", re.ASCII): "%Y%m%dT%H%M%S%z",
}


class RecurrenceRule(Struct, frozen=True, kw_only=True):
    """A recurrence by days.

    Attributes:
        frequency: DAILY, WEEKLY, MONTHLY or YEARLY.
        interval: only every so many days, weeks, months or years.
        count: how often it happens at all; 0 without an end.
        until: the last time at which it may begin: with a zone, or by the window's clock. A date
            includes its whole day.
        days: weekdays (Monday is 0), each with its place in the month: 1 for the first, -1 for
            the last, 0 for each.
        month_days: days of the month; -1 is the last.
        months: months of the year.
        week_start: the day on which weeks begin, for every other week.
    """

    frequency: str
    interval: int = 1
    count: int = 0
    until: datetime | date | None = None
    days: tuple[tuple[int, int], ...] = ()
    month_days: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    week_start: int = 0

    def occurs_on(self, day: date, first: date) -> bool:
        """Say whether it happens on a day, if it happened first on ``first``; ignores ``until``."""
        if day < first:
            return False
        if day != first and not self._fits(day, first):
            return False
        return not self.count or self._happened(first, day) <= self.count

    def ended_before(self, begin: datetime) -> bool:
        """Say whether ``until`` is before a time, which has the window's zone."""
        if self.until is None:
            return False
        if not isinstance(self.until, datetime):
            return begin.date() > self.until
        until = self.until if self.until.tzinfo else self.until.replace(tzinfo=begin.tzinfo)
        # Python compares times of the same zone by the clock on the wall.
        return begin.astimezone(UTC) > until.astimezone(UTC)

    def _fits(self, day: date, first: date) -> bool:
        if self.months and day.month not in self.months:
            return False
        return self._period(day, first) % self.interval == 0 and self._fits_period(day, first)

    def _period(self, day: date, first: date) -> int:
        """Return how many days, weeks, months or years lie between."""
        match self.frequency:
            case "DAILY":
                return (day - first).days
            case "WEEKLY":
                return (self._week(day) - self._week(first)).days // 7
            case "MONTHLY":
                return (day.year - first.year) * 12 + day.month - first.month
            case _:
                return day.year - first.year

    def _week(self, day: date) -> date:
        return day - timedelta(days=(day.weekday() - self.week_start) % 7)

    def _fits_period(self, day: date, first: date) -> bool:
        named = self.days or self.month_days
        if self.frequency == "WEEKLY" and not named:
            return day.weekday() == first.weekday()
        if self.frequency in {"MONTHLY", "YEARLY"} and not named:
            same_month = self.frequency == "MONTHLY" or self.months or day.month == first.month
            return bool(same_month) and day.day == first.day
        return self._is_named_weekday(day) and self._is_named_month_day(day)

    def _is_named_weekday(self, day: date) -> bool:
        length = calendar.monthrange(day.year, day.month)[1]
        places = {0, (day.day - 1) // 7 + 1, -((length - day.day) // 7 + 1)}
        return not self.days or any(
            weekday == day.weekday() and place in places for weekday, place in self.days
        )

    def _is_named_month_day(self, day: date) -> bool:
        length = calendar.monthrange(day.year, day.month)[1]
        return not self.month_days or not {day.day, day.day - length - 1}.isdisjoint(
            self.month_days
        )

    def _happened(self, first: date, last: date) -> int:
        """Return how often it happens from the first day to the last, both included."""
        span = ((first + timedelta(days=number)) for number in range((last - first).days + 1))
        return sum(day == first or self._fits(day, first) for day in span)


def parse_rrule(text: str) -> RecurrenceRule:
    """Read a rule such as ``FREQ=WEEKLY;BYDAY=SU`` or ``FREQ=MONTHLY;BYDAY=1TU``.

    Raises:
        ValueError: it is no rule, or has a part that is not about days.
    """
    parts = _parts(text)
    frequency = parts.get("FREQ", "")
    if frequency not in _FREQUENCIES:
        raise ValueError(f"repeat needs a FREQ, one of {', '.join(_FREQUENCIES)}")
    if "COUNT" in parts and "UNTIL" in parts:
        raise ValueError("repeat has either a COUNT or an UNTIL")
    rule = RecurrenceRule(
        frequency=frequency,
        interval=_number("INTERVAL", parts.get("INTERVAL", "1"), 1, 10_000),
        count=_number("COUNT", parts["COUNT"], 1, 10_000) if "COUNT" in parts else 0,
        until=_until(parts["UNTIL"]) if "UNTIL" in parts else None,
        days=_each(parts, "BYDAY", _day),
        month_days=_each(parts, "BYMONTHDAY", lambda word: _number("BYMONTHDAY", word, -31, 31)),
        months=_each(parts, "BYMONTH", lambda word: _number("BYMONTH", word, 1, 12)),
        week_start=_day(parts.get("WKST", "MO"))[0],
    )
    in_months = frequency == "MONTHLY" or (frequency == "YEARLY" and rule.months)
    if any(place for _, place in rule.days) and not in_months:
        raise ValueError("repeat: BYDAY counts weekdays only in months (FREQ=MONTHLY, BYMONTH)")
    return rule


def _parts(text: str) -> Mapping[str, str]:
    words = text.upper().removeprefix("RRULE:").strip().strip(";").split(";")
    parts = dict(word.partition("=")[::2] for word in words if word)
    for name in parts:
        if name not in _PARTS:
            known = ", ".join(_PARTS)
            raise ValueError(f'repeat has the part "{name}"; what is understood is {known}')
    return parts


def _each(parts: Mapping[str, str], name: str, read: Callable[[str], _Part]) -> tuple[_Part, ...]:
    return tuple(read(word.strip()) for word in parts[name].split(",")) if name in parts else ()


def _day(word: str) -> tuple[int, int]:
    found = _WEEKDAY.fullmatch(word)
    if found is None:
        raise ValueError(f'repeat: "{word}" is no weekday; write MO, TU, or 1MO, -1FR')
    return _WEEKDAYS.index(found[2]), int(found[1] or 0)


def _number(name: str, word: str, least: int, most: int) -> int:
    try:
        number = int(word)
    except ValueError:
        number = 0
    if not least <= number <= most or not number:
        raise ValueError(f"repeat: {name}={word} is no number from {least} to {most}")
    return number


def _until(word: str) -> datetime | date:
    form = next((form for pattern, form in _UNTIL.items() if pattern.fullmatch(word)), "")
    try:
        until = datetime.strptime(word, form)  # noqa: DTZ007 - without Z it is local
    except ValueError:
        raise ValueError(
            f"repeat: UNTIL={word} is no date such as 20261231, and no time such as "
            "20261231T220000Z"
        ) from None
    return until if "T" in form else until.date()


class MaintenanceWindow(Struct, frozen=True, kw_only=True):
    """A maintenance window.

    Attributes:
        start: when it begins, the first time.
        duration: how long it lasts each time, in nanoseconds.
        rule: when it comes again; None for one that does not.
        timezone: the zone by whose clock it comes again.
        checkers, groups: whom it is about; everything if both are empty.
    """

    start: int
    duration: int
    title: str = ""
    rule: RecurrenceRule | None = None
    timezone: str = "UTC"
    checkers: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    def covers(self, checker: str, group: str) -> bool:
        """Say whether it is about a checker of this id and group."""
        everything = not self.checkers and not self.groups
        return everything or checker in self.checkers or group in self.groups

    def end_at(self, moment: int) -> int:
        """Return when the window that is open at a moment ends; 0 if none is open.

        It begins at ``start`` and is over at its end: the end itself is outside.
        """
        if self.rule is None:
            return self.start + self.duration if 0 <= moment - self.start < self.duration else 0
        return max(self._ends(moment, self.rule), default=0)

    def starts_between(self, since: int, until: int) -> Iterator[int]:
        """Yield when it begins between two moments, the second not included."""
        if self.rule is None:
            if since <= self.start < until:
                yield self.start
            return
        zone = ZoneInfo(self.timezone)
        first = _wall(self.start, zone)
        day = _wall(max(since, self.start), zone).date()
        # A day more, for zones in which the last moment is on the day after.
        for number in range(max(0, until - since) // DAY + 2):
            begin = self._begin(self.rule, day + timedelta(days=number), first)
            if begin is not None and since <= begin < until:
                yield begin

    def _ends(self, moment: int, rule: RecurrenceRule) -> list[int]:
        """Return the end of each time that is going on; long ones may overlap."""
        if moment < self.start:
            return []
        zone = ZoneInfo(self.timezone)
        first, today = _wall(self.start, zone), _wall(moment, zone).date()
        # A day more than it lasts, for the days that are 25 hours long.
        back = range(self.duration // DAY + 2)
        begins = [self._begin(rule, today - timedelta(days=number), first) for number in back]
        return [
            begin + self.duration
            for begin in begins
            if begin is not None and 0 <= moment - begin < self.duration
        ]

    def _begin(self, rule: RecurrenceRule, day: date, first: datetime) -> int | None:
        """Return when it begins on a day, or None: when the clock shows the time of the first one.

        A time that a day does not have, because clocks go forward, counts as the hour before it
        does; of a time that it has twice, the first one counts (PEP 495, ``fold=0``).
        """
        if not rule.occurs_on(day, first.date()):
            return None
        begin = datetime.combine(day, first.time().replace(fold=0), first.tzinfo)
        return None if rule.ended_before(begin) else int(begin.timestamp()) * SECOND


def _wall(moment: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(moment // SECOND, UTC).astimezone(zone)


class ScheduledMaintenance(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Maintenance that was announced while the program was running.

    Attributes:
        checkers, groups: in order; everything if both are empty.
    """

    start: int
    end: int
    title: str = ""
    checkers: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    @property
    def window(self) -> MaintenanceWindow:
        """The same, as a window of the configuration."""
        return MaintenanceWindow(
            start=self.start,
            duration=self.end - self.start,
            title=self.title,
            checkers=frozenset(self.checkers),
            groups=frozenset(self.groups),
        )
