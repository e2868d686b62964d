"""The closed days of one component as rows of a table, without its name. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from checkup.history.chronicle import Chronicle
from checkup.history.periods import DAY, date_of, day_of
from checkup.history.points import Point
from checkup.history.tally import percent
from checkup.model import SECOND
from checkup_page.words import MILLISECOND

DAYS: Final = 90

COLUMNS: Final = (
    "day",
    "uptime_percent",
    "operational_seconds",
    "degraded_seconds",
    "down_seconds",
    "unknown_seconds",
    "maintenance_seconds",
    "missing_seconds",
    "response_median_ms",
    "response_p95_ms",
)
"""Days are those of UTC. Uptime and seconds are rounded down; nothing is an empty cell."""


def table(chronicle: Chronicle) -> tuple[str, ...]:
    """Return a row, its columns joined by commas, for each day from the first result on."""
    return tuple(",".join(cells) for cells in _rows(chronicle))


def _rows(chronicle: Chronicle) -> Iterator[tuple[str, ...]]:
    today = day_of(chronicle.until)
    first = today if chronicle.first is None else day_of(chronicle.first)
    points = {point.start: point for point in chronicle.days}
    for day in range(max(first, today - DAYS * DAY), today, DAY):
        yield date_of(day), *_numbers(points.get(day) or Point(0))


def _numbers(point: Point) -> Iterator[str]:
    tally = point.tally
    yield percent(tally.up, tally.known) or ""
    yield from (
        str(length // SECOND)
        for length in (
            tally.healthy,
            tally.degraded,
            tally.down,
            tally.unknown,
            tally.maintenance,
            tally.missing(DAY),
        )
    )
    yield from (_milliseconds(time) for time in (point.median, point.high))


def _milliseconds(time: int | None) -> str:
    return "" if time is None else f"{time / MILLISECOND:.1f}"
