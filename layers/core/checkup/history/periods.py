"""Hours, days and months of UTC, in nanoseconds. Each hour and each day is as long as the others.

Leap seconds do not exist here, as they do not in the clocks that runs are named by.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from checkup.model import SECOND

HOUR: Final = 3600 * SECOND
DAY: Final = 24 * HOUR


def hour_start(moment: int) -> int:
    """Return when the hour of a moment began."""
    return moment - moment % HOUR


def day_start(moment: int) -> int:
    """Return when the day of a moment began."""
    return moment - moment % DAY


@lru_cache(maxsize=1000)
def format_date(day: int) -> str:
    """Return the name of a day: ``2026-08-03``."""
    return f"{datetime.fromtimestamp(day // SECOND, UTC):%Y-%m-%d}"


def format_month(day: int) -> str:
    """Return the name of the month of a day: ``2026-08``."""
    return format_date(day)[:7]


@lru_cache(maxsize=1000)
def parse_date(date: str) -> int:
    """Return when the day of that name began.

    Raises:
        ValueError: there is no such day.
    """
    return int(datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()) * SECOND


def month_start(moment: int) -> int:
    """Return when the month of a moment began."""
    return parse_date(f"{format_month(moment)}-01")


def next_month_start(moment: int) -> int:
    """Return when the month after that of a moment begins."""
    return month_start(month_start(moment) + 32 * DAY)
