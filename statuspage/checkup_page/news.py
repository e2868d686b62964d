"""What of the page cannot wait until it is next published: whatever a reader would call news."""

from __future__ import annotations

from collections.abc import Iterator

from checkup_page.announcements.announcement import Incident, Maintenance
from checkup_page.identity import stable_key
from checkup_page.view import Component, View

FIVE_MINUTES, HOUR = 300, 3600
DAY = 24 * HOUR
"""Seconds between two versions of a file in a place where writing costs, if there is no news."""


def of_page(view: View) -> str:
    """Return what stands for the news of the whole page.

    Times, bars and response times change with every run and are none; nor are counts of them.
    """
    return stable_key("news", *_page(view))


def of_component(item: Component) -> str:
    """Return what stands for the news of one component."""
    return stable_key("news", *_component(item))


def _page(view: View) -> Iterator[str]:
    yield from (view.title, view.facts.version, view.verdict.state, view.verdict.sentence)
    for group in view.groups:
        yield from ("group", group.name, group.description)
        for item in group.components:
            yield from _component(item)
    for message in view.messages:
        yield from ("message", message.component, str(message.at))
    announced: tuple[Incident | Maintenance, ...] = (*view.incidents, *view.maintenances)
    for told in announced:
        yield from (told.key, told.status, told.title, str(told.updated_at))


def _component(item: Component) -> Iterator[str]:
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
