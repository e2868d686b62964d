"""Reading the history: the days of a span of time, from a bounded number of files."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from checkup.archive.stored import decoded
from checkup.history.documents import DaysOfMonth, days_key
from checkup.history.fold import open_days
from checkup.history.head import HistoryState
from checkup.history.periods import DAY, HOUR, day_start, format_date
from checkup.history.tally import Tally
from checkup.ports import Storage

Days = Mapping[int, Mapping[str, Tally]]
"""What was counted on each day, by its beginning, and by checker."""


class MonthFile(Struct, frozen=True):
    """A file of closed days, as it was read at a moment; of no version if there was none."""

    at: int
    version: str = ""
    days: Mapping[str, Mapping[str, Tally]] = {}


class MonthCache(Struct):
    """What was read before, so as neither to read nor to sort it again each time.

    Attributes:
        files: by key.
        past: the days before today that the last call has put together, and from what.
    """

    files: dict[str, MonthFile] = field(default_factory=dict)
    past: tuple[tuple[object, ...], Days] = ((), {})

    def get(self, storage: Storage, key: str, now: int) -> MonthFile:
        """Return a file.

        A month that is over changes only when its days are counted again, so an hour may pass
        before it is looked at once more.
        """
        known = self.files.get(key)
        is_over = key < days_key(day_start(now) - DAY)
        if known is not None and is_over and 0 <= now - known.at < HOUR:
            return known
        stored = storage.get(key)
        if stored is None:
            month = MonthFile(now)
        elif known is not None and known.version == stored.version:
            month = MonthFile(now, known.version, known.days)
        else:
            document = decoded(key, stored, DaysOfMonth) or DaysOfMonth()
            month = MonthFile(now, stored.version, document.days)
        self.files[key] = month
        return month


def read_days(
    storage: Storage, head: HistoryState, now: int, count: int, months: MonthCache
) -> tuple[Days, Mapping[str, Tally]]:
    """Return the last days in order, and today.

    The days are the very object of the last call if nothing of them has changed.

    Args:
        count: how many days, today included.

    Raises:
        StorageError: the storage failed, or a newer version of the program keeps the history.
    """
    today = day_start(now)
    days = range(today - (count - 1) * DAY, today, DAY)
    files = {key: months.get(storage, key, now) for key in {days_key(day): None for day in days}}
    opened = {
        day: {name: period.tally for name, period in rows.items()}
        for day, rows in open_days(head, now).items()
    }
    counted = opened.pop(today, {})
    made_of = (today, count, opened, *((key, file.version) for key, file in files.items()))
    if months.past[0] != made_of:
        months.past = (
            made_of,
            {
                day: files[days_key(day)].days.get(format_date(day)) or opened.get(day, {})
                for day in days
            },
        )
    return months.past[1], counted
