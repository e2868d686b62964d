"""From the view to the files of the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from checkup.interfaces import PageFile
from checkup_page import html
from checkup_page.formats import MachineFiles
from checkup_page.status import ComponentStatus
from checkup_page.view import EVERY_FIVE_MINUTES, PageView, group_news, page_news

INDEX: Final = "index.html"
NOT_FOUND: Final = "404.html"

MAX_AGE: Final = 30
"""Seconds that a copy may be cached, so that a change is seen soon."""

NOT_FOUND_MAX_AGE: Final = 300

GROUP_PAGE: Final = 250
"""Components on one page of a group, so that it stays below 1 MB."""

MAX_AFFECTED: Final = 100
"""Components that are not operational and stand on the first page of a large site."""

SEARCH: Final = "search.js"
GROUPS_STYLE: Final = "groups.css"


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
    if not view.is_large:
        index = html.render_page(
            view, INDEX, INDEX, max_age=MAX_AGE, every=EVERY_FIVE_MINUTES, news=urgent
        )
        return {INDEX: index}
    affected = [it for it in view.components if it.status is not ComponentStatus.OPERATIONAL]
    index = html.render_page(
        view,
        INDEX,
        INDEX,
        max_age=MAX_AGE,
        every=EVERY_FIVE_MINUTES,
        news=urgent,
        script=SEARCH,
        stylesheet=GROUPS_STYLE,
        affected=replace(view.groups[0], components=tuple(affected[:MAX_AFFECTED])),
        affected_more=max(0, len(affected) - MAX_AFFECTED),
    )
    return {**dict(_group_pages(view)), INDEX: index}


def _group_pages(view: PageView) -> Iterator[tuple[str, PageFile]]:
    """Yield the pages of the groups of a large site, each with a limited number of components."""
    for group in view.groups:
        starts = range(0, len(group.components), GROUP_PAGE)
        paths = [group.path, *(f"groups/{group.key}-{n}.html" for n in range(2, len(starts) + 1))]
        for path, start in zip(paths, starts, strict=True):
            part = replace(group, components=group.components[start : start + GROUP_PAGE])
            yield (
                path,
                html.render_page(
                    view,
                    "group_page.html",
                    path,
                    max_age=MAX_AGE,
                    every=EVERY_FIVE_MINUTES,
                    news=group_news(part),
                    stylesheet=GROUPS_STYLE,
                    group=group,
                    part=part,
                    pages=paths,
                ),
            )
