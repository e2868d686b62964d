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
"""Bars of a component on a wide screen; narrower ones show the newest 60 and 30."""

MAX_PERIODS = 10
"""Recent changes that are listed."""

TimedStatus = tuple[int, ComponentStatus | None]
"""A run's slot and the component's status in it; None without a result."""


class BarSegment(Struct, frozen=True):
    """Neighbouring bars with the same status.

    Attributes:
        status: a :class:`ComponentStatus`, or ``none`` without a result.
        start, length: in bars, counted from the left.
    """

    status: str
    start: int
    length: int


class StatusPeriod(Struct, frozen=True):
    """Consecutive runs with the same status.

    Attributes:
        first, last: their slots; ``first`` is None if the status may have begun before the oldest
            run that is shown.
    """

    state: ComponentStatus | None
    first: int | None
    last: int


class RunBars(Struct, frozen=True, kw_only=True):
    """A bar for each of the newest runs; the last bar is the newest run.

    Attributes:
        segments: all bars, oldest first.
        times: of the bars, see :func:`encode_bar_times`.
        details: empty; only days have details.
        starts: the time of the first bar when 90, 60 and 30 are shown; None if the first of them
            is the first result of all.
        end: the time of the last bar; 0 if there is none.
        summary: for screen readers, without the component's name.
        periods: the bars as a list, newest first; empty if the status never changed.
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


def run_bars(
    shown: Sequence[TimedStatus], locale: Locale, *, first_seen: int | None = None
) -> RunBars:
    """Return the bars of the newest results.

    Args:
        shown: oldest first.
        locale: of the summary.
        first_seen: the time of the first known result, if that is earlier.
    """
    newest = shown[-COLUMNS:]
    starts_later = bool(newest) and first_seen is not None and first_seen < newest[0][0]
    is_cut = len(shown) >= COLUMNS or starts_later
    periods = tuple(reversed(tuple(_periods(newest, is_cut=is_cut))))
    return RunBars(
        segments=tuple(_segments([state for _, state in newest])),
        times=encode_bar_times([at for at, _ in newest]),
        details="",
        starts=(
            _start(newest, COLUMNS, is_cut=is_cut),
            _start(newest, 60, is_cut=is_cut),
            _start(newest, 30, is_cut=is_cut),
        ),
        end=newest[-1][0] if newest else 0,
        summary=_summarize_runs([state for _, state in newest], locale),
        periods=periods[:MAX_PERIODS] if len(periods) > 1 else (),
        truncated=len(periods) > MAX_PERIODS,
    )


def _segments(states: Sequence[ComponentStatus | None]) -> Iterator[BarSegment]:
    missing: list[ComponentStatus | None] = [None] * (COLUMNS - len(states))
    start = 0
    for state, group in groupby([*missing, *states]):
        length = len(list(group))
        yield BarSegment("none" if state is None else state.value, start, length)
        start += length


def encode_bar_times(times_ns: Sequence[int]) -> str:
    """Return the times of bars for the script: ``1785751350 60*88,61``.

    The last one in seconds, then the steps back from it, each with its number of repetitions.
    """
    seconds = [time_ns // SECOND for time_ns in reversed(times_ns)]
    steps = groupby(after - before for after, before in pairwise(seconds))
    steps_text = ",".join(f"{step}*{len([*group])}" for step, group in steps)
    return f"{seconds[0]} {steps_text}" if seconds else ""


def bar_paths(segments: Iterable[BarSegment]) -> dict[str, str]:
    """Return the SVG path of the bars of each status; a bar is 1 wide."""
    paths: dict[str, str] = {}
    for part in segments:
        paths[part.status] = f"{paths.get(part.status, '')}M{part.start} 16h{part.length}"
    return paths


def _start(shown: Sequence[TimedStatus], columns: int, *, is_cut: bool) -> int | None:
    return shown[-columns:][0][0] if len(shown) >= columns or is_cut else None


def _periods(shown: Sequence[TimedStatus], *, is_cut: bool) -> Iterator[StatusPeriod]:
    for state, group in groupby(shown, key=lambda pair: pair[1]):
        times = [at for at, _ in group]
        may_be_older = is_cut and times[0] == shown[0][0]
        yield StatusPeriod(state, None if may_be_older else times[0], times[-1])


def _summarize_runs(states: Sequence[ComponentStatus | None], locale: Locale) -> str:
    counts = Counter("none" if state is None else state.value for state in states)
    parts = [
        locale.translate(f"bars.count.{status}", n=counts[status])
        for status in (*ComponentStatus, "none")
        if counts[status]
    ]
    if not parts:
        return locale.translate("bars.no_results")
    return locale.translate("bars.summary", n=len(states), parts=", ".join(parts))


def response_time(result: Result | None) -> int | None:
    """Return the median round trip time; None if the result failed or measured nothing."""
    if result is None or result.status not in {Status.HEALTHY, Status.DEGRADED}:
        return None
    return rtt_stats(result.attempts).median or None


NONE: Final = "none"
_CALM: Final = frozenset({ComponentStatus.OPERATIONAL, ComponentStatus.MAINTENANCE, NONE})

BAR_STATUSES: Final = (*ComponentStatus, NONE)
"""The statuses of bars, in the order of the legend."""

MIN_DAYS: Final = 3
"""With results on fewer days than this, bars are runs."""

MAJOR_SHARE: Final = 20
"""A day is a major outage if a 20th of its observed time was down: 72 minutes."""

DEGRADED_SHARE: Final = 100
"""A day is degraded if a 100th of its observed time was."""

LISTED: Final = 3
"""Affected days that the summary lists."""

Counted = Sequence[tuple[int, Tally | None]]
"""Days by their start, oldest first, with their tallies; None without data."""

DayTally = tuple[int, Tally]
"""An affected day by its start."""


class ClosedDayBars(Struct, frozen=True, kw_only=True):
    """The bars of the days before today, which stay the same until tomorrow.

    Attributes:
        begin: start of the first day.
        segments: a bar for each day.
        total: their time by state.
        affected_days: newest first, see :func:`is_affected`.
        details: the same for the script, see :class:`DayBars`.
        days_with_data: how many days have results.
    """

    begin: int
    segments: tuple[BarSegment, ...]
    total: Tally
    affected_days: tuple[DayTally, ...]
    details: str
    days_with_data: int


class DayBars(Struct, frozen=True, kw_only=True):
    """A bar for each of the last days; the last bar is today.

    Attributes:
        segments: all bars, oldest first.
        times: of the bars, see :func:`encode_bar_times`.
        details: of the affected days, newest first, for the script: ``97.91d30u2`` is the uptime
            and the minutes ``d``own, de``g``raded, ``u``nknown and in ``m``aintenance.
        summary: for screen readers, without the component's name.
        uptime: see :attr:`Tally.uptime_percent`.
        coverage: see :meth:`Tally.coverage_percent`; of the time since the first result.
        days: the number of days since the first result.
    """

    segments: tuple[BarSegment, ...]
    times: str
    details: str
    summary: str
    uptime: str | None
    coverage: str | None
    days: int


def closed_day_bars(days: Counted) -> ClosedDayBars:
    """Return the bars of the days before today."""
    statuses: list[str] = []
    affected: list[DayTally] = []
    healthy, others = 0, []
    for day, tally in days:
        if tally is not None and is_fully_operational(tally, DAY):
            healthy += tally.healthy
            statuses.append(ComponentStatus.OPERATIONAL)
            continue
        status = day_status(tally, DAY)
        statuses.append(status)
        if tally is not None:
            others.append(tally)
            if is_affected(status):
                affected.append((day, tally))
    begin = days[0][0]
    return ClosedDayBars(
        begin=begin,
        segments=merge_bars(statuses),
        total=add_tallies([*others, Tally(healthy=healthy)]),
        affected_days=tuple(reversed(affected)),
        details=" ".join(_day_details(tally) for _, tally in reversed(affected)),
        days_with_data=len(statuses) - statuses.count(NONE),
    )


def has_enough_days(closed: ClosedDayBars, today: Tally | None) -> bool:
    """Whether enough days have results for the bars to be days."""
    return closed.days_with_data + (today is not None) >= MIN_DAYS


def day_bars(
    closed: ClosedDayBars, today: Tally | None, since: int, now: int, locale: Locale
) -> DayBars:
    """Return the bars of the last days.

    Args:
        closed: all days but today.
        today: so far; None without data.
        since: the time of the first result.
        now: the time, in nanoseconds since the epoch.
        locale: of the summary.
    """
    day = day_start(now)
    begin = max(closed.begin, since)
    status = day_status(today, now - day)
    total, affected, details = closed.total, closed.affected_days, closed.details
    if today is not None:
        total = add_tallies([total, today])
        if is_affected(status):
            affected = ((day, today), *affected)
            details = f"{_day_details(today)} {details}".rstrip()
    uptime = total.uptime_percent
    day_count = (day - day_start(begin)) // DAY + 1
    last = (day - closed.begin) // DAY
    return DayBars(
        segments=(*closed.segments, BarSegment(status, last, 1)),
        times=f"{day // SECOND} {DAY // SECOND}*{last}",
        details=details,
        summary=_summary(day_count, uptime, affected, locale),
        uptime=uptime,
        coverage=total.coverage_percent(now - begin),
        days=day_count,
    )


def day_status(tally: Tally | None, length: int) -> str:
    """Return the status of a day's bar: an outage of any length, or else the prevailing status.

    A day that was mostly not observed is never operational.

    Args:
        length: of the day so far.
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
    """Whether a day was healthy whenever it was observed: a shortcut for most days."""
    return 2 * tally.healthy >= length > 0 and not (
        tally.down or tally.degraded or tally.unknown or tally.maintenance
    )


