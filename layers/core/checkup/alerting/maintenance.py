"""Times in which failures are expected, once or again and again. Pure.

A window that repeats does so by the clock on the wall of its zone, and lasts its length in real
time: one from 01:30 for two hours begins at 01:30 on the day that the clocks change, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from checkup.alerting.recurrence import RecurrenceRule
from checkup.model import SECOND

_DAY: Final = 24 * 3600 * SECOND


class MaintenanceWindow(Struct, frozen=True, kw_only=True):
    """A maintenance window.

    Attributes:
        start: when it begins, the first time.
        length: how long it lasts each time, in nanoseconds.
        rule: when it comes again; None for one that does not.
        timezone: the zone by whose clock it comes again.
        checkers, groups: whom it is about; everything if both are empty.
    """

    start: int
    length: int
    title: str = ""
    rule: RecurrenceRule | None = None
    timezone: str = "UTC"
    checkers: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    def concerns(self, checker: str, group: str) -> bool:
        """Say whether it is about a checker of this id and group."""
        everything = not self.checkers and not self.groups
        return everything or checker in self.checkers or group in self.groups

    def end_at(self, moment: int) -> int:
        """Return when the window that is open at a moment ends; 0 if none is open.

        It begins at ``start`` and is over at its end: the end itself is outside.
        """
        if self.rule is None:
            return self.start + self.length if 0 <= moment - self.start < self.length else 0
        return max(self._ends(moment, self.rule), default=0)

    def begins(self, since: int, until: int) -> Iterator[int]:
        """Yield when it begins between two moments, the second not included."""
        if self.rule is None:
            if since <= self.start < until:
                yield self.start
            return
        zone = ZoneInfo(self.timezone)
        first = _wall(self.start, zone)
        day = _wall(max(since, self.start), zone).date()
        # A day more, for zones in which the last moment is on the day after.
        for number in range(max(0, until - since) // _DAY + 2):
            if self.rule.begins_on(day + timedelta(days=number), first.date()):
                begin = _begin(day + timedelta(days=number), first, zone)
                if since <= begin < until:
                    yield begin

    def _ends(self, moment: int, rule: RecurrenceRule) -> list[int]:
        """Return the end of each time that is going on; long ones may overlap."""
        if moment < self.start:
            return []
        zone = ZoneInfo(self.timezone)
        first, today = _wall(self.start, zone), _wall(moment, zone).date()
        # A day more than it lasts, for the days that are 25 hours long.
        back = range(self.length // _DAY + 2)
        days = (today - timedelta(days=number) for number in back)
        begins = [_begin(day, first, zone) for day in days if rule.begins_on(day, first.date())]
        return [at + self.length for at in begins if 0 <= moment - at < self.length]


def _wall(moment: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(moment // SECOND, UTC).astimezone(zone)


def _begin(day: date, first: datetime, zone: ZoneInfo) -> int:
    """Return the moment at which the clock shows the time of the first beginning.

    A time that a day does not have, because clocks go forward, counts as the hour before it
    does; of a time that it has twice, the first one counts (PEP 495, ``fold=0``).
    """
    wall = datetime.combine(day, first.time().replace(fold=0), zone)
    return int(wall.timestamp()) * SECOND
