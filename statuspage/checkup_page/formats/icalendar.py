"""Scheduled maintenance as a calendar that people subscribe to (RFC 5545)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from checkup.interfaces import PageFile
from checkup.times import SECOND, to_datetime
from checkup_page.formats.base import absolute_url, recent_maintenance, text_file
from checkup_page.incidents.view import MaintenanceView
from checkup_page.view import PageView

WIDTH: Final = 75
"""Octets of a line, its end left out."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MARKED: Final = re.compile(r"([\\;,])")


def fold_lines(lines: Iterable[str]) -> str:
    """Return the lines as one text, the long ones folded."""
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def escape_text(value: str) -> str:
    """Return a text as a value."""
    lines = _CONTROL.sub("", value).splitlines()
    return r"\n".join(_MARKED.sub(r"\\\1", line) for line in lines)


def format_utc(nanoseconds: int) -> str:
    """Return a time as a value."""
    return f"{to_datetime(nanoseconds):%Y%m%dT%H%M%SZ}"


def _folded(line: str) -> str:
    """Return a line in pieces, none of which ends within a character."""
    pieces, length = [""], 0
    for character in line:
        size = len(character.encode(errors="replace"))
        if length + size > WIDTH:
            pieces.append(" ")
            length = 1
        pieces[-1] += character
        length += size
    return "\r\n".join(pieces)


PATH: Final = "maintenance.ics"
_CALENDAR: Final = "text/calendar; charset=utf-8"

_ZONE: Final = (
    "BEGIN:VTIMEZONE",
    "TZID:Etc/UTC",
    "BEGIN:STANDARD",
    "DTSTART:19700101T000000",
    "TZOFFSETFROM:+0000",
    "TZOFFSETTO:+0000",
    "END:STANDARD",
    "END:VTIMEZONE",
)
"""A calendar has at least one component, also when nothing is planned."""


def files(view: PageView) -> dict[str, PageFile]:
    """Return the calendar by its path."""
    return {PATH: text_file(fold_lines(_calendar(view)), _CALENDAR)}


def _calendar(view: PageView) -> Iterator[str]:
    yield "BEGIN:VCALENDAR"
    yield "VERSION:2.0"
    yield "PRODID:-//Checkup//Status page//EN"
    yield "CALSCALE:GREGORIAN"
    yield f"X-WR-CALNAME:{escape_text(view.locale.translate('feed.calendar', name=view.title))}"
    yield "REFRESH-INTERVAL;VALUE=DURATION:PT1H"
    yield "X-PUBLISHED-TTL:PT1H"
    yield from _ZONE
    for item in reversed(recent_maintenance(view)):
        yield from _event(view, item)
    yield "END:VCALENDAR"


def _event(view: PageView, item: MaintenanceView) -> Iterator[str]:
    """Yield an event. Its times and its sequence number change only with its updates.

    Cancelled maintenance has no end after its start.
    """
    happens = not item.cancelled
    yield "BEGIN:VEVENT"
    yield f"UID:{item.key}@{view.id_domain}"
    yield f"SEQUENCE:{max(0, item.updated_at - item.created_at) // SECOND}"
    yield f"DTSTAMP:{format_utc(item.updated_at)}"
    yield f"CREATED:{format_utc(item.created_at)}"
    yield f"LAST-MODIFIED:{format_utc(item.updated_at)}"
    yield f"DTSTART:{format_utc(item.scheduled_for)}"
    if happens:
        yield f"DTEND:{format_utc(item.scheduled_until)}"
    yield f"SUMMARY:{escape_text(item.title)}"
    if description := "\n\n".join(_description(view, item)):
        yield f"DESCRIPTION:{escape_text(description)}"
    if view.url:
        yield f"URL:{absolute_url(view, item.path)}"
    yield f"STATUS:{'CONFIRMED' if happens else 'CANCELLED'}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _description(view: PageView, item: MaintenanceView) -> Iterator[str]:
    yield from (update.body for update in item.updates[:1] if update.body)
    if item.affected:
        yield view.locale.translate(
            "feed.affected", names=", ".join(one.name for one in item.affected)
        )
