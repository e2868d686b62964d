"""The feeds: an entry for each incident and each maintenance, as Atom (RFC 4287) and RSS 2.0."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from msgspec import Struct

from checkup.interfaces import PageFile
from checkup_page.formats import base
from checkup_page.formats.base import absolute_url, render_xml, text_file
from checkup_page.incidents.view import IncidentView, MaintenanceView
from checkup_page.view import PageView

FEEDS: Final = {
    "history.atom": "application/atom+xml; charset=utf-8",
    "history.rss": "application/rss+xml; charset=utf-8",
}
"""What they are, by path."""

NEWEST: Final = 50
"""Entries of a feed at most."""

_MINTED: Final = "2026"
"""The year of the tags (RFC 4151). It is part of every id and never changes."""


class FeedEntry(Struct, frozen=True, kw_only=True):
    """One entry.

    Attributes:
        tag: its id for ever.
        kind: ``incident`` or ``maintenance``.
        planned: of maintenance, from when to when; otherwise empty.
    """

    tag: str
    kind: str
    published: int
    planned: str
    item: IncidentView | MaintenanceView


def files(view: PageView) -> dict[str, PageFile]:
    """Return the feeds by their paths. They change when there is news, and so do their dates."""
    entries = sorted(_entries(view), key=lambda entry: entry.item.updated_at, reverse=True)
    values = {
        "view": view,
        "locale": view.locale,
        "address": partial(absolute_url, view),
        "tag": _tag(view, view.key),
        "updated": max((entry.item.updated_at for entry in entries), default=0),
        "entries": entries[:NEWEST],
    }
    return {path: text_file(render_xml(path, **values), kind) for path, kind in FEEDS.items()}


def _entries(view: PageView) -> Iterator[FeedEntry]:
    for item in base.recent_incidents(view):
        tag = _tag(view, f"incident/{item.key}")
        published = item.updates[-1].at
        yield FeedEntry(tag=tag, kind="incident", published=published, planned="", item=item)
    for planned in base.recent_maintenance(view):
        yield FeedEntry(
            tag=_tag(view, f"maintenance/{planned.key}"),
            kind="maintenance",
            published=planned.created_at,
            planned=view.locale.translate(
                "feed.scheduled",
                start=view.locale.format_datetime(planned.scheduled_for),
                end=view.locale.format_datetime(planned.scheduled_until),
            ),
            item=planned,
        )


def _tag(view: PageView, name: str) -> str:
    return f"tag:{view.id_domain},{_MINTED}:{name}"
