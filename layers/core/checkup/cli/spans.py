"""Lengths of time as people type them: Go's durations, and days and weeks besides."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from checkup.duration import parse_duration
from checkup.errors import CheckupError
from checkup.model import SECOND

_DAYS: Final = re.compile(r"(\d+)([dw])", re.ASCII)
_LONGEST: Final = 36_525 * 86_400 * SECOND
_LENGTHS: Final = {"d": 86_400 * SECOND, "w": 7 * 86_400 * SECOND}


def parse_timespan(text: str) -> int:
    """Return the nanoseconds of a length of time such as ``90m``, ``2h`` or ``30d``.

    Raises:
        CheckupError: it is not one, not longer than 0, or longer than a century.
    """
    days = _DAYS.fullmatch(text.lower())
    try:
        span = int(days[1]) * _LENGTHS[days[2]] if days else parse_duration(text.lower())
    except ValueError as error:
        raise CheckupError(f"{error}, or in days like 30d") from error
    if span <= 0:
        raise CheckupError(f'the time must be longer than 0, not "{text}"')
    if span > _LONGEST:
        raise CheckupError(f'"{text}" is longer than 100 years')
    return span


def format_minute(at: int) -> str:
    """Return a moment as people read it, to the minute."""
    return f"{datetime.fromtimestamp(at // SECOND, UTC):%Y-%m-%d %H:%M} UTC"


def format_timespan(nanoseconds: int) -> str:
    """Return a length of time in its two largest units, to the second."""
    seconds = max(0, nanoseconds) // SECOND
    counts = (
        (seconds // 86_400, "d"),
        (seconds % 86_400 // 3600, "h"),
        (seconds % 3600 // 60, "min"),
        (seconds % 60, "s"),
    )
    return " ".join([f"{count} {unit}" for count, unit in counts if count][:2]) or "0 s"
