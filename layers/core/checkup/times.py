"""Times and lengths of time, in nanoseconds: Go durations, UTC calendar, what people type and read.

A time is an integer of nanoseconds since the Unix epoch. Hours and days of UTC all have the same
length: leap seconds do not exist here, as they do not in the clocks that runs are named by.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from checkup.errors import CheckupError

MILLISECOND: Final = 1_000_000
SECOND: Final = 1000 * MILLISECOND
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_LAST_YEAR: Final = 2099
"""Of times that people type: a century later, they still fit into 64 bits."""

_LAST_SECOND: Final = 253_402_300_799
"""The end of the year 9999, the last that a datetime can hold."""

# Durations as Go writes and reads them: https://pkg.go.dev/time#ParseDuration

_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # U+00B5, micro sign
    "μs": 1_000,  # U+03BC, Greek letter
    "ms": MILLISECOND,
    "s": SECOND,
    "m": MINUTE,
    "h": HOUR,
    "d": DAY,
    "w": 7 * DAY,
}
_TERM: Final = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h|d|w)", re.ASCII)
_LONGEST_DURATION: Final = 2**63 - 1


def parse_duration(text: str) -> int:
    """Return the nanoseconds of a duration: ``"1h30m"``, ``"500ms"``, ``"-1.5s"``, ``"30d"``.

    Go's durations have neither days nor weeks.

    Raises:
        ValueError: with a sentence that shows the expected form.
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
        message = f'"{text}" is not a duration; write it like "500ms", "10s", "1h30m" or "30d"'
        raise ValueError(message)
    if total > _LONGEST_DURATION:
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
            return f"{sign}{_decimal(size, _UNITS[unit])}{unit}"
    minutes, rest = divmod(size, MINUTE)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{_decimal(rest, SECOND)}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}"
    return f"{sign}{minutes}m{seconds}" if minutes else f"{sign}{seconds}"


def short_duration(nanoseconds: int) -> str:
    """Return a duration as people write it in a configuration: ``4h`` for Go's ``4h0m0s``."""
    text = format_duration(nanoseconds)
    for zero in ("m0s", "h0m"):
        if text.endswith(zero):
            text = text[:-2]
    return text


