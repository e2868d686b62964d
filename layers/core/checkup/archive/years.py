"""The document of the last year: read, or made of the files of days and kept."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Final

from checkup.archive.stored import decode_part, decoded, load, save
from checkup.errors import StorageError
from checkup.history.documents import DaysOfMonth, LazyLatency, days_key, encode, latency_key
from checkup.history.head import HistoryState, PeriodAggregate
from checkup.history.periods import DAY, day_start, format_date, month_start
from checkup.history.summing import YearBuilder, advance_year, expiring_days
from checkup.history.times import LatencyHistogram
from checkup.history.year import DAYS, YEAR, YearDocument
from checkup.ports import Storage

_log = logging.getLogger(__name__)

FEW: Final = 3
"""Days that are added to an old year one by one; after more of them it is made anew."""

Open = Mapping[int, Mapping[str, PeriodAggregate]]
"""Days that are over and in no file yet, by their beginnings."""


def load_year(storage: Storage, head: HistoryState, today: int, opened: Open) -> YearDocument:
    """Return the year before a day; it is made and kept if nobody has done that yet today.

    On most days that is the year of the day before and one more day, for which the files of a
    few months are read: two of that day, and one for each day that is too old from now on. Else
    all files of days are read. What is in no file yet is not kept either.

    Args:
        storage: where it is.
        head: where the history is.
        today: when the day begins that comes after the last one.
        opened: the days before it that are in no file yet.

    Raises:
        StorageError: the storage failed, or a newer version of the program keeps the history.
    """
    stored = storage.get(YEAR)
    kept = None if stored is None else decoded(YEAR, stored, YearDocument)
    if kept is not None and kept.end == format_date(today):
        return kept
    year = _continued(storage, kept, today, opened) or _made(storage, today, opened)
    if today == day_start(head.hour):
        try:
            save(storage, YEAR, stored, encode(year))
        except StorageError as error:
            _log.info("%s is not kept, the next page makes it again: %s", YEAR, error)
    return year


def reset_year(storage: Storage) -> None:
    """Let it be made again, because days are going to be counted again.

    Raises:
        StorageError: the storage failed.
    """
    stored = storage.get(YEAR)
    if stored is not None:
        save(storage, YEAR, stored, encode(YearDocument()))


def _continued(
    storage: Storage, kept: YearDocument | None, end: int, opened: Open
) -> YearDocument | None:
    """Return what a year that ended not long ago has become; None if that cannot be told."""
    for days in range(1, FEW + 1):
        if kept is not None and kept.end == format_date(end - days * DAY):
            try:
                return _with(storage, kept, range(end - days * DAY, end, DAY), opened)
            except ValueError as error:
                _log.info("%s is made anew: %s", YEAR, error)
    return None


def _with(storage: Storage, year: YearDocument, days: Iterable[int], opened: Open) -> YearDocument:
    for day in days:
        gone = [_times(storage, it) for it in expiring_days(day)]
        ((_, periods),) = _days(storage, [day])
        year = advance_year(year, day, opened.get(day) or periods, gone)
    return year


def _made(storage: Storage, end: int, opened: Open) -> YearDocument:
    summing = YearBuilder(end)
    for day, periods in _days(storage, range(end - DAYS * DAY, end, DAY)):
        summing.add(day, opened.get(day) or periods)
    return summing.year()


def _days(
    storage: Storage, days: Iterable[int]
) -> Iterator[tuple[int, Mapping[str, PeriodAggregate]]]:
    """Yield the closed days, with the response times of one of them at a time in memory."""
    for month, group in groupby(days, key=month_start):
        tallies = load(storage, days_key(month), DaysOfMonth) or DaysOfMonth()
        times = load(storage, latency_key(month), LazyLatency) or LazyLatency()
        for day in group:
            timed = _times_of(times, day)
            yield (
                day,
                {
                    checker: PeriodAggregate(
                        tally=tally, times=timed.get(checker, LatencyHistogram())
                    )
                    for checker, tally in tallies.days.get(format_date(day), {}).items()
                },
            )


def _times(storage: Storage, day: int) -> Mapping[str, LatencyHistogram]:
    return _times_of(load(storage, latency_key(day), LazyLatency) or LazyLatency(), day)


def _times_of(month: LazyLatency, day: int) -> Mapping[str, LatencyHistogram]:
    return decode_part(latency_key(day), month.days, format_date(day), LatencyHistogram)