def merge_bars(statuses: Sequence[str]) -> tuple[BarSegment, ...]:
    """Return neighbouring bars with the same status as one segment."""
    segments, start = [], 0
    for status, group in groupby(statuses):
        length = len(list(group))
        segments.append(BarSegment(status, start, length))
        start += length
    return tuple(segments)


def is_affected(status: str) -> bool:
    """Whether a day was neither operational nor in maintenance."""
    return status not in _CALM


def _day_details(tally: Tally) -> str:
    kinds = zip("dgum", _durations(tally), strict=True)
    durations = "".join(f"{kind}{length // MINUTE}" for kind, length in kinds if length)
    return f"{tally.uptime_percent or ''}{durations}"


def _durations(tally: Tally) -> tuple[int, int, int, int]:
    return tally.down, tally.degraded, tally.unknown, tally.maintenance


def describe_day(tally: Tally, locale: Locale) -> str:
    """Return the durations of a day's states: ``12 min down, 3 h degraded``."""
    kinds = ("down", "degraded", "unknown", "maintenance")
    return ", ".join(
        locale.translate(f"day.{kind}", length=locale.format_duration(length))
        for kind, length in zip(kinds, _durations(tally), strict=True)
        if length
    )


def _summary(days: int, uptime: str | None, affected: Sequence[DayTally], locale: Locale) -> str:
    last = locale.translate("days.last", n=days)
    if uptime is None:
        return locale.translate("days.no_uptime", last=last)
    if not affected:
        return locale.translate("days.unaffected", last=last, uptime=uptime)
    texts = [
        _describe_affected_day(locale.translations.code, day, tally)
        for day, tally in affected[:LISTED]
    ]
    if len(affected) > LISTED:
        texts.append(locale.translate("days.more", n=len(affected) - LISTED))
    return locale.translate(
        "days.affected", n=len(affected), last=last, uptime=uptime, affected="; ".join(texts)
    )


@lru_cache(maxsize=10_000)
def _describe_affected_day(code: str, day: int, tally: Tally) -> str:
    """Return the summary's text for one affected day; cached, because every edition needs it."""
    locale = Locale(translations=load_translations(code))
    return locale.translate(
        "day.affected", day=locale.format_day(day), parts=describe_day(tally, locale)
    )
