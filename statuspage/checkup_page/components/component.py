"""From the results of one checker to what the page shows of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from checkup.history.tally import Tally
from checkup.model import Result, Status
from checkup_page import freshness
from checkup_page.components import recent
from checkup_page.components.days import ClosedDayBars, day_bars
from checkup_page.components.stretches import ComponentHistory
from checkup_page.components.tracks import CheckerResults
from checkup_page.links import safe_link
from checkup_page.reasons import public_reason
from checkup_page.speech.voice import Locale
from checkup_page.speech.words import clean_line
from checkup_page.state import ComponentStatus
from checkup_page.view import ComponentView, RegionStatus

TimedResult = tuple[int, Result | None]
"""The time of a run and what it saw; None if it has no result."""

NAME_LIMIT, DESCRIPTION_LIMIT = 120, 200


class ConfirmedStatus(Struct, frozen=True):
    """A confirmed status and when it began, from the state between runs; 0 if not known."""

    status: Status
    since: int


class RunWindow(Struct, frozen=True, kw_only=True):
    """The time that is looked at.

    Attributes:
        slots: the times of the runs, oldest first.
        interval: how much time lies between them.
        voice: says what is seen.
        regions: the public names of regions.
    """

    now: int
    slots: tuple[int, ...]
    interval: int
    voice: Locale
    regions: Mapping[str, str] = {}


class DailyHistory(Struct, frozen=True, kw_only=True):
    """What the history says of one checker.

    Attributes:
        since: when its first result came.
        closed: the days before today.
        today: what has been counted of it; None for nothing.
    """

    since: int
    closed: ClosedDayBars
    today: Tally | None


def display_name(track: CheckerResults, number: int, voice: Locale) -> str:
    """Return the public name; ``number`` stands for a checker that has none."""
    checker = track.checker
    result = track.newest
    given = (checker.public_name or checker.title) if checker else (result.title if result else "")
    return clean_line(given, NAME_LIMIT) or voice.say("component.nameless", n=number)


def build_component(  # noqa: PLR0913 - the optional ones by name
    track: CheckerResults,
    window: RunWindow,
    standing: ConfirmedStatus | None,
    past: DailyHistory | None,
    *,
    key: str,
    name: str,
    record: ComponentHistory,
) -> ComponentView:
    """Return what is shown of one checker.

    Args:
        track: its results, one per slot of the window.
        window: the time that is looked at.
        standing: its confirmed status; None if no state is kept or it has none yet.
        past: its days; None if its runs are to be shown instead.
        key: what stands for it on the page.
        name: what people call it.
        record: what spans of time came to.
    """
    checker = track.checker
    seen = _seen(track, window.slots)
    checked_at, newest = next(
        ((at, result) for at, result in reversed(seen) if result), (None, None)
    )
    shown = [(at, ComponentStatus.of(result.status) if result else None) for at, result in seen]
    current = _current(newest, standing)
    fresh = checked_at is not None and window.now - checked_at <= _limit(track, window)
    return ComponentView(
        key=key,
        name=name,
        description=clean_line(checker.description, DESCRIPTION_LIMIT) if checker else "",
        link=safe_link(checker.link) if checker else "",
        state=current if fresh else ComponentStatus.UNKNOWN,
        since=_since(shown, standing) if fresh else None,
        note=_note(newest, current, window.voice, fresh=fresh),
        checked_at=checked_at,
        first_seen=_first_seen(seen, record),
        response=recent.response_time(newest),
        strip=recent.run_bars(shown, window.voice) if past is None else None,
        days=day_bars(past.closed, past.today, past.since, window.now, window.voice)
        if past
        else None,
        stretches=record.stretches,
        months=record.months,
        hourly=record.hours,
        daily=record.days,
        table=record.table,
        sights=_sights(seen, window) if fresh else (),
    )


def _sights(seen: Sequence[TimedResult], window: RunWindow) -> tuple[RegionStatus, ...]:
    """Return what the regions saw last; nothing while all of it is good."""
    last = {
        result.region: ComponentStatus.of(result.status)
        for at, result in seen
        if result and window.now - at <= freshness.max_result_age(window.interval)
    }
    sights = [
        RegionStatus(name, last[region])
        for region, name in window.regions.items()
        if region in last
    ]
    return (
        tuple(sights) if any(it.state is not ComponentStatus.OPERATIONAL for it in sights) else ()
    )


def _seen(track: CheckerResults, slots: Sequence[int]) -> list[TimedResult]:
    """Return the results from the first on; a run in which the checker was not due is no gap."""
    pairs = list(zip(slots, track.results, strict=True))
    if track.checker and track.checker.interval:
        return [(at, result) for at, result in pairs if result]
    first = next((index for index, (_, result) in enumerate(pairs) if result), len(pairs))
    return pairs[first:]


def _first_seen(seen: Sequence[TimedResult], record: ComponentHistory) -> int | None:
    """Return when the first result came that is known: the history remembers it longest."""
    return record.first if record.first is not None else seen[0][0] if seen else None


def _limit(track: CheckerResults, window: RunWindow) -> int:
    own = track.checker.interval if track.checker else 0
    return freshness.max_result_age(max(own, window.interval))


def _current(newest: Result | None, standing: ConfirmedStatus | None) -> ComponentStatus:
    """Return the confirmed state, or what the last run saw where nothing is confirmed."""
    if standing is not None:
        return ComponentStatus.of(standing.status)
    return ComponentStatus.of(newest.status) if newest else ComponentStatus.UNKNOWN


def _since(shown: Sequence[recent.TimedStatus], standing: ConfirmedStatus | None) -> int | None:
    """Return when the state began: as confirmed, or if a change is in sight."""
    if standing is not None:
        return standing.since or None
    before = None
    for at, state in reversed(shown):
        if state is not shown[-1][1]:
            return before
        before = at
    return None


def _note(newest: Result | None, current: ComponentStatus, voice: Locale, *, fresh: bool) -> str:
    if newest is None:
        return voice.say("note.nothing")
    if not fresh:
        return voice.say("note.old", state=voice.say(f"state.{current}"))
    if current is ComponentStatus.UNKNOWN:
        return voice.say("note.unchecked")
    key = public_reason(newest) if ComponentStatus.of(newest.status) is current else ""
    return voice.say(key) if key else ""
