"""Incidents and maintenance of the invented year, past and planned."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from checkup.incidents.model import Incident, IncidentDocument, IncidentUpdate, Maintenance
from checkup.text import public_key
from checkup.times import day_start
from examples.demo.story import DAY, HOUR, MINUTE

_FILE: Final = Path(__file__).with_name("announced.toml")

Update = tuple[int, str, str]
"""Minutes after the start, the status, and the text."""


class WrittenIncident(Struct, kw_only=True):
    """One incident of the file."""

    title: str
    impact: str
    services: tuple[str, ...]
    day: int
    hour: float
    updates: tuple[Update, ...]


class WrittenMaintenance(Struct, kw_only=True):
    """One maintenance of the file."""

    title: str
    text: str
    services: tuple[str, ...]
    announced: int
    day: int
    hour: int
    minutes: int
    updates: tuple[Update, ...] = ()


class Written(Struct):
    """The file; ``label`` marks every text as invented."""

    label: str
    incident: tuple[WrittenIncident, ...]
    maintenance: tuple[WrittenMaintenance, ...]


def announced(end: int) -> IncidentDocument:
    """Return the incidents and maintenance of the year that ends at ``end``, labelled as a demo."""
    written = msgspec.toml.decode(_FILE.read_bytes(), type=Written)
    incidents = [_incident(it, end, written.label) for it in written.incident]
    maintenance = [_maintenance(it, end, written.label) for it in written.maintenance]
    return IncidentDocument(
        incidents={it.id: it for it in incidents}, maintenance={it.id: it for it in maintenance}
    )


def key_of(title: str) -> str:
    """Return the id for a title; also the id of its page."""
    return public_key("demo", title)


def _incident(written: WrittenIncident, end: int, label: str) -> Incident:
    begun = end - written.day * DAY + round(written.hour * HOUR)
    key = key_of(written.title)
    first, *others = _story(key, begun, written.updates)
    return Incident(
        id=key,
        title=written.title,
        impact=written.impact,
        started=begun,
        checkers=written.services,
        updates=(replace(first, text=f"{first.text}\n\n{label}"), *others),
    )


def _maintenance(written: WrittenMaintenance, end: int, label: str) -> Maintenance:
    start = day_start(end) - written.day * DAY + written.hour * HOUR
    key = key_of(written.title)
    return Maintenance(
        id=key,
        title=written.title,
        text=f"{written.text}\n\n{label}",
        created=day_start(end) - written.announced * DAY,
        start=start,
        end=start + written.minutes * MINUTE,
        checkers=written.services,
        updates=tuple(_story(key, start, written.updates)),
    )


def _story(key: str, begun: int, updates: Iterable[Update]) -> list[IncidentUpdate]:
    return [
        IncidentUpdate(
            id=public_key(key, str(after)), at=begun + after * MINUTE, status=status, text=text
        )
        for after, status, text in updates
    ]
