"""The document of the last year: read, or made of the files of days and kept."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from checkup.archive.stored import decoded, put, read, slice_of
from checkup.errors import StorageError
from checkup.history.documents import (
    DaysOfMonth,
    SlicedTimes,
    days_key,
    encode,
    times_key,
)
from checkup.history.head import Head, Period
from checkup.history.periods import DAY, date_of, day_of, month_start
from checkup.history.times import Times
from checkup.history.year import DAYS, YEAR, Summing, Year
from checkup.ports import Storage

_log = logging.getLogger(__name__)

Open = Mapping[int, Mapping[str, Period]]
"""Days that are over and in no file yet, by their beginnings."""


def year_until(storage: Storage, head: Head, today: int, opened: Open) -> Year:
    """Return the year before a day; it is made and kept if nobody has done that yet today.

    It is read on each day but one time, and that is the only time that files of days are read:
    two for each month. What is in no file yet is not kept either.

    Args:
        storage: where it is.
        head: where the history is.
        today: when the day begins that comes after the last one.
        opened: the days before it that are in no file yet.

    Raises:
        StorageError: the storage failed, or a newer version of the program keeps the history.
    """
    stored = storage.get(YEAR)
    kept = None if stored is None else decoded(YEAR, stored, Year)
    if kept is not None and kept.end == date_of(today):
        return kept
    year = _made(storage, today, opened)
    if today == day_of(head.hour):
        try:
            put(storage, YEAR, stored, encode(year))
        except StorageError as error:
            _log.info("%s is not kept, the next page makes it again: %s", YEAR, error)
    return year


def forget_year(storage: Storage) -> None:
    """Let it be made again, because days are going to be counted again.

    Raises:
        StorageError: the storage failed.
    """
    stored = storage.get(YEAR)
    if stored is not None:
        put(storage, YEAR, stored, encode(Year()))


def _made(storage: Storage, end: int, opened: Open) -> Year:
    summing = Summing(end)
    for day, periods in _days(storage, range(end - DAYS * DAY, end, DAY)):
        summing.add(day, opened.get(day) or periods)
    return summing.year()


def _days(storage: Storage, days: Iterable[int]) -> Iterator[tuple[int, Mapping[str, Period]]]:
    """Yield the closed days, with the response times of one of them at a time in memory."""
    for month, group in groupby(days, key=month_start):
        tallies = read(storage, days_key(month), DaysOfMonth) or DaysOfMonth()
        times = read(storage, times_key(month), SlicedTimes) or SlicedTimes()
        for day in group:
            date = date_of(day)
            timed = slice_of(times_key(month), times.days, date, Times)
            yield (
                day,
                {
                    checker: Period(tally=tally, times=timed.get(checker, Times()))
                    for checker, tally in tallies.days.get(date, {}).items()
                },
            )
