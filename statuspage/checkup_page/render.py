"""From the view to the files of the page."""

from __future__ import annotations

from typing import Final

from checkup.interfaces import PageFile
from checkup_page import html
from checkup_page.formats import MachineFiles
from checkup_page.view import EVERY_FIVE_MINUTES, PageView, page_news

INDEX: Final = "index.html"
NOT_FOUND: Final = "404.html"

MAX_AGE: Final = 30
"""Seconds that a copy may be cached, so that a change is seen soon."""

NOT_FOUND_MAX_AGE: Final = 300


def render_site(
    view: PageView, *translations: PageView, formats: MachineFiles | None = None
) -> dict[str, PageFile]:
    """Return the files by their paths.

    Args:
        view: in the preferred language, which the machine-readable files use too.
        translations: in the other languages, each for its folder.
        formats: a cache for repeated calls.
    """
    translated = {
        f"{other.folder}{path}": file
        for other in translations
        for path, file in _pages(other).items()
    }
    return {
        **(formats or MachineFiles()).files(view),
        NOT_FOUND: html.render_page(view, NOT_FOUND, NOT_FOUND, max_age=NOT_FOUND_MAX_AGE),
        **translated,
        **_pages(view),
    }


def _pages(view: PageView) -> dict[str, PageFile]:
    """Return the pages of one language, by paths from its folder."""
    urgent = page_news(view)
    return {
        INDEX: html.render_page(
            view, INDEX, INDEX, max_age=MAX_AGE, every=EVERY_FIVE_MINUTES, news=urgent
        )
    }
