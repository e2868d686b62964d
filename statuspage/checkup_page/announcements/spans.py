"""The days of a month as its page lists them. Pure."""

from __future__ import annotations

from itertools import groupby

from msgspec import Struct

from checkup.history.periods import day_start
from checkup_page.announcements.announcement import IncidentMonth, IncidentView
from checkup_page.speech.words import DAY


class IncidentDays(Struct, frozen=True, kw_only=True):
    """A day of a month, or neighbouring ones without incidents.

    Attributes:
        first, last: when these days began, the same for one day.
    """

    first: int
    last: int
    incidents: tuple[IncidentView, ...]


def days_of_month(month: IncidentMonth) -> list[IncidentDays]:
    """Return the days of a month, newest first, those without incidents taken together."""
    begun: dict[int, list[IncidentView]] = {}
    for incident in month.incidents:
        begun.setdefault(day_start(incident.started_at), []).append(incident)
    days = range(month.end - DAY, month.first - DAY, -DAY)
    found = []
    for quiet, group in groupby(days, key=lambda day: day not in begun):
        together = [*group]
        if quiet:
            found.append(IncidentDays(first=together[-1], last=together[0], incidents=()))
        else:
            found += [
                IncidentDays(first=it, last=it, incidents=tuple(begun[it])) for it in together
            ]
    return found
