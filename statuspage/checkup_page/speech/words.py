"""From numbers and foreign strings to text, whatever the language."""

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


def clean_line(text: str, limit: int) -> str:
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


def format_iso(nanoseconds: int) -> str:
    """Return the time as machines read it: ``2026-08-03T10:02:41.123Z``."""
    return to_datetime(nanoseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def format_iso_seconds(nanoseconds: int) -> str:
    """Return the time for a script that counts from it: ``2026-08-03T10:02:41Z``."""
    return f"{to_datetime(nanoseconds):%Y-%m-%dT%H:%M:%SZ}"


def format_iso_minutes(nanoseconds: int) -> str:
    """Return the time as exactly as it is shown: ``2026-08-03T10:02Z``."""
    return f"{to_datetime(nanoseconds):%Y-%m-%dT%H:%MZ}"


def to_datetime(nanoseconds: int) -> datetime:
    """Return a time in UTC; what no calendar has becomes its nearest end."""
    seconds, rest = divmod(max(0, nanoseconds), SECOND)
    if seconds > _LATEST:
        seconds, rest = _LATEST, 0
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
