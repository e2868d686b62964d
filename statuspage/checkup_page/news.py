"""What of the page cannot wait until it is next published: whatever a reader would call news."""

from __future__ import annotations

from collections.abc import Iterator

from checkup_page.announcements.announcement import IncidentView, MaintenanceView
from checkup_page.identity import public_key
from checkup_page.view import ComponentView, PageView

EVERY_FIVE_MINUTES, HOURLY = 300, 3600
DAILY = 24 * HOURLY
"""Seconds between two versions of a file in a place where writing costs, if there is no news."""


def of_page(view: PageView) -> str:
    """Return what stands for the news of the whole page.

    Times, bars and response times change with every run and are none; nor are counts of them.
    """
    return public_key("news", *_page(view))


def of_component(item: ComponentView) -> str:
    """Return what stands for the news of one component."""
    return public_key("news", *_component(item))


def _page(view: PageView) -> Iterator[str]:
    yield from (view.title, view.facts.version, view.verdict.state, view.verdict.sentence)
    for group in view.groups:
        yield from ("group", group.name, group.description)
        for item in group.components:
            yield from _component(item)
    for message in view.messages:
        yield from ("message", message.component, str(message.at))
    announced: tuple[IncidentView | MaintenanceView, ...] = (*view.incidents, *view.maintenances)
    for told in announced:
        yield from (told.key, told.status, told.title, str(told.updated_at))


def _component(item: ComponentView) -> Iterator[str]:
    yield from (
        "component",
        item.key,
        item.name,
        item.description,
        item.link,
        item.state,
        item.note,
        *(part for sight in item.sights for part in (sight.region, sight.state)),
    )
