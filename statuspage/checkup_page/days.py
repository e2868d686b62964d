"""The last days of one component as they are drawn: a bar for each, and words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from msgspec import Struct

from checkup.history.periods import DAY, day_of
from checkup.history.tally import Tally, percent, together
from checkup_page.recent import Segment
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

LISTED: Final = 3
"""Days with trouble that are told one by one."""

Counted = Sequence[tuple[int, Tally | None]]
"""Days by their beginning, oldest first, and what was counted of them; None for nothing."""


class ClosedDays(Struct, frozen=True, kw_only=True):
    """The days before today, which do not change any more until tomorrow.

    Attributes:
        begin: when the first of them began.
        segments: a bar for each.
        total: their time by state.
        troubles: what happened on those that were not good ones, newest first.
        filled: on how many of them there are results.
    """

    begin: int
    segments: tuple[Segment, ...]
    total: Tally
    troubles: tuple[str, ...]
    filled: int


class DayStrip(Struct, frozen=True, kw_only=True):
    """The last days, the right-most bar being today.

    Attributes:
        segments: all columns from left to right.
        summary: the strip in words, without the component's name.
        uptime: per cent of the observed time, rounded down; None if nothing was observed.
        observed: per cent of the time since the first result, maintenance left out.
        days: how many days that is about.
        troubles: what happened on the last days that were not good ones; may be empty.
    """

    segments: tuple[Segment, ...]
    summary: str
    uptime: str | None
    observed: str | None
    days: int
    troubles: str


def closed_days(days: Counted) -> ClosedDays:
    """Return what is drawn and said of the days before today."""
    looks: list[str] = []
    troubles: list[str] = []
    well, others = 0, []
    for day, tally in days:
        if tally is not None and _is_plain(tally):
            well += tally.healthy
            looks.append(State.OPERATIONAL)
            continue
        look = look_of(tally, DAY)
        looks.append(look)
        if tally is not None:
            others.append(tally)
            troubles += _troubles(day, tally, look)
    return ClosedDays(
        begin=days[0][0],
        segments=tuple(_segments(looks)),
        total=together([*others, Tally(healthy=well)]),
        troubles=tuple(reversed(troubles)),
        filled=len(looks) - looks.count(NONE),
    )


def are_enough(closed: ClosedDays, today: Tally | None) -> bool:
    """Say whether there is something on enough days for a bar each."""
    return closed.filled + (today is not None) >= AT_LEAST


def day_strip(closed: ClosedDays, today: Tally | None, since: int, now: int) -> DayStrip:
    """Return the strip of the last days.

    Args:
        closed: one column less than are drawn.
        today: as far as it has come; None if there is nothing of it.
        since: when the first result came.
        now: the present.
    """
    day = day_of(now)
    begin = max(closed.begin, since)
    look = look_of(today, now - day)
    total, troubles = closed.total, closed.troubles
    if today is not None:
        total = together([total, today])
        troubles = (*_troubles(day, today, look), *troubles)
    uptime = percent(total.up, total.known)
    observed = percent(total.known, now - begin - total.maintenance)
    covered = (day - day_of(begin)) // DAY + 1
    return DayStrip(
        segments=(*closed.segments, Segment(look, (day - closed.begin) // DAY, 1)),
        summary=_summary(covered, uptime, len(troubles)),
        uptime=uptime,
        observed=observed,
        days=covered,
        troubles=_listed(troubles),
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


def _is_plain(tally: Tally) -> bool:
    """Say whether a day is like most days: well, and nothing else."""
    return 2 * tally.healthy >= DAY and not (
        tally.down or tally.degraded or tally.unknown or tally.maintenance
    )


def _segments(looks: Sequence[str]) -> list[Segment]:
    segments, start = [], 0
    for look, group in groupby(looks):
        length = len(list(group))
        segments.append(Segment(look, start, length))
        start += length
    return segments


def _troubles(day: int, tally: Tally, look: str) -> list[str]:
    """Return what happened on a day, unless it was a good one or meant to be like that."""
    if look in {State.OPERATIONAL, MAINTENANCE, NONE}:
        return []
    parts = (
        (tally.down, "down"),
        (tally.degraded, "degraded"),
        (tally.unknown, "unknown"),
        (tally.maintenance, "in maintenance"),
    )
    words = ", ".join(f"{lasting(length)} {word}" for length, word in parts if length)
    return [f"{day_name(day)}: {words}"]


def _listed(troubles: Sequence[str]) -> str:
    listed = [*troubles[:LISTED]]
    if len(troubles) > LISTED:
        listed.append(f"{counted(len(troubles) - LISTED, 'more day')} with trouble")
    return " · ".join(listed)


def _summary(days: int, uptime: str | None, troubles: int) -> str:
    last = f"last {counted(days, 'day')}"
    if uptime is None:
        return f"{last}: nothing is known"
    listed = f"{counted(troubles, 'day')} with trouble" if troubles else "no day with trouble"
    return f"{last}: {uptime}% uptime, {listed}"
