"""The closed days of one component as rows of a table, without its name. Pure."""

from __future__ import annotations

from typing import Final

from checkup.history.chronicle import CheckerHistory
from checkup.history.periods import DAY, day_start, format_date
from checkup.history.points import ChartPoint
from checkup.history.tally import uptime_percent
from checkup.model import SECOND
from checkup_page.speech.words import MILLISECOND

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


def csv_rows(chronicle: CheckerHistory) -> tuple[str, ...]:
    """Return a row, its columns joined by commas, for each day from the first result on."""
    today = day_start(chronicle.until)
    first = today if chronicle.first is None else day_start(chronicle.first)
    points = {point.start: point for point in chronicle.days}
    return tuple(
        f"{format_date(day)},{_numbers(points.get(day) or ChartPoint(0))}"
        for day in range(max(first, today - DAYS * DAY), today, DAY)
    )


def _numbers(point: ChartPoint) -> str:
    tally = point.tally
    return (
        f"{uptime_percent(tally.up, tally.known) or ''},{tally.healthy // SECOND},"
        f"{tally.degraded // SECOND},{tally.down // SECOND},{tally.unknown // SECOND},"
        f"{tally.maintenance // SECOND},{tally.missing(DAY) // SECOND},"
        f"{_milliseconds(point.median)},{_milliseconds(point.high)}"
    )


def _milliseconds(time: int | None) -> str:
    return "" if time is None else f"{time / MILLISECOND:.1f}"
