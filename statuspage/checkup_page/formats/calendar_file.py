"""Planned maintenance as a calendar that people subscribe to (RFC 5545)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from checkup.model import SECOND
from checkup.ports import PageFile
from checkup_page.announcements.announcement import Maintenance
from checkup_page.formats.announced import maintenances
from checkup_page.formats.calendar_lines import joined, moment, text
from checkup_page.formats.served import address, authority, text_file
from checkup_page.view import View

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


def files(view: View) -> dict[str, PageFile]:
    """Return the calendar by its path."""
    return {PATH: text_file(joined(_calendar(view)), _CALENDAR)}


def _calendar(view: View) -> Iterator[str]:
    yield "BEGIN:VCALENDAR"
    yield "VERSION:2.0"
    yield "PRODID:-//Checkup//Status page//EN"
    yield "CALSCALE:GREGORIAN"
    yield f"X-WR-CALNAME:{text(view.voice.say('feed.calendar', name=view.title))}"
    yield "REFRESH-INTERVAL;VALUE=DURATION:PT1H"
    yield "X-PUBLISHED-TTL:PT1H"
    yield from _ZONE
    for item in reversed(maintenances(view)):
        yield from _event(view, item)
    yield "END:VCALENDAR"


def _event(view: View, item: Maintenance) -> Iterator[str]:
    """Yield an event. Its times and its number change with what is said of it, and never else.

    What was called off before it began has no end after its beginning.
    """
    happens = not item.called_off
    yield "BEGIN:VEVENT"
    yield f"UID:{item.key}@{authority(view)}"
    yield f"SEQUENCE:{max(0, item.updated_at - item.created_at) // SECOND}"
    yield f"DTSTAMP:{moment(item.updated_at)}"
    yield f"CREATED:{moment(item.created_at)}"
    yield f"LAST-MODIFIED:{moment(item.updated_at)}"
    yield f"DTSTART:{moment(item.scheduled_for)}"
    if happens:
        yield f"DTEND:{moment(item.scheduled_until)}"
    yield f"SUMMARY:{text(item.title)}"
    if description := "\n\n".join(_description(view, item)):
        yield f"DESCRIPTION:{text(description)}"
    if view.url:
        yield f"URL:{address(view, item.path)}"
    yield f"STATUS:{'CONFIRMED' if happens else 'CANCELLED'}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _description(view: View, item: Maintenance) -> Iterator[str]:
    yield from (update.body for update in item.updates[:1] if update.body)
    if item.affected:
        yield view.voice.say("feed.affected", names=", ".join(one.name for one in item.affected))
