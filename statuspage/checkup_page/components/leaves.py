"""The calendar of one component: twelve leaves, a month on each. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple

from msgspec import Struct

from checkup.history.periods import DAY
from checkup_page.components.days import describe_day, is_affected
from checkup_page.components.series import ChartSeries
from checkup_page.components.stretches import Month, PeriodStats
from checkup_page.speech.voice import Locale
from checkup_page.speech.words import to_datetime

WEEK: Final = 7
EPOCH: Final = 3
"""The first of January 1970 was a Thursday; Monday is 0."""


class CalendarMonth(Struct, frozen=True, kw_only=True):
    """One month up to the present day.

    Attributes:
        begin: when it began.
        weekday: that of its first day; 0 for Monday.
        looks: that of each day, as of a bar.
        words: what happened on those that were not good ones, by the number of the day.
        stretch: what it came to; None if it was over before the first result.
    """

    begin: int
    weekday: int
    looks: Sequence[str]
    words: dict[int, str]
    stretch: PeriodStats | None


class AffectedDay(NamedTuple):
    """A day that was not a good one, and what happened."""

    day: date
    look: str
    words: str


def calendar_months(
    days: ChartSeries, months: Sequence[Month], told: Sequence[PeriodStats], voice: Locale
) -> tuple[CalendarMonth, ...]:
    """Return the calendar.

    Args:
        days: a column for each.
        months: those that it shows.
        told: what they came to.
        voice: says what happened.
    """
    stretches = {stretch.name: stretch for stretch in told}
    return tuple(
        _leaf(days, days.between(begin, end), stretches.get(name), voice)
        for name, begin, end in months
    )


def affected_days(calendar: Sequence[CalendarMonth]) -> Iterator[AffectedDay]:
    """Yield the days that were not good ones, newest first."""
    for leaf in reversed(calendar):
        for number, words in reversed(leaf.words.items()):
            day = leaf.begin + (number - 1) * DAY
            yield AffectedDay(to_datetime(day).date(), leaf.looks[number - 1], words)


def _leaf(
    days: ChartSeries, shown: slice, stretch: PeriodStats | None, voice: Locale
) -> CalendarMonth:
    begin = days.begin + shown.start * DAY
    looks = days.looks[shown]
    told = ((at, days.tallies[at]) for at in range(shown.start, shown.stop) if at in days.tallies)
    return CalendarMonth(
        begin=begin,
        weekday=(begin // DAY + EPOCH) % WEEK,
        looks=looks,
        words={
            at - shown.start + 1: describe_day(tally, voice)
            for at, tally in told
            if is_affected(days.looks[at])
        },
        stretch=stretch,
    )
