"""The calendar of one component: twelve leaves, a month on each. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from msgspec import Struct

from checkup.history.chronicle import Chronicle
from checkup.history.periods import DAY, day_of
from checkup.history.tally import Tally
from checkup_page.days import is_trouble, look_of, what_happened
from checkup_page.stretches import Stretch, last_months, months
from checkup_page.voice import Voice
from checkup_page.words import datetime_of

WEEK: Final = 7
EPOCH: Final = 3
"""The first of January 1970 was a Thursday; Monday is 0."""


class Square(NamedTuple):
    """One day of a month.

    Attributes:
        look: as of a bar.
        words: what happened, if it was not a good one.
    """

    number: int
    look: str
    words: str


class Leaf(Struct, frozen=True, kw_only=True):
    """One month up to the present day.

    Attributes:
        begin: when it began.
        weekday: that of its first day; 0 for Monday.
        stretch: what it came to; None if it was over before the first result.
    """

    begin: int
    weekday: int
    days: tuple[Square, ...]
    stretch: Stretch | None


class Trouble(NamedTuple):
    """A day that was not a good one, and what happened."""

    day: date
    look: str
    words: str


def leaves(chronicle: Chronicle, voice: Voice) -> tuple[Leaf, ...]:
    """Return the last twelve months, oldest first."""
    tallies = {point.start: point.tally for point in chronicle.days}
    stretches = {stretch.name: stretch for stretch in months(chronicle)}
    today = day_of(chronicle.until)
    return tuple(
        Leaf(
            begin=begin,
            weekday=(begin // DAY + EPOCH) % WEEK,
            days=tuple(_squares(tallies, begin, min(end, today + DAY), chronicle.until, voice)),
            stretch=stretches.get(name),
        )
        for name, begin, end in last_months(today)
    )


def troubles(calendar: Sequence[Leaf]) -> Iterator[Trouble]:
    """Yield the days that were not good ones, newest first."""
    for leaf in reversed(calendar):
        for square in reversed(leaf.days):
            if square.words:
                day = leaf.begin + (square.number - 1) * DAY
                yield Trouble(datetime_of(day).date(), square.look, square.words)


def _squares(
    tallies: Mapping[int, Tally], begin: int, end: int, until: int, voice: Voice
) -> Iterator[Square]:
    for number, day in enumerate(range(begin, end, DAY), start=1):
        tally = tallies.get(day)
        look = look_of(tally, min(DAY, until - day))
        told = tally is not None and is_trouble(look)
        yield Square(number, look, what_happened(tally, voice) if told and tally else "")