def _decimal(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    digits = len(str(unit)) - 1
    return f"{whole}.{rest:0{digits}d}".rstrip("0") if rest else str(whole)


# Lengths of time on the command line and in messages: two units at most.

_LONGEST_TIMESPAN: Final = 36_525 * DAY


def parse_timespan(text: str) -> int:
    """Return the nanoseconds of ``90m``, ``2h``, ``30d`` or ``2w``.

    Raises:
        CheckupError: it is not a length of time, not longer than 0, or longer than a century.
    """
    try:
        span = parse_duration(text.lower())
    except ValueError as error:
        raise CheckupError(str(error)) from error
    if span <= 0:
        raise CheckupError(f'the time must be longer than 0, not "{text}"')
    if span > _LONGEST_TIMESPAN:
        raise CheckupError(f'"{text}" is longer than 100 years')
    return span


def format_timespan(nanoseconds: int) -> str:
    """Return a length of time in its two largest units, to the second: ``5 min 12 s``."""
    seconds = max(0, nanoseconds) // SECOND
    minutes, hours = seconds // 60, seconds // 3600
    counts = (hours // 24, "d"), (hours % 24, "h"), (minutes % 60, "min"), (seconds % 60, "s")
    return " ".join([f"{count} {unit}" for count, unit in counts if count][:2]) or "0 s"


def format_length(nanoseconds: int) -> str:
    """Return a length of time for a message: in whole minutes, once there is one."""
    if nanoseconds < SECOND:
        return "less than 1 s"
    return format_timespan(
        nanoseconds - nanoseconds % MINUTE if nanoseconds >= MINUTE else nanoseconds
    )


# Times as people type them.


def parse_month(text: str) -> int:
    """Return when a month of UTC begins, typed as ``2026-03``.

    Raises:
        CheckupError: it is not a month.
    """
    try:
        month = datetime.strptime(text.strip(), "%Y-%m").replace(tzinfo=UTC)
    except ValueError as error:
        raise CheckupError(f'"{text}" is not a month; write it like 2026-03') from error
    if not _EPOCH.year <= month.year <= _LAST_YEAR:
        raise CheckupError(f'"{text}" is before 1970 or after {_LAST_YEAR}')
    return int(month.timestamp()) * SECOND


def parse_timestamp(text: str, now: int, zone: str) -> int:
    """Return the time of ``now``, ``in 2h``, ``2026-11-23 22:00`` or an RFC 3339 timestamp.

    Args:
        text: what was typed.
        now: the current time.
        zone: the time zone to use where the text names none.

    Raises:
        CheckupError: it is not a time.
    """
    words = text.strip().casefold()
    if words == "now":
        return now
    if words.startswith("in "):
        return now + parse_timespan(words.removeprefix("in ").strip())
    try:
        time = datetime.fromisoformat(text.strip())
        local = time if time.tzinfo else time.replace(tzinfo=ZoneInfo(zone))
        microseconds = (local - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError) as error:
        forms = '"now", "in 2h", "2026-11-23 22:00" or "2026-11-23T22:00:00Z"'
        raise CheckupError(f'"{text}" is not a time; write it like {forms}') from error
    if microseconds < 0 or local.year > _LAST_YEAR:
        raise CheckupError(f'"{text}" is before 1970 or after {_LAST_YEAR}')
    return microseconds * SECOND // 1_000_000


def is_time_zone(name: str) -> bool:
    """Whether this machine knows a time zone of this name."""
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return False
    return True


# Times as people and machines read them.


def to_datetime(nanoseconds: int) -> datetime:
    """Return a time in UTC, limited to the years 1970 to 9999."""
    seconds, rest = divmod(max(0, nanoseconds), SECOND)
    if seconds > _LAST_SECOND:
        seconds, rest = _LAST_SECOND, 0
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)


def format_minute(at: int, zone: str = "UTC") -> str:
    """Return ``2026-08-03 10:02 UTC``."""
    time = to_datetime(at).astimezone(ZoneInfo(zone))
    return f"{time:%Y-%m-%d %H:%M} {_zone_name(time)}"


def format_time(at: int, now: int, zone: str = "UTC") -> str:
    """Return ``10:02 UTC``, or ``3 Aug 10:02 UTC`` if that is not the day of ``now``."""
    time = to_datetime(at).astimezone(ZoneInfo(zone))
    today = to_datetime(now).astimezone(ZoneInfo(zone)).date()
    day = "" if time.date() == today else f"{time.day} {time:%b} "
    return f"{day}{time:%H:%M} {_zone_name(time)}"


def _zone_name(time: datetime) -> str:
    """Return ``CEST``, or ``UTC-03`` where a zone has only a number."""
    name = f"{time:%Z}"
    return f"UTC{name}" if name[:1] in {"+", "-"} else name


def format_iso(at: int) -> str:
    """Return the time in RFC 3339: ``2026-08-03T10:02:41.123Z``."""
    return to_datetime(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def format_iso_seconds(at: int) -> str:
    """Return the time in RFC 3339, to the second: ``2026-08-03T10:02:41Z``."""
    return f"{to_datetime(at):%Y-%m-%dT%H:%M:%SZ}"


def format_iso_minutes(at: int) -> str:
    """Return the time for an HTML ``datetime``, to the minute: ``2026-08-03T10:02Z``."""
    return f"{to_datetime(at):%Y-%m-%dT%H:%MZ}"


# Hours, days and months of UTC, and their names in stored keys.


def hour_start(at: int) -> int:
    """Return when the hour of a time began."""
    return at - at % HOUR


def day_start(at: int) -> int:
    """Return when the day of a time began."""
    return at - at % DAY


@lru_cache(maxsize=1000)
def format_date(day: int) -> str:
    """Return the date of a time: ``2026-08-03``."""
    return f"{datetime.fromtimestamp(day // SECOND, UTC):%Y-%m-%d}"


def format_month(day: int) -> str:
    """Return the month of a time: ``2026-08``."""
    return format_date(day)[:7]


@lru_cache(maxsize=1000)
def parse_date(date: str) -> int:
    """Return when the day ``2026-08-03`` began.

    Raises:
        ValueError: it is not a date.
    """
    return int(datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()) * SECOND


def month_start(at: int) -> int:
    """Return when the month of a time began."""
    return parse_date(f"{format_month(at)}-01")


def next_month_start(at: int) -> int:
    """Return when the month after that of a time begins."""
    return month_start(month_start(at) + 32 * DAY)
