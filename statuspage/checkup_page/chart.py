"""Response times and states of one component over a span of time, as they are drawn. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from msgspec import Struct

from checkup.history.points import Point
from checkup_page.days import NONE, look_of, segments_of
from checkup_page.recent import Segment

HEIGHT: Final = 100

NICE: Final = (1.0, 1.2, 1.6, 2.0, 2.4, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
"""Where a scale may end, times a power of ten: half of it is a round number too."""

OUTLIER: Final = 3
"""What is so many times as long as most times leaves the chart, which would else show no more."""

Place = tuple[int, int]


class Chart(Struct, frozen=True, kw_only=True):
    """One chart; each column of it is an hour or a day.

    Attributes:
        name: that of the stretch of time that it shows.
        columns: how many; each is two wide.
        step: how long one is, in nanoseconds.
        begin, end: when the first of them begins and the last one ends.
        median: the path of the median response times, interrupted where there are none.
        band: the outline of the field between the median and what 95 % do not exceed.
        top: the response time at the upper edge; 0 if there are no times.
        lowest, highest: of the medians.
        peak: the longest of those that 95 % do not exceed, and when its column began.
        segments: the state of each column.
    """

    name: str
    columns: int
    step: int
    begin: int
    end: int
    median: str = ""
    band: str = ""
    top: int = 0
    lowest: int = 0
    highest: int = 0
    peak: tuple[int, int] = (0, 0)
    segments: tuple[Segment, ...]

    @property
    def counts(self) -> Sequence[tuple[str, int]]:
        """How many columns look how, the most frequent look first."""
        found: Counter[str] = Counter()
        for part in self.segments:
            found[part.look] += part.length
        return found.most_common()


def chart(name: str, points: Sequence[Point], begin: int, end: int, step: int) -> Chart:
    """Return a chart of the points between two moments.

    Args:
        name: that of the stretch of time.
        points: hours or days, oldest first; others are left out.
        begin: when the first column begins.
        end: when the last one ends; it may be cut short.
        step: how long each is.
    """
    columns: list[Point | None] = [None] * -(-(end - begin) // step)
    for point in points:
        if begin <= point.start < end:
            columns[(point.start - begin) // step] = point
    empty = Chart(
        name=name,
        columns=len(columns),
        step=step,
        begin=begin,
        end=end,
        segments=segments_of(list(_looks(columns, begin, end, step))),
    )
    timed = [point for point in columns if point is not None and point.median_bucket]
    return _drawn(empty, columns, timed) if timed else empty


def _drawn(empty: Chart, columns: Sequence[Point | None], timed: Sequence[Point]) -> Chart:
    medians = [point.median or 0 for point in timed]
    highs = sorted(point.high or 0 for point in timed)
    top = _nice(min(highs[-1], OUTLIER * highs[len(highs) // 2]))
    slowest = max(timed, key=lambda point: point.high_bucket)
    median, band = _paths(columns, top)
    return Chart(
        name=empty.name,
        columns=empty.columns,
        step=empty.step,
        begin=empty.begin,
        end=empty.end,
        segments=empty.segments,
        median=median,
        band=band,
        top=top,
        lowest=min(medians),
        highest=max(medians),
        peak=(slowest.high or 0, slowest.start),
    )


def _nice(time: int) -> int:
    power: int = 10 ** (len(str(time)) - 1)
    return next(round(step * power) for step in NICE if step * power >= time)


def _paths(columns: Sequence[Point | None], top: int) -> tuple[str, str]:
    """Return the line of the medians and the outline of the band above it."""
    lines, bands = [], []
    for part in _parts(columns):
        median = _edge([(at, _height(point.median or 0, top)) for at, point in part])
        high = _edge([(at, _height(point.high or 0, top)) for at, point in part])
        lines.append(f"M{_joined(median)}")
        bands.append(f"M{_joined([*high, *reversed(median)])}z")
    return "".join(lines), "".join(bands)


def _parts(columns: Sequence[Point | None]) -> Iterator[list[tuple[int, Point]]]:
    """Yield the columns that have times, by neighbours."""
    timed = [(at, point) for at, point in enumerate(columns) if point and point.median_bucket]
    for _, group in groupby(enumerate(timed), key=lambda pair: pair[1][0] - pair[0]):
        yield [column for _, column in group]


def _edge(places: Sequence[Place]) -> list[Place]:
    """Return a line from the left edge of the first column to the right edge of the last one."""
    (first, left), (last, right) = places[0], places[-1]
    return [(2 * first, left), *((2 * at + 1, y) for at, y in places), (2 * last + 2, right)]


def _joined(places: Sequence[Place]) -> str:
    return " ".join(f"{x} {y}" for x, y in places)


def _height(time: int, top: int) -> int:
    return max(-HEIGHT, HEIGHT - round(time * HEIGHT / top))


def _looks(columns: Sequence[Point | None], begin: int, end: int, step: int) -> Iterator[str]:
    for at, point in enumerate(columns):
        length = min(step, end - begin - at * step)
        yield NONE if point is None else look_of(point.tally, length)
