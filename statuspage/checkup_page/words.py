"""From numbers and foreign strings to the text that people read."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

from checkup.model import SECOND

MILLISECOND = SECOND // 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_LATEST = 253_402_300_799  # the end of the year 9999, beyond which there is no datetime
_REPLACED = "\t\n\v\f\r\u2028\u2029"
_UNWANTED = {"Cc", "Cs"}
_TURNING = {
    *"\u061c\u200e\u200f",
    *map(chr, range(0x202A, 0x202F)),
    *map(chr, range(0x2066, 0x206A)),
}
_INVISIBLE = {*"\u00ad\u180e\u200b\ufeff", *map(chr, range(0x2060, 0x2066))}
_STACKED = 4
_MANY = 10


def clean(text: str, limit: int) -> str:
    """Return a foreign string as it may be shown: one line that stays within its line.

    Control characters, characters that turn the direction of writing and invisible ones are
    left out, so that no name can pass for another or disturb its surroundings; combining marks
    are stacked at most four high. What is longer than ``limit`` ends in an ellipsis.
    """
    kept: list[str] = []
    stacked = 0
    for character in text[: 4 * limit]:
        stacked = stacked + 1 if unicodedata.combining(character) else 0
        if character in _REPLACED:
            kept.append(" ")
        elif stacked <= _STACKED and not _is_unwanted(character):
            kept.append(character)
    line = " ".join("".join(kept).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _is_unwanted(character: str) -> bool:
    return (
        character in _TURNING
        or character in _INVISIBLE
        or unicodedata.category(character) in _UNWANTED
    )


def moment(nanoseconds: int) -> str:
    """Return an absolute time in UTC: ``3 Aug 2026, 10:02 UTC``."""
    at = _datetime(nanoseconds)
    return f"{at.day} {at:%b} {at.year}, {at:%H:%M} UTC"


def short_moment(nanoseconds: int) -> str:
    """Return a time that stands among others of the same days: ``3 Aug, 10:02``."""
    at = _datetime(nanoseconds)
    return f"{at.day} {at:%b}, {at:%H:%M}"


def day_name(nanoseconds: int) -> str:
    """Return a day of UTC among others of the same year: ``3 Aug``."""
    at = _datetime(nanoseconds)
    return f"{at.day} {at:%b}"


def iso(nanoseconds: int) -> str:
    """Return the time as machines read it: ``2026-08-03T10:02:41.123Z``."""
    return _datetime(nanoseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_seconds(nanoseconds: int) -> str:
    """Return the time for a script that counts from it: ``2026-08-03T10:02:41Z``."""
    return f"{_datetime(nanoseconds):%Y-%m-%dT%H:%M:%SZ}"


def iso_minutes(nanoseconds: int) -> str:
    """Return the time as exactly as it is shown: ``2026-08-03T10:02Z``."""
    return f"{_datetime(nanoseconds):%Y-%m-%dT%H:%MZ}"


def _datetime(nanoseconds: int) -> datetime:
    seconds, rest = divmod(max(0, nanoseconds), SECOND)
    if seconds > _LATEST:
        seconds, rest = _LATEST, 0
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)


def cadence(interval: int) -> str:
    """Return how often something happens: ``every minute``, ``every 90 seconds``.

    The interval may be measured and so be a little off; it is rounded to what was meant.
    """
    for unit, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        count = round(interval / unit)
        close = abs(interval - count * unit) <= max(unit // 60, 3 * SECOND)
        if count and (close or count >= _MANY):
            return f"every {name}" if count == 1 else f"every {count} {name}s"
    count = max(1, round(interval / SECOND))
    return "every second" if count == 1 else f"every {count} seconds"


def elapsed(nanoseconds: int) -> str:
    """Return a response time with three figures at most: ``850 µs``, ``98 ms``, ``1.24 s``."""
    if nanoseconds < MILLISECOND:
        return f"{nanoseconds // 1000} µs"
    if nanoseconds < SECOND:
        return f"{nanoseconds // MILLISECOND} ms"
    seconds = nanoseconds / SECOND
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"  # noqa: PLR2004


def lasting(nanoseconds: int) -> str:
    """Return how long something lasted: ``under a minute``, ``12 min``, ``3 h 20 min``."""
    hours, minutes = divmod(nanoseconds // MINUTE, 60)
    if not hours:
        return f"{minutes} min" if minutes else "under a minute"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def counted(count: int, noun: str) -> str:
    """Return a number and its noun: ``1 run``, ``3 runs``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
