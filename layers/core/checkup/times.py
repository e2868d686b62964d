"""Hours, days and months of UTC, in nanoseconds. Each hour and each day is as long as the others.

Leap seconds do not exist here, as they do not in the clocks that runs are named by.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from checkup.errors import CheckupError

SECOND = 1_000_000_000


# Lengths of time as Go writes and reads them (https://pkg.go.dev/time#ParseDuration).


_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # U+00B5, micro sign
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}

_TERM = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_LARGEST = 2**63 - 1


def parse_duration(text: str) -> int:
    """Return the nanoseconds that ``text`` stands for: ``"1h30m"``, ``"500ms"``, ``"-1.5s"``.

    Raises:
        ValueError: with a sentence that shows the form that is expected.
    """
    sign = -1 if text.startswith("-") else 1
    body = text[1:] if text[:1] in {"+", "-"} else text
    if body == "0":
        return 0
    total, end = Decimal(0), 0
    for term in _TERM.finditer(body):
        if term.start() != end:
            break
        total += Decimal(term[1]) * _UNITS[term[2]]
        end = term.end()
    if not body or end != len(body):
        message = f'"{text}" is not a duration; write it like "500ms", "10s" or "1h30m"'
        raise ValueError(message)
    if total > _LARGEST:
        message = f'"{text}" is longer than 292 years'
        raise ValueError(message)
    return sign * int(total)


def format_duration(nanoseconds: int) -> str:
    """Return Go's text for a duration: ``0s``, ``1.5µs``, ``10.209758ms``, ``1h0m0s``."""
    if nanoseconds == 0:
        return "0s"
    sign, size = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    for unit in ("ns", "µs", "ms"):
        if size < _UNITS[unit] * 1000:
            return f"{sign}{_fraction(size, _UNITS[unit])}{unit}"
    minutes, rest = divmod(size, _UNITS["m"])
    hours, minutes = divmod(minutes, 60)
    seconds = f"{_fraction(rest, _UNITS['s'])}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}"
    return f"{sign}{minutes}m{seconds}" if minutes else f"{sign}{seconds}"


def short_duration(nanoseconds: int) -> str:
    """Return a duration as a person writes it: ``4h`` for Go's ``4h0m0s``."""
    text = format_duration(nanoseconds)
    for nothing in ("m0s", "h0m"):
        if text.endswith(nothing):
            text = text[:-2]
    return text


def _fraction(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    if not rest:
        return str(whole)
    digits = len(str(unit)) - 1
    return f"{whole}.{rest:0{digits}d}".rstrip("0")


# Lengths of time as people type them: Go's durations, and days and weeks besides.


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


# Moments as people type them: ``now``, ``in 2h``, ``2026-11-23 22:00``, or RFC 3339.


_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00Z")

_LAST_YEAR: Final = 2099
"""A century later, nanoseconds still fit into the 64 bits that other programs count with."""


def parse_month(text: str) -> int:
    """Return when a month of UTC begins, which is typed as ``2026-03``.

    Raises:
        CheckupError: it is none.
    """
    try:
        moment = datetime.strptime(text.strip(), "%Y-%m").replace(tzinfo=UTC)
    except ValueError as error:
        raise CheckupError(f'"{text}" is no month; write it like 2026-03') from error
    if not _EPOCH.year <= moment.year <= _LAST_YEAR:
        raise CheckupError(f'"{text}" is before 1970 or after {_LAST_YEAR}')
    return int(moment.timestamp()) * SECOND


def parse_timestamp(text: str, now: int, zone: str) -> int:
    """Return the nanoseconds since the epoch of a moment.

    Args:
        text: what was typed.
        now: the present.
        zone: the time zone of a moment that names none.

    Raises:
        CheckupError: it is not one.
    """
    words = text.strip().casefold()
    if words == "now":
        return now
    if words.startswith("in "):
        return now + parse_timespan(words.removeprefix("in ").strip())
    try:
        moment = datetime.fromisoformat(text.strip())
        local = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
        since = (local - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError) as error:
        forms = '"now", "in 2h", "2026-11-23 22:00" or "2026-11-23T22:00:00Z"'
        raise CheckupError(f'"{text}" is no moment; write it like {forms}') from error
    if since < 0 or local.year > _LAST_YEAR:
        raise CheckupError(f'"{text}" is before 1970 or after {_LAST_YEAR}')
    return since * SECOND // 1_000_000


# Names of time zones.


def is_time_zone(name: str) -> bool:
    """Say whether this machine knows a time zone of this name."""
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return False
    return True


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


# Moments and lengths of time, as people read them. Pure.


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


# From numbers and foreign strings to text, whatever the language.


MILLISECOND = SECOND // 1000
MINUTE = 60 * SECOND
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
