"""The days of a month as its page lists them. Pure."""

from __future__ import annotations

from itertools import groupby

from msgspec import Struct

from checkup.history.periods import day_of
from checkup_page.announcements.announcement import Incident, Month
from checkup_page.speech.words import DAY


class Span(Struct, frozen=True, kw_only=True):
    """A day of a month, or neighbouring ones without incidents.

    Attributes:
        first, last: when these days began, the same for one day.
    """

    first: int
    last: int
    incidents: tuple[Incident, ...]


def spans(month: Month) -> list[Span]:
    """Return the days of a month, newest first, those without incidents taken together."""
    begun: dict[int, list[Incident]] = {}
    for incident in month.incidents:
        begun.setdefault(day_of(incident.started_at), []).append(incident)
    days = range(month.end - DAY, month.first - DAY, -DAY)
    found = []
    for quiet, group in groupby(days, key=lambda day: day not in begun):
        together = [*group]
        if quiet:
            found.append(Span(first=together[-1], last=together[0], incidents=()))
        else:
            found += [Span(first=it, last=it, incidents=tuple(begun[it])) for it in together]
    return found
