"""How the files for machines are served: what they are, and how long they may be kept."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from msgspec.structs import replace

from checkup.ports import PageFile
from checkup_page import news
from checkup_page.view import PageView

Json = dict[str, Any]
"""A document, or a part of one."""

LIVE: Final = 30
"""Seconds that a copy may be kept of what tells how things are now."""

SETTLED_MAX_AGE: Final = 300
"""The same of what changes only when there is something new to tell."""

_HOST: Final = re.compile(r"https?://([a-z0-9.-]+)(?=[:/?#]|$)", re.ASCII | re.IGNORECASE)
JSON: Final = "application/json; charset=utf-8"


def text_file(text: str, kind: str, *, every: int = 0) -> PageFile:
    """Return a text that changes when there is something new to tell.

    Args:
        text: half of a character in it becomes a ``?``.
        kind: its media type.
        every: as in :class:`PageFile`.
    """
    body = text.encode(errors="replace")
    return PageFile(body=body, content_type=kind, max_age=SETTLED_MAX_AGE, every=every)


def live_file(view: PageView, text: str, kind: str) -> PageFile:
    """Return a text that changes with every run: what of it is no news can wait."""
    file, told = text_file(text, kind, every=news.EVERY_FIVE_MINUTES), news.of_page(view)
    return replace(file, max_age=LIVE, news=told)


def to_json(content: Json) -> str:
    """Return the text of a document."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def absolute_url(view: PageView, path: str) -> str:
    """Return where a file of the page is; from the root of the site if that is not known."""
    return f"{view.url.rstrip('/')}/{path}" if view.url else path


def id_domain(view: PageView) -> str:
    """Return the name under which the page's ids are unique: its host, if that is known."""
    host = _HOST.match(view.url)
    return host[1].lower() if host else "checkup.invalid"
