"""The last days of one component as they are drawn: a bar for each, and words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from msgspec import Struct

from checkup.history.periods import DAY, day_of
from checkup.history.tally import Tally, percent, together
from checkup_page.recent import COLUMNS, Segment
from checkup_page.state import State
from checkup_page.words import counted, day_name, lasting

NONE: Final = "none"
MAINTENANCE: Final = "maintenance"

LOOKS: Final = {
    State.OPERATIONAL: State.OPERATIONAL.word,
    State.DEGRADED: State.DEGRADED.word,
    State.PARTIAL: State.PARTIAL.word,
    State.MAJOR: State.MAJOR.word,
    MAINTENANCE: "Maintenance",
    State.UNKNOWN: State.UNKNOWN.word,
    NONE: "No result",
}
"""How bars look, from good to nothing, and the word for it."""

AT_LEAST: Final = 3
"""Days with results that a bar each is worth; before that, bars are runs and tell more."""

MAJOR_SHARE: Final = 20
"""One part in so many of what is known makes an outage of a day a major one: 72 minutes."""

DEGRADED_SHARE: Final = 100
"""The same for a degraded day: a slow run now and then is no news."""

LISTED, SPOKEN = 5, 3

Counted = Sequence[tuple[int, Tally | None]]
"""Days by their beginning, oldest first, and what was counted of them; None for nothing."""


class DayTrouble(Struct, frozen=True):
    """A day that was not a good one.

    Attributes:
        words: what happened, with how long it lasted.
    """

    day: int
    look: str
    words: str


class DayStrip(Struct, frozen=True, kw_only=True):
    """The last days, the right-most bar being today.

    Attributes:
        segments: all columns from left to right.
        summary: the strip in words, without the component's name.
        uptime: per cent of the observed time, rounded down; None if nothing was observed.
        observed: per cent of the time since ``since``, maintenance left out.
        days: how many days that is about.
        troubles: newest first.
        more: how many further ones are not among them.
    """

    segments: tuple[Segment, ...]
    summary: str
    uptime: str | None
    observed: str | None
    days: int
    troubles: tuple[DayTrouble, ...]
    more: int


def are_enough(days: Counted) -> bool:
    """Say whether there is something on enough days for a bar each."""
    return sum(tally is not None and tally.counted > 0 for _, tally in days) >= AT_LEAST


def day_strip(days: Counted, since: int, now: int) -> DayStrip:
    """Return the strip of the last days.

    Args:
        days: as many as there are columns; the last of them is today.
        since: when the first result came.
        now: the present, up to which today is counted.
    """
    looks = [look_of(tally, min(DAY, now - day)) for day, tally in days]
    troubles = [
        DayTrouble(day, look, _words(tally))
        for (day, tally), look in zip(reversed(days), reversed(looks), strict=True)
        if tally is not None and look not in {State.OPERATIONAL, NONE}
    ]
    begin = max(days[0][0], since)
    total = together(tally for _, tally in days if tally is not None)
    uptime = percent(total.up, total.known)
    observed = percent(total.known, now - begin - total.maintenance)
    covered = (days[-1][0] - day_of(begin)) // DAY + 1
    return DayStrip(
        segments=tuple(_segments(looks)),
        summary=_summary(covered, uptime, observed, troubles),
        uptime=uptime,
        observed=observed,
        days=covered,
        troubles=tuple(troubles[:LISTED]),
        more=max(0, len(troubles) - LISTED),
    )


def look_of(tally: Tally | None, length: int) -> str:
    """Return how a day looks: the worst that was seen, if it is worth a word.

    What is mostly not known never looks well, and any outage is worth a word.

    Args:
        length: how much of the day is over.
    """
    if tally is None or not tally.counted:
        return NONE
    if tally.down:
        return State.MAJOR if tally.down * MAJOR_SHARE >= tally.known else State.PARTIAL
    if tally.maintenance and tally.maintenance >= tally.known:
        return MAINTENANCE
    if 2 * (tally.known + tally.maintenance) < length:
        return State.UNKNOWN if tally.unknown else NONE
    is_degraded = tally.degraded and tally.degraded * DEGRADED_SHARE >= tally.known
    return State.DEGRADED if is_degraded else State.OPERATIONAL


def _segments(looks: Sequence[str]) -> Iterator[Segment]:
    start = COLUMNS - len(looks)
    for look, group in groupby(looks):
        length = len(list(group))
        yield Segment(str(look), start, length)
        start += length


def _words(tally: Tally) -> str:
    parts = (
        (tally.down, "down"),
        (tally.degraded, "degraded"),
        (tally.unknown, "unknown"),
        (tally.maintenance, "in maintenance"),
    )
    return ", ".join(f"{lasting(length)} {word}" for length, word in parts if length)


def _summary(
    days: int, uptime: str | None, observed: str | None, troubles: Sequence[DayTrouble]
) -> str:
    if uptime is None:
        return f"last {counted(days, 'day')}: nothing is known"
    said = [f"{day_name(it.day)} {it.words}" for it in troubles[:SPOKEN]]
    if len(troubles) > SPOKEN:
        said.append(f"and {len(troubles) - SPOKEN} more")
    listed = f"{counted(len(troubles), 'day')} with trouble: {', '.join(said)}"
    return (
        f"last {counted(days, 'day')}: {uptime}% uptime, {observed}% of the time observed, "
        f"{listed if troubles else 'no day with trouble'}"
    )
