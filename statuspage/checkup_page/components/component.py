"""From the results of one checker to what the page shows of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from checkup.history.tally import Tally
from checkup.model import Result, Status
from checkup_page import freshness
from checkup_page.components import recent
from checkup_page.components.days import ClosedDays, day_strip
from checkup_page.components.stretches import Record
from checkup_page.components.tracks import Track
from checkup_page.links import followable
from checkup_page.reasons import reason
from checkup_page.speech.voice import Voice
from checkup_page.speech.words import clean
from checkup_page.state import State
from checkup_page.view import Component, Sight

Looked = tuple[int, Result | None]
"""The time of a run and what it saw; None if it has no result."""

NAME_LIMIT, DESCRIPTION_LIMIT = 120, 200


class Standing(Struct, frozen=True):
    """A confirmed status and when it began, from the state between runs; 0 if not known."""

    status: Status
    since: int


class Window(Struct, frozen=True, kw_only=True):
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
    voice: Voice
    regions: Mapping[str, str] = {}


class Past(Struct, frozen=True, kw_only=True):
    """What the history says of one checker.

    Attributes:
        since: when its first result came.
        closed: the days before today.
        today: what has been counted of it; None for nothing.
    """

    since: int
    closed: ClosedDays
    today: Tally | None


def name_of(track: Track, number: int, voice: Voice) -> str:
    """Return the public name; ``number`` stands for a checker that has none."""
    checker = track.checker
    result = track.newest
    given = (checker.public_name or checker.title) if checker else (result.title if result else "")
    return clean(given, NAME_LIMIT) or voice.say("component.nameless", n=number)


def component(  # noqa: PLR0913 - the optional ones by name
    track: Track,
    window: Window,
    standing: Standing | None,
    past: Past | None,
    *,
    key: str,
    name: str,
    record: Record,
) -> Component:
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
    shown = [(at, State.of(result.status) if result else None) for at, result in seen]
    current = _current(newest, standing)
    fresh = checked_at is not None and window.now - checked_at <= _limit(track, window)
    return Component(
        key=key,
        name=name,
        description=clean(checker.description, DESCRIPTION_LIMIT) if checker else "",
        link=followable(checker.link) if checker else "",
        state=current if fresh else State.UNKNOWN,
        since=_since(shown, standing) if fresh else None,
        note=_note(newest, current, window.voice, fresh=fresh),
        checked_at=checked_at,
        first_seen=_first_seen(seen, record),
        response=recent.response_time(newest),
        strip=recent.strip(shown, window.voice) if past is None else None,
        days=day_strip(past.closed, past.today, past.since, window.now, window.voice)
        if past
        else None,
        stretches=record.stretches,
        months=record.months,
        hourly=record.hours,
        daily=record.days,
        table=record.table,
        sights=_sights(seen, window) if fresh else (),
    )


def _sights(seen: Sequence[Looked], window: Window) -> tuple[Sight, ...]:
    """Return what the regions saw last; nothing while all of it is good."""
    last = {
        result.region: State.of(result.status)
        for at, result in seen
        if result and window.now - at <= freshness.limit(window.interval)
    }
    sights = [
        Sight(name, last[region]) for region, name in window.regions.items() if region in last
    ]
    return tuple(sights) if any(it.state is not State.OPERATIONAL for it in sights) else ()


def _seen(track: Track, slots: Sequence[int]) -> list[Looked]:
    """Return the results from the first on; a run in which the checker was not due is no gap."""
    pairs = list(zip(slots, track.results, strict=True))
    if track.checker and track.checker.interval:
        return [(at, result) for at, result in pairs if result]
    first = next((index for index, (_, result) in enumerate(pairs) if result), len(pairs))
    return pairs[first:]


def _first_seen(seen: Sequence[Looked], record: Record) -> int | None:
    """Return when the first result came that is known: the history remembers it longest."""
    return record.first if record.first is not None else seen[0][0] if seen else None


def _limit(track: Track, window: Window) -> int:
    own = track.checker.interval if track.checker else 0
    return freshness.limit(max(own, window.interval))


def _current(newest: Result | None, standing: Standing | None) -> State:
    """Return the confirmed state, or what the last run saw where nothing is confirmed."""
    if standing is not None:
        return State.of(standing.status)
    return State.of(newest.status) if newest else State.UNKNOWN


def _since(shown: Sequence[recent.Shown], standing: Standing | None) -> int | None:
    """Return when the state began: as confirmed, or if a change is in sight."""
    if standing is not None:
        return standing.since or None
    before = None
    for at, state in reversed(shown):
        if state is not shown[-1][1]:
            return before
        before = at
    return None


def _note(newest: Result | None, current: State, voice: Voice, *, fresh: bool) -> str:
    if newest is None:
        return voice.say("note.nothing")
    if not fresh:
        return voice.say("note.old", state=voice.say(f"state.{current}"))
    if current is State.UNKNOWN:
        return voice.say("note.unchecked")
    key = reason(newest) if State.of(newest.status) is current else ""
    return voice.say(key) if key else ""
