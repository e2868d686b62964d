"""From the view to the files of the page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from checkup.ports import PageFile
from checkup_page import html, statuspage_v2
from checkup_page.view import View

INDEX: Final = "index.html"
NOT_FOUND: Final = "404.html"
STATUS: Final = "api/v2/status.json"
SUMMARY: Final = "api/v2/summary.json"

MAX_AGE: Final = 30
"""Seconds that a copy may be kept: a change is to be seen soon."""

NOT_FOUND_MAX_AGE: Final = 300

_JSON = "application/json; charset=utf-8"


def render(view: View, *translations: View) -> dict[str, PageFile]:
    """Return the files by their paths, each as it is to be served.

    Args:
        view: in the preferred language, which is also that of everything for machines.
        translations: the same in other languages, each of them for its folder.
    """
    translated = {
        f"{other.folder}{path}": file
        for other in translations
        for path, file in _pages(other).items()
    }
    return {
        STATUS: _json(statuspage_v2.status(view)),
        SUMMARY: _json(statuspage_v2.summary(view)),
        NOT_FOUND: html.page(view, NOT_FOUND, NOT_FOUND, max_age=NOT_FOUND_MAX_AGE),
        **translated,
        **_pages(view),
    }


def _pages(view: View) -> dict[str, PageFile]:
    """Return everything for people, by paths from the root of its language."""
    return {INDEX: html.page(view, INDEX, INDEX, max_age=MAX_AGE)}


def _json(content: Mapping[str, object]) -> PageFile:
    body = json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()
    return PageFile(body=body, content_type=_JSON, max_age=MAX_AGE)
