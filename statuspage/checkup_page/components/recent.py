"""The recent results of one component as they are drawn: a strip of bars."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise

from msgspec import Struct

from checkup.model import SECOND, Result, Status
from checkup.stats import rtt_stats
from checkup_page.speech.voice import Locale
from checkup_page.state import ComponentStatus

COLUMNS = 90
"""Bars in a strip on a wide screen; it is cut to the newest 60 and 30 on narrower ones."""

SPANS = 10

TimedStatus = tuple[int, ComponentStatus | None]
"""A run's time and the state that was seen in it; None where there is no result."""


class BarSegment(Struct, frozen=True):
    """Neighbouring bars that look the same.

    Attributes:
        look: a state, or ``none`` where there is no result.
        start, length: in bars, counted from the left.
    """

    look: str
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
        said: nothing; days have something to say.
        starts: the time of the left-most bar when 90, 60 and 30 are shown; None if that bar
            lies before the first result.
        end: the time of the last bar; 0 if there is none.
        summary: the strip in words, without the component's name.
        spans: the strip as a list, newest first, unless nothing ever changed.
        more: whether that list was cut.
    """

    segments: tuple[BarSegment, ...]
    times: str
    said: str
    starts: tuple[int | None, int | None, int | None]
    end: int
    summary: str
    spans: tuple[StatusPeriod, ...]
    more: bool


def run_bars(shown: Sequence[TimedStatus], voice: Locale) -> RunBars:
    """Return the strip of the newest results; ``shown`` is oldest first."""
    newest = shown[-COLUMNS:]
    spans = tuple(reversed(tuple(_spans(newest))))
    return RunBars(
        segments=tuple(_segments([state for _, state in newest])),
        times=encode_bar_times([at for at, _ in newest]),
        said="",
        starts=(_start(newest, COLUMNS), _start(newest, 60), _start(newest, 30)),
        end=newest[-1][0] if newest else 0,
        summary=_summarize_runs([state for _, state in newest], voice),
        spans=spans[:SPANS] if len(spans) > 1 else (),
        more=len(spans) > SPANS,
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
        paths[part.look] = f"{paths.get(part.look, '')}M{part.start} 16h{part.length}"
    return paths


def _start(shown: Sequence[TimedStatus], columns: int) -> int | None:
    return shown[-columns][0] if len(shown) >= columns else None


def _spans(shown: Iterable[TimedStatus]) -> Iterator[StatusPeriod]:
    for state, group in groupby(shown, key=lambda pair: pair[1]):
        times = [at for at, _ in group]
        yield StatusPeriod(state, times[0], times[-1])


def _summarize_runs(states: Sequence[ComponentStatus | None], voice: Locale) -> str:
    counts = Counter("none" if state is None else state.value for state in states)
    parts = [
        voice.say(f"strip.counted.{look}", n=counts[look])
        for look in (*ComponentStatus, "none")
        if counts[look]
    ]
    if not parts:
        return voice.say("strip.nothing")
    return voice.say("strip.summary", n=len(states), parts=", ".join(parts))


def response_time(result: Result | None) -> int | None:
    """Return the median round trip time; None if the result failed or measured nothing."""
    if result is None or result.status not in {Status.HEALTHY, Status.DEGRADED}:
        return None
    return rtt_stats(result.times).median or None
