"""Reading the history: the days of a span of time, from a bounded number of files."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from checkup.archive.stored import read
from checkup.history.documents import DaysOfMonth, days_key
from checkup.history.fold import until
from checkup.history.head import Head
from checkup.history.periods import DAY, HOUR, date_of, day_of
from checkup.history.tally import Tally
from checkup.ports import Storage

Days = Mapping[int, Mapping[str, Tally]]
"""What was counted on each day, by its beginning, and by checker."""


class Months(Struct):
    """Files of closed days that were read before, so as not to read them again each time.

    Attributes:
        read: each with the moment at which it was read.
    """

    read: dict[str, tuple[int, DaysOfMonth]] = field(default_factory=dict)

    def get(self, storage: Storage, key: str, now: int) -> DaysOfMonth:
        """Return a file.

        A month that is over changes only when its days are counted again, so an hour may pass
        before it is looked at once more.
        """
        at, document = self.read.get(key, (0, DaysOfMonth()))
        is_over = key < days_key(day_of(now) - DAY)
        if not (is_over and 0 <= now - at < HOUR):
            document = read(storage, key, DaysOfMonth) or DaysOfMonth()
            self.read[key] = (now, document)
        return document


def days_until(storage: Storage, head: Head, now: int, count: int, months: Months) -> Days:
    """Return the last days in order, today being the last of them.

    Raises:
        StorageError: the storage failed, or a newer version of the program keeps the history.
    """
    today = day_of(now)
    days = range(today - (count - 1) * DAY, today + 1, DAY)
    closed: dict[str, Mapping[str, Tally]] = {}
    for key in {days_key(day): None for day in days}:
        closed |= months.get(storage, key, now).days
    open_days = until(head, now)
    return {
        day: closed.get(date_of(day))
        or {name: period.tally for name, period in open_days.get(day, {}).items()}
        for day in days
    }
