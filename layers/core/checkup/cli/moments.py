"""Moments as people type them: ``now``, ``in 2h``, ``2026-11-23 22:00``, or RFC 3339."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from checkup.cli.spans import parse_timespan
from checkup.errors import CheckupError
from checkup.model import SECOND

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
