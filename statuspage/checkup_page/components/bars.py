"""The bars of one component and their summary: a bar for each run or each day. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby, pairwise
from typing import Final

from msgspec import Struct

from checkup.history.tally import Tally, add_tallies
from checkup.model import Result, Status, rtt_stats
from checkup.times import DAY, MINUTE, SECOND, day_start
from checkup_page.locale import Locale, load_translations
from checkup_page.status import ComponentStatus

COLUMNS = 90
"""Bars in a strip on a wide screen; it is cut to the newest 60 and 30 on narrower ones."""

SPANS = 10

TimedStatus = tuple[int, ComponentStatus | None]
"""A run's time and the state that was seen in it; None where there is no result."""


class BarSegment(Struct, frozen=True):
    """Neighbouring bars that look the same.

    Attributes:
        status: a state, or ``none`` where there is no result.
        start, length: in bars, counted from the left.
    """

    status: str
    start: int
    length: int


class StatusPeriod(Struct, frozen=True):
    """Successive runs with the same state, from the first to the last of them."""

    state: ComponentStatus | None
    first: int
    last: int


class RunBars(Struct, frozen=True, kw_only=True):
    """The newest results, the right-most bar being the last.

    Attributes:
        segments: all columns from left to right.
        times: when the bars were, see :func:`encode_bar_times`.
        details: nothing; days have something to say.
        starts: the time of the left-most bar when 90, 60 and 30 are shown; None if that bar
            lies before the first result.
        end: the time of the last bar; 0 if there is none.
        summary: the strip in words, without the component's name.
        periods: the strip as a list, newest first, unless nothing ever changed.
        truncated: whether that list was cut.
    """

    segments: tuple[BarSegment, ...]
    times: str
    details: str
    starts: tuple[int | None, int | None, int | None]
    end: int
    summary: str
    periods: tuple[StatusPeriod, ...]
    truncated: bool


def run_bars(shown: Sequence[TimedStatus], locale: Locale) -> RunBars:
    """Return the strip of the newest results; ``shown`` is oldest first."""
    newest = shown[-COLUMNS:]
    spans = tuple(reversed(tuple(_spans(newest))))
    return RunBars(
        segments=tuple(_segments([state for _, state in newest])),
        times=encode_bar_times([at for at, _ in newest]),
        details="",
        starts=(_start(newest, COLUMNS), _start(newest, 60), _start(newest, 30)),
        end=newest[-1][0] if newest else 0,
        summary=_summarize_runs([state for _, state in newest], locale),
        periods=spans[:SPANS] if len(spans) > 1 else (),
        truncated=len(spans) > SPANS,
    )


def _segments(states: Sequence[ComponentStatus | None]) -> Iterator[BarSegment]:
    missing: list[ComponentStatus | None] = [None] * (COLUMNS - len(states))
    start = 0
    for state, group in groupby([*missing, *states]):
        length = len(list(group))
        yield BarSegment("none" if state is None else state.value, start, length)
        start += length


