"""Shared by the machine-readable files: caching, recent events, XML and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from msgspec.structs import replace

from checkup.interfaces import PageFile
from checkup.times import format_iso, to_datetime
from checkup_page.incidents.view import IncidentView, MaintenanceView
from checkup_page.view import EVERY_FIVE_MINUTES, PageView, page_news


def recent_incidents(view: PageView) -> list[IncidentView]:
    """Return the incidents of the last months, newest first."""
    earlier = (item for month in view.months for item in month.incidents)
    every = {item.key: item for item in (*earlier, *view.incidents)}
    return sorted(every.values(), key=lambda item: item.started_at, reverse=True)


def recent_maintenance(view: PageView) -> list[MaintenanceView]:
    """Return past maintenance of the last months and upcoming maintenance, newest first."""
    earlier = (item for month in view.months for item in month.maintenances)
    every = {
        item.key: item for item in (*earlier, *view.completed_maintenances, *view.maintenances)
    }
    return sorted(every.values(), key=lambda item: item.scheduled_for, reverse=True)


def last_event(view: PageView) -> int:
    """Return the time of the last update, or start or end of maintenance; 0 for none."""
    return max(_events(view), default=0)


def _events(view: PageView) -> Iterator[int]:
    yield from (item.updated_at for item in recent_incidents(view))
    for item in recent_maintenance(view):
        yield item.updated_at
        if item.status != "scheduled":
            yield item.scheduled_for
        if item.status == "completed":
            yield item.scheduled_until


_FORBIDDEN: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot contain."""


def render_xml(template: str, **values: object) -> str:
    """Return a document without the characters that XML cannot contain."""
    return _FORBIDDEN.sub("", _templates().get_template(template).render(values))


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    templates.filters |= {"iso": format_iso, "rfc822": _rfc822}
    return templates


def _rfc822(nanoseconds: int) -> str:
    return format_datetime(to_datetime(nanoseconds))


Json = dict[str, Any]
"""A document, or a part of one."""

LIVE: Final = 30
"""Seconds that a copy of a file with the current status may be cached."""

SETTLED_MAX_AGE: Final = 300
"""The same for files that change only with events."""

JSON: Final = "application/json; charset=utf-8"


def text_file(text: str, kind: str, *, every: int = 0) -> PageFile:
    """Return a file that changes only with events.

    Args:
        text: a lone surrogate in it becomes a ``?``.
        kind: its media type.
        every: as in :class:`PageFile`.
    """
    body = text.encode(errors="replace")
    return PageFile(body=body, content_type=kind, max_age=SETTLED_MAX_AGE, min_interval=every)


def live_file(view: PageView, text: str, kind: str) -> PageFile:
    """Return a file that changes with every run, and need not be published with each."""
    file, urgent = text_file(text, kind, every=EVERY_FIVE_MINUTES), page_news(view)
    return replace(file, max_age=LIVE, urgent_content=urgent)


def to_json(content: Json) -> str:
    """Return compact JSON."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def absolute_url(view: PageView, path: str) -> str:
    """Return the URL of a file of the page; its path if the page's URL is not configured."""
    return f"{view.url.rstrip('/')}/{path}" if view.url else path
