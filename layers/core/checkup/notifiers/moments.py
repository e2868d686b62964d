"""Moments and lengths of time, as people read them. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from checkup.model import SECOND

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def format_length(nanoseconds: int) -> str:
    """Return a length of time in its two largest units."""
    seconds = max(0, nanoseconds) // SECOND
    if seconds < _MINUTE:
        return f"{seconds} s" if seconds else "less than 1 s"
    counts = (
        (seconds // _DAY, "d"),
        (seconds % _DAY // _HOUR, "h"),
        (seconds % _HOUR // _MINUTE, "min"),
    )
    return " ".join([f"{count} {unit}" for count, unit in counts if count][:2])


def format_date_time(moment: int) -> str:
    """Return a moment with its day, to the minute."""
    return f"{_utc(moment):%Y-%m-%d %H:%M} UTC"


def format_time(moment: int, now: int) -> str:
    """Return the time of day, with its date if that is another day than that of ``now``."""
    there, here = _utc(moment), _utc(now)
    day = "" if there.date() == here.date() else f"{there.day} {there:%b} "
    return f"{day}{there:%H:%M} UTC"


def rfc3339(moment: int) -> str:
    """Return a moment for machines."""
    return _utc(moment).isoformat().replace("+00:00", "Z")


def _utc(moment: int) -> datetime:
    return datetime.fromtimestamp(moment // SECOND, UTC)