def encode_bar_times(moments: Sequence[int]) -> str:
    """Return when the bars of a strip were, for a script: ``1785751350 60*88,61``.

    That is the second of the last one, and the steps back from it, each with how often it comes.
    """
    seconds = [moment // SECOND for moment in reversed(moments)]
    steps = groupby(after - before for after, before in pairwise(seconds))
    told = ",".join(f"{step}*{len([*group])}" for step, group in steps)
    return f"{seconds[0]} {told}" if seconds else ""


def bar_paths(segments: Iterable[BarSegment]) -> dict[str, str]:
    """Return the paths along which the bars of each look are drawn, each of them 1 wide."""
    paths: dict[str, str] = {}
    for part in segments:
        paths[part.status] = f"{paths.get(part.status, '')}M{part.start} 16h{part.length}"
    return paths


def _start(shown: Sequence[TimedStatus], columns: int) -> int | None:
    return shown[-columns][0] if len(shown) >= columns else None


def _spans(shown: Iterable[TimedStatus]) -> Iterator[StatusPeriod]:
    for state, group in groupby(shown, key=lambda pair: pair[1]):
        times = [at for at, _ in group]
        yield StatusPeriod(state, times[0], times[-1])


def _summarize_runs(states: Sequence[ComponentStatus | None], locale: Locale) -> str:
    counts = Counter("none" if state is None else state.value for state in states)
    parts = [
        locale.translate(f"strip.counted.{look}", n=counts[look])
        for look in (*ComponentStatus, "none")
        if counts[look]
    ]
    if not parts:
        return locale.translate("strip.nothing")
    return locale.translate("strip.summary", n=len(states), parts=", ".join(parts))


def response_time(result: Result | None) -> int | None:
    """Return the median round trip time; None if the result failed or measured nothing."""
    if result is None or result.status not in {Status.HEALTHY, Status.DEGRADED}:
        return None
    return rtt_stats(result.attempts).median or None


NONE: Final = "none"
_CALM: Final = frozenset({ComponentStatus.OPERATIONAL, ComponentStatus.MAINTENANCE, NONE})

BAR_STATUSES: Final = (*ComponentStatus, NONE)
"""How bars look, from good to nothing."""

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

BadDay = tuple[int, Tally]
"""A day that was not a good one, by its beginning."""


class ClosedDayBars(Struct, frozen=True, kw_only=True):
    """The days before today, which do not change any more until tomorrow.

    Attributes:
        begin: when the first of them began.
        segments: a bar for each.
        total: their time by state.
        affected_days: those that were not good ones, newest first.
        details: the same for a script, see :class:`DayBars`.
        days_with_data: on how many of them there are results.
    """

    begin: int
    segments: tuple[BarSegment, ...]
    total: Tally
    affected_days: tuple[BadDay, ...]
    details: str
    days_with_data: int


class DayBars(Struct, frozen=True, kw_only=True):
    """The last days, the right-most bar being today.

    Attributes:
        segments: all columns from left to right.
        times: when the bars were, see :func:`checkup_page.components.bars.encode_bar_times`.
        details: what there is to say of those with trouble, the newest first, for a script: of each
            ``97.91d30u2``, that is the uptime and the minutes ``d``own, de``g``raded,
            ``u``nknown and in ``m``aintenance.
        summary: the strip in words, without the component's name.
        uptime: per cent of the observed time, rounded down; None if nothing was observed.
        coverage: per cent of the time since the first result, maintenance left out.
        days: how many days that is about.
    """

    segments: tuple[BarSegment, ...]
    times: str
    details: str
    summary: str
    uptime: str | None
    coverage: str | None
    days: int


def closed_day_bars(days: Counted) -> ClosedDayBars:
    """Return what is drawn and said of the days before today."""
    looks: list[str] = []
    troubles: list[BadDay] = []
    well, others = 0, []
    for day, tally in days:
        if tally is not None and is_fully_operational(tally, DAY):
            well += tally.healthy
            looks.append(ComponentStatus.OPERATIONAL)
            continue
        look = day_status(tally, DAY)
        looks.append(look)
        if tally is not None:
            others.append(tally)
            if is_affected(look):
                troubles.append((day, tally))
    begin = days[0][0]
    return ClosedDayBars(
        begin=begin,
        segments=merge_bars(looks),
        total=add_tallies([*others, Tally(healthy=well)]),
        affected_days=tuple(reversed(troubles)),
        details=" ".join(_said(tally) for _, tally in reversed(troubles)),
        days_with_data=len(looks) - looks.count(NONE),
    )


def has_enough_days(closed: ClosedDayBars, today: Tally | None) -> bool:
    """Say whether there is something on enough days for a bar each."""
    return closed.days_with_data + (today is not None) >= AT_LEAST


def day_bars(
    closed: ClosedDayBars, today: Tally | None, since: int, now: int, locale: Locale
) -> DayBars:
    """Return the strip of the last days.

    Args:
        closed: one column less than are drawn.
        today: as far as it has come; None if there is nothing of it.
        since: when the first result came.
        now: the present.
        locale: says it.
    """
    day = day_start(now)
    begin = max(closed.begin, since)
    look = day_status(today, now - day)
    total, troubles, said = closed.total, closed.affected_days, closed.details
    if today is not None:
        total = add_tallies([total, today])
        if is_affected(look):
            troubles = ((day, today), *troubles)
            said = f"{_said(today)} {said}".rstrip()
    uptime = total.uptime_percent
    observed = total.coverage_percent(now - begin)
    covered = (day - day_start(begin)) // DAY + 1
    last = (day - closed.begin) // DAY
    return DayBars(
        segments=(*closed.segments, BarSegment(look, last, 1)),
        times=f"{day // SECOND} {DAY // SECOND}*{last}",
        details=said,
        summary=_summary(covered, uptime, troubles, locale),
        uptime=uptime,
        coverage=observed,
        days=covered,
    )


def day_status(tally: Tally | None, length: int) -> str:
    """Return how a day looks: the worst that was seen, if it is worth a word.

    What is mostly not known never looks well, and any outage is worth a word.

    Args:
        length: how much of the day is over.
    """
    if tally is None or not tally.counted:
        return NONE
    if tally.down:
        return (
            ComponentStatus.MAJOR
            if tally.down * MAJOR_SHARE >= tally.observed
            else ComponentStatus.PARTIAL
        )
    if tally.maintenance and tally.maintenance >= tally.observed:
        return ComponentStatus.MAINTENANCE
    if 2 * (tally.observed + tally.maintenance) < length:
        return ComponentStatus.UNKNOWN if tally.unknown else NONE
    is_degraded = tally.degraded and tally.degraded * DEGRADED_SHARE >= tally.observed
    return ComponentStatus.DEGRADED if is_degraded else ComponentStatus.OPERATIONAL


def is_fully_operational(tally: Tally, length: int) -> bool:
    """Say whether a day is like most days: well, and nothing else."""
    return 2 * tally.healthy >= length > 0 and not (
        tally.down or tally.degraded or tally.unknown or tally.maintenance
    )


def merge_bars(looks: Sequence[str]) -> tuple[BarSegment, ...]:
    """Return neighbours that look the same as one."""
    segments, start = [], 0
    for look, group in groupby(looks):
        length = len(list(group))
        segments.append(BarSegment(look, start, length))
        start += length
    return tuple(segments)


def is_affected(look: str) -> bool:
    """Say whether a day was neither a good one nor meant to be like that."""
    return look not in _CALM


def _said(tally: Tally) -> str:
    lengths = zip("dgum", _lengths(tally), strict=True)
    told = "".join(f"{letter}{length // MINUTE}" for letter, length in lengths if length)
    return f"{tally.uptime_percent or ''}{told}"


def _lengths(tally: Tally) -> tuple[int, int, int, int]:
    return tally.down, tally.degraded, tally.unknown, tally.maintenance


def describe_day(tally: Tally, locale: Locale) -> str:
    """Return how long a day was not a good one: ``12 min down, 3 h degraded``."""
    kinds = ("down", "degraded", "unknown", "maintenance")
    return ", ".join(
        locale.translate(f"day.{kind}", length=locale.format_duration(length))
        for kind, length in zip(kinds, _lengths(tally), strict=True)
        if length
    )


def _summary(days: int, uptime: str | None, troubles: Sequence[BadDay], locale: Locale) -> str:
    last = locale.translate("days.last", n=days)
    if uptime is None:
        return locale.translate("days.unknown", last=last)
    if not troubles:
        return locale.translate("days.good", last=last, uptime=uptime)
    told = [_told(locale.translations.code, day, tally) for day, tally in troubles[:LISTED]]
    if len(troubles) > LISTED:
        told.append(locale.translate("days.more", n=len(troubles) - LISTED))
    return locale.translate(
        "days.bad", n=len(troubles), last=last, uptime=uptime, troubles="; ".join(told)
    )


@lru_cache(maxsize=10_000)
def _told(code: str, day: int, tally: Tally) -> str:
    """Return what happened on a day of UTC; the same days are told every few minutes."""
    locale = Locale(translations=load_translations(code))
    return locale.translate(
        "day.told", day=locale.format_day(day), parts=describe_day(tally, locale)
    )
